// All advert sockets of the process, on the event loop. Called by the engine; decides nothing.
#pragma once

#include "vrrp/io/advert_socket.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace holdfast::vrrp {

class AdvertPorts {
 public:
  using Take =
      std::function<void(const std::string& interface, std::span<const std::uint8_t> packet)>;

  /// `on_readable` runs from the loop; it is expected to drain that interface or all.
  AdvertPorts(boost::asio::io_context& io,
              std::function<void(const std::string& interface)> on_readable);
  ~AdvertPorts();
  AdvertPorts(const AdvertPorts&) = delete;
  AdvertPorts& operator=(const AdvertPorts&) = delete;

  /// Does nothing when this interface has its socket. An interface that came back under the same
  /// name has another index and gets a new one.
  [[nodiscard]] core::Result<void> open(const std::string& interface, std::uint32_t index);
  void close(const std::string& interface);
  /// Closes the sockets of all other interfaces.
  void retain(const std::set<std::string>& interfaces);
  void set_vrids(const std::string& interface, const std::set<std::uint8_t>& vrids);

  /// False: some socket had more than kMaxDrainPackets waiting.
  bool drain(const std::string& interface, const Take& take);
  bool drain_all(const Take& take);

  /// Packets to send on this interface at the next flush; nullptr: it has no socket.
  [[nodiscard]] PacketQueue* queue(const std::string& interface);
  /// One sendmmsg an interface. `on_error`: the errno of the first packet that was refused there.
  void flush(const std::function<void(const std::string& interface, int error)>& on_error);

 private:
  struct Port;
  void wait(const std::shared_ptr<Port>& port);
  bool drain(Port& port, const Take& take);

  boost::asio::io_context& io_;
  std::shared_ptr<const std::function<void(const std::string&)>> on_readable_;
  std::map<std::string, std::shared_ptr<Port>> ports_;
  ReceiveBuffer buffer_;
};

}  // namespace holdfast::vrrp
