// The one way to run a Router, shared by the daemon and the simulator: on every wake-up read the
// clock once, drain the sockets, then tick. Turns packets into events and SendAdvert into bytes,
// and notices when the process was paused.
//
//   driver.begin(now, uncounted, actions);                  // a late wake-up is evidence about us,
//   not about the peer while (more packets) driver.receive(packet, actions);
//   driver.finish(actions);                                 // ticks; then execute actions, arm the
//   timer for deadline()
#pragma once

#include "vrrp/core/router.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace holdfast::vrrp {

/// As a raw IPv4 socket delivers it: the bytes begin with the IP header. The view need only live
/// for the call.
struct ReceivedPacket {
  InterfaceId interface {};
  std::span<const std::uint8_t> bytes;
};

class Driver {
 public:
  explicit Driver(Router router) : router_(std::move(router)) {}

  /// Start of a wake-up at `now`. `uncounted`: growth of (boottime - monotonic) since the last one,
  /// zero if not measured.
  void begin(Instant now, Duration uncounted, Actions& out);
  /// One drained packet of this wake-up.
  void receive(const ReceivedPacket& packet, Actions& out);
  /// End of a wake-up: do what is due.
  void finish(Actions& out);

  /// Anything that is no packet (interface changes, reload, shutdown …), at its own wake-up: begin
  /// without the tick.
  void handle(const Event& event, Instant now, Actions& out);

  /// Appends the IPv4 packet for this action to `out`. False when the instance has no source
  /// address now: send nothing.
  [[nodiscard]] bool encode(const SendAdvert& action, std::vector<std::uint8_t>& out) const;

  [[nodiscard]] std::optional<Instant> deadline() const { return router_.deadline(); }
  [[nodiscard]] const Router& router() const { return router_; }

 private:
  void take(const ReceivedPacket& packet, const Ipv4Packet& decoded, Actions& out);

  Router router_;
  Instant now_{};
};

}  // namespace holdfast::vrrp
