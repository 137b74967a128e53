// Whether a frame of any host has been received on an interface since it came up. After a boot a
// switch port may forward nothing for half a minute (spanning tree), a bond may have no partner
// yet: who is not heard then may well be there. What the switch itself says meanwhile (BPDU, LLDP,
// CDP …) shows nothing of that. A packet socket an interface, asked now and then, and only until
// each has heard something or its time is over.
#pragma once

#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "runtime/unique_fd.hpp"

#include <functional>
#include <linux/filter.h>
#include <map>
#include <string>
#include <vector>

namespace holdfast::vrrp {

class FirstFrames {
 public:
  static constexpr core::Duration kLookEvery = std::chrono::milliseconds(100);
  /// Every network is quiet for a moment: this is said only after so long.
  static constexpr core::Duration kTellAfter = std::chrono::seconds(3);
  /// Interfaces that come up so long after the director belong to the boot, too.
  static constexpr core::Duration kBoot = std::chrono::minutes(2);

  /// `on_changed`: is_silent() answers otherwise than before. From the loop.
  FirstFrames(boost::asio::io_context& io, runtime::Logger& logger,
              std::function<void(const std::string& interface)> on_changed);
  ~FirstFrames();
  FirstFrames(const FirstFrames&) = delete;
  FirstFrames& operator=(const FirstFrames&) = delete;

  /// Once, before the first see(); without it nothing is ever silent. The director has run since
  /// `began`: an interface that is up by now counts as silent for `longest` from then, one that
  /// comes up later from that moment.
  void wait(core::Duration longest, core::Instant began);
  /// It is there, and up or not. The first time that it is up decides; one that has gone begins
  /// anew.
  void see(const std::string& interface, unsigned index, bool is_up);
  void forget(const std::string& interface);
  /// See wait(): those that were seen until now were up at the start.
  void begun() { has_begun_ = true; }
  [[nodiscard]] bool is_silent(const std::string& interface) const {
    return silent_.contains(interface);
  }

 private:
  struct Silent {
    runtime::UniqueFd ear;
    core::Instant since{};
    core::Instant end{};
    bool is_told = false;
  };

  void look();
  void tell(core::Instant now);
  void take_ear(const std::string& interface, std::vector<runtime::UniqueFd>& ears);

  runtime::Logger& logger_;
  std::function<void(const std::string&)> on_changed_;
  core::Duration longest_{};
  core::Instant began_{};
  bool has_begun_ = false;
  std::map<std::string, unsigned> known_;  // with their index
  std::map<std::string, Silent> silent_;
  runtime::DeadlineTimer timer_;
};

/// Passes frames that a host may have sent: none of our own, none to the addresses that switches
/// keep to one link (IEEE 802.1Q table 8-1: 01-80-C2-00-00-00 to 0F) or that Cisco's speak to.
[[nodiscard]] std::vector<sock_filter> host_frame_filter();

}  // namespace holdfast::vrrp
