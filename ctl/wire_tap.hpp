// The doctor's ears: every VRRP, CARP and HSRP packet of this host's interfaces, in and out,
// without any running director. Sends nothing but the membership reports of the groups that it
// listens to, without which a snooping switch would keep their packets away.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "runtime/unique_fd.hpp"
#include "vrrp/doctor/sighting.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace holdfast::ctl {

/// Interfaces that are up, without loopback.
[[nodiscard]] std::vector<std::string> interfaces_up();

class WireTap {
 public:
  /// More are listened to without joining groups: each costs a descriptor.
  static constexpr std::size_t kMostJoined = 500;

  /// Fails without CAP_NET_RAW, and for an interface that does not exist. `groups`: more than the
  /// standard ones.
  [[nodiscard]] static core::Result<WireTap> open(const std::vector<std::string>& interfaces,
                                                  const std::set<core::IpAddress>& groups);

  /// Returns after `duration`; every packet of the protocols is handed over once.
  void listen(core::Duration duration, const std::function<void(const vrrp::doctor::Frame&)>& take);

  /// Packets that came faster than they were read.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  explicit WireTap(runtime::UniqueFd fd) : fd_(std::move(fd)) {}
  void join(int index, const std::set<core::IpAddress>& groups);
  void read_one(const std::function<void(const vrrp::doctor::Frame&)>& take);

  runtime::UniqueFd fd_;
  std::map<int, std::string> interfaces_;
  std::vector<runtime::UniqueFd> members_;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(2048);
  std::uint64_t lost_ = 0;
};

}  // namespace holdfast::ctl
