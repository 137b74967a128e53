// The other directors as far as this one knows them, for a rehearsal: each is a router of our own
// core that goes on from what was heard of it. Somebody who was master and heard lately advertises
// on; somebody who was heard at all lately waits for our silence or resignation. Nobody else is
// imagined: a backup that never spoke cannot be known.
#pragma once

#include "vrrp/core/driver.hpp"

#include <functional>
#include <set>
#include <vector>

namespace holdfast::vrrp {

class ImaginedPeers {
 public:
  ImaginedPeers(const Router& ours, Instant now);

  /// An advert of a peer on its way, and a peer that changes its state.
  struct Watcher {
    std::function<void(const SendAdvert& advert)> sends;
    std::function<void(const IpAddress& peer, const StateChanged& change)> changes;
  };

  /// Sorted, each once.
  [[nodiscard]] std::vector<IpAddress> addresses() const;
  /// Somebody was heard for this virtual router.
  [[nodiscard]] bool has_one_of(const RouterKey& key) const { return known_.contains(key); }
  /// It says and hears nothing any more. False: it is not known.
  bool silence(const IpAddress& address);
  [[nodiscard]] std::optional<Instant> deadline() const;
  /// What is due; `watcher` is told of it.
  void tick(Instant now, const Watcher& watcher);
  /// An advert of ours or of another peer; who sent it does not hear it.
  void hear(const SendAdvert& advert, Instant now, const Watcher& watcher);

 private:
  struct Peer {
    IpAddress address;
    Driver driver;
  };
  static void settle(Peer& peer, Actions& actions, const Watcher& watcher);

  std::vector<Peer> peers_;
  std::set<RouterKey> known_;
};

/// The advert as those on the same segment receive it. Valid as long as both.
[[nodiscard]] Received received_form(const SendAdvert& advert, const Letter& letter);

}  // namespace holdfast::vrrp
