// Whether anything at all has been received on an interface since the director began. After a boot
// a switch port may forward nothing for half a minute (spanning tree), a bond may have no partner
// yet: who is not heard then may well be there. Asks the kernel's counters now and then, and only
// until each interface has heard something or the time is over.
#pragma once

#include "runtime/log.hpp"
#include "runtime/loop.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace holdfast::vrrp {

class FirstFrames {
 public:
  static constexpr core::Duration kLookEvery = std::chrono::milliseconds(100);
  /// Every network is quiet for a moment: this is said only after so long.
  static constexpr core::Duration kTellAfter = std::chrono::seconds(3);

  /// `on_changed`: is_silent() answers otherwise than before. From the loop.
  FirstFrames(boost::asio::io_context& io, runtime::Logger& logger,
              std::function<void(const std::string& interface)> on_changed);

  /// Until then what has heard nothing counts as silent. Once, before follow(); without it nothing
  /// ever does.
  void wait_until(core::Instant end);
  /// What was received on these until now does not count; those that are known already go on.
  void follow(const std::set<std::string>& interfaces);
  [[nodiscard]] bool is_silent(const std::string& interface) const {
    return silent_.contains(interface);
  }

 private:
  void look();

  runtime::Logger& logger_;
  std::function<void(const std::string&)> on_changed_;
  core::Instant began_{};
  core::Instant end_{};
  bool waits_ = false;
  bool is_told_ = false;
  std::set<std::string> known_;
  std::map<std::string, std::uint64_t> silent_;  // with what had been received at first
  runtime::DeadlineTimer timer_;
};

/// Frames received so far, by interface, of what /proc/net/dev says.
[[nodiscard]] std::map<std::string, std::uint64_t> received_frames(std::string_view text);

}  // namespace holdfast::vrrp
