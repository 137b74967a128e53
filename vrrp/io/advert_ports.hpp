// All advert sockets of the process, on the event loop. Called by the engine; decides nothing.
#pragma once

#include "vrrp/core/event.hpp"
#include "vrrp/io/advert_frames.hpp"
#include "vrrp/io/advert_socket.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
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

/// Packets that one hearing reads from one socket. What is left waits for the next one, and
/// decisions go on without it.
inline constexpr std::size_t kMaxHeardPackets = 4096;

class AdvertPorts {
 public:
  /// What drains hand over: a packet whose header could be read, or why it could not.
  struct Sink {
    std::function<void(const Received& packet)> packet;
    std::function<void(const std::string& interface, DecodeError error)> stray;
  };

  /// `on_readable` runs from the loop; it is expected to hear that interface or all.
  /// `exit_at` knows the virtual interfaces that adverts leave by; nullopt: there is no such one.
  using ExitAt = std::function<std::optional<Exit>(const std::string& device)>;
  AdvertPorts(boost::asio::io_context& io,
              std::function<void(const std::string& interface)> on_readable, ExitAt exit_at);
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

  /// What the sockets are members of, each interface and group once.
  struct Membership {
    std::string interface;
    IpAddress group;
    auto operator<=>(const Membership&) const = default;
  };
  [[nodiscard]] std::set<Membership> memberships() const;

  /// What waits at this interface's sockets, or at all of them (nullptr), is to be heard; what was
  /// to be heard before still is.
  void begin_hearing(const std::string* interface);
  enum class Heard : std::uint8_t {
    not_yet,  ///< There is more: call again.
    all,
    enough,  ///< All, but for what lies beyond kMaxHeardPackets of some socket.
  };
  /// Hears until `until`, and a piece more: a turn of the loop must not take longer because much
  /// came while the process could not run.
  [[nodiscard]] Heard hear(const Sink& sink, Instant until);

  /// Sends all with one sendmmsg an interface and family, and one for those of virtual MACs.
  /// `answers` gets one AdvertSent or AdvertRefused for each; an advert to several destinations
  /// counts as sent when one of them was reached.
  void send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers);

 private:
  struct Port;
  void wait(const std::shared_ptr<Port>& port);
  void gather(const std::shared_ptr<Port>& port);
  void drain_piece(Port& port, const Sink& sink);
  /// Queues its letters where they leave; false: there is no such place.
  [[nodiscard]] bool queue(const SendAdvert& advert, std::size_t tag);

  boost::asio::io_context& io_;
  std::shared_ptr<const std::function<void(const std::string&)>> on_readable_;
  using Ports = std::map<PortKey, std::shared_ptr<Port>>;
  void close(Ports::iterator port);

  Ports ports_;
  ExitAt exit_at_;
  AdvertFrames frames_;
  ReceiveBuffer buffer_;
  bool is_flooded_ = false;  // in this hearing
};

}  // namespace holdfast::vrrp
