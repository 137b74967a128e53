// All advert sockets of the process, on the event loop. Called by the engine; decides nothing.
#pragma once

#include "vrrp/core/event.hpp"
#include "vrrp/io/advert_socket.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace holdfast::vrrp {

/// Which socket.
struct PortKey {
  std::string interface;
  core::Family family = core::Family::v4;
  Carrier carrier = Carrier::ip;
  auto operator<=>(const PortKey&) const = default;
};

class AdvertPorts {
 public:
  /// What drains hand over: a packet whose header could be read, or why it could not.
  struct Sink {
    std::function<void(const Received& packet)> packet;
    std::function<void(const std::string& interface, DecodeError error)> stray;
  };

  /// `on_readable` runs from the loop; it is expected to drain that interface or all.
  AdvertPorts(boost::asio::io_context& io,
              std::function<void(const std::string& interface)> on_readable);
  ~AdvertPorts();
  AdvertPorts(const AdvertPorts&) = delete;
  AdvertPorts& operator=(const AdvertPorts&) = delete;

  /// Does nothing when this interface has its socket of this family. An interface that came back
  /// under the same name has another index and gets a new one.
  [[nodiscard]] core::Result<void> open(const PortKey& key, std::uint32_t index);
  /// All of this interface.
  void close(const std::string& interface);
  /// Closes all others.
  void retain(const std::set<PortKey>& wanted);
  /// An interface without a socket has none to set. Whoever is not heard then must not elect: a
  /// deaf one would make a second master.
  [[nodiscard]] Deafness listen_to(const PortKey& key, const Ears& wanted);

  /// False: some socket had more than kMaxDrainPackets waiting.
  bool drain(const std::string& interface, const Sink& sink);
  bool drain_all(const Sink& sink);

  /// Sends all with one sendmmsg an interface and family. `answers` gets one AdvertSent or
  /// AdvertRefused for each; an advert to several destinations counts as sent when one of them was
  /// reached.
  void send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers);

 private:
  struct Port;
  void wait(const std::shared_ptr<Port>& port);
  bool drain(Port& port, const Sink& sink);

  boost::asio::io_context& io_;
  std::shared_ptr<const std::function<void(const std::string&)>> on_readable_;
  using Ports = std::map<PortKey, std::shared_ptr<Port>>;
  void close(Ports::iterator port);

  Ports ports_;
  ReceiveBuffer buffer_;
};

}  // namespace holdfast::vrrp
