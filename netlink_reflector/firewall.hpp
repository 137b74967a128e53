// The only writer of nftables: a table of its own in which packets to and from closed addresses are
// dropped, while their owners hold them. One transaction a change; what others flush or change is
// made again; nothing of others is touched. Where the kernel refuses, addresses are served
// nevertheless, and the refusal is told. Used from the loop's thread.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "netlink_reflector/core/firewall.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}
namespace holdfast::runtime {
class Logger;
}

namespace holdfast::netlink {

class Reflector;

struct FirewallState {
  std::string table;       ///< "inet holdfast".
  std::size_t closed = 0;  ///< Addresses that should be closed now.
  bool in_place = false;   ///< They are.
  std::string problem;     ///< Why not.
  std::string stuck;       ///< Why something may still be closed that should not be.
  std::uint64_t repairs = 0;
};

class Firewall {
 public:
  /// Addresses wait for the rules at most this long.
  static constexpr core::Duration kMostWait = std::chrono::milliseconds(5);

  /// `run_dir`: its name marks the table as ours, for a successor.
  Firewall(boost::asio::io_context& io, runtime::Logger& logger, Reflector& reflector,
           std::string run_dir);
  /// Stops listening; what is there stays.
  ~Firewall();
  Firewall(const Firewall&) = delete;
  Firewall& operator=(const Firewall&) = delete;

  /// What was claimed counts from now on. Another table is made before the former one goes.
  void follow(const FirewallSettings& settings);
  /// See FirewallWishes.
  void claim(const core::RouterKey& owner, std::vector<ClosedAddress> addresses);
  void hold(const core::RouterKey& owner);
  void release(const core::RouterKey& owner);
  void forget(const core::RouterKey& owner);

  /// Before addresses are added: those that are to be closed are so now, or a moment later where
  /// the kernel takes longer than kMostWait. Until settle() nothing is opened.
  void close();
  /// When addresses have left: opens what nobody holds any more. Does not wait.
  void settle();
  /// Takes off what a predecessor left and nobody holds now. Later calls do nothing.
  void sweep_leftovers();
  /// As settle(), to the end. For the orderly end of a process.
  void flush();

  [[nodiscard]] std::size_t claimed(const core::RouterKey& owner) const;
  [[nodiscard]] FirewallState state() const;
  /// Tables of ours are still there, as read now. An error: nobody knows.
  [[nodiscard]] core::Result<bool> has_leftovers() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace holdfast::netlink
