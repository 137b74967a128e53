// The one way to run a Router, shared by the daemon and the simulator: on every wake-up read the
// clock once, drain the sockets, then tick. Turns packets into events, and notices when the process
// was paused.
//
//   driver.begin(now, uncounted, actions);    // a late wake-up is evidence about us, not the peer
//   while (more packets) driver.receive(packet, actions);
//   driver.finish(actions);                   // ticks
//
// More packets than fit a turn of the loop are heard in several wake-ups; the last one finishes
// with the time of the first: of what came since then a socket that was read early knows nothing.
//
//   turn.begin(actions, doer, driver's answer);  // turn.hpp; then arm the timer for deadline()
#pragma once

#include "vrrp/core/router.hpp"

#include <cstdint>

namespace holdfast::vrrp {

class Driver {
 public:
  explicit Driver(Router router) : router_(std::move(router)) {}

  /// Start of a wake-up at `now`. `uncounted`: growth of (boottime - monotonic) since the last one,
  /// zero if not measured.
  void begin(Instant now, Duration uncounted, Actions& out);
  /// One drained packet of this wake-up.
  void receive(const Received& packet, Actions& out);
  /// End of a wake-up: do what is due.
  void finish(Actions& out) { finish(now_, out); }
  /// Do what was due at `heard_at`, up to which everything was heard.
  void finish(Instant heard_at, Actions& out);

  /// Anything that is no packet (interface changes, reload, shutdown …), at its own wake-up: begin
  /// without the tick.
  void handle(const Event& event, Instant now, Actions& out);
  /// What came of an action of this wake-up, at this wake-up's time.
  void answer(const Event& event, Actions& out) { router_.step(event, now_, out); }

  [[nodiscard]] std::optional<Instant> deadline() const { return router_.deadline(); }
  [[nodiscard]] const Router& router() const { return router_; }
  void clear_counters() { router_.clear_counters(); }
  /// Packets that io could not even read the header of.
  void count_stray(std::string_view interface, RejectReason reason) {
    router_.count_stray(interface, reason);
  }

 private:
  Router router_;
  Instant now_{};
};

}  // namespace holdfast::vrrp
