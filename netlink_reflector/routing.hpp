// The only writer of routes and routing rules: a daemon says what an owner (a VRRP instance) has
// while it holds; what somebody removes is put back, what is ours goes with its owner. Beside the
// Reflector, with sockets of its own: a host's full table never gets in the way of addresses. Asks
// the kernel only for what our protocol numbers set, and not at all while nobody claims anything.
#pragma once

#include "core/result.hpp"
#include "netlink_reflector/core/routing_keeper.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}
namespace holdfast::runtime {
class Logger;
}

namespace holdfast::netlink {

class Reflector;

class Routing {
 public:
  /// `run_dir`: where `vrrp.routes` lists what is ours, for a successor; empty: nowhere, for tests.
  Routing(boost::asio::io_context& io, runtime::Logger& logger, Reflector& reflector,
          std::string run_dir);
  /// Stops listening; what is there stays.
  ~Routing();
  Routing(const Routing&) = delete;
  Routing& operator=(const Routing&) = delete;

  /// Opens a socket and reads the record. Call once, after Reflector::load().
  [[nodiscard]] core::Result<void> load();

  /// What `owner` has while it holds, held now or not. Replaces the former list.
  void claim(const core::RouterKey& owner, std::vector<DesiredRouting> claimed);
  void hold(const core::RouterKey& owner);
  void release(const core::RouterKey& owner);
  void forget(const core::RouterKey& owner);
  /// See Reflector::sweep_leftovers().
  void sweep_leftovers(Statics statics = Statics::go);

  /// Takes off now what nobody wants any more: before the addresses that it leads to go.
  void withdraw();
  /// Does what is to be done now, and reads it back. The loop does it by itself otherwise. Both
  /// cost nothing while no owner with claims has begun or ended to hold, and return after some
  /// milliseconds: of thousands the loop does the rest, a piece in each turn.
  void apply();
  /// As apply(), to the end. For the orderly end of a process.
  void flush();

  /// After each look at the kernel, and what followed from it: states() may be others.
  void on_looked(std::function<void()> callback);
  [[nodiscard]] std::vector<RoutingState> states(const core::RouterKey& owner) const;
  /// How many in the kernel are ours.
  [[nodiscard]] std::size_t owned_count() const;
  /// How many of those the sweep let stay.
  [[nodiscard]] std::size_t staying_count() const;
  [[nodiscard]] std::uint64_t repairs() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace holdfast::netlink
