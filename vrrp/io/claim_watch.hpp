// Who says by ARP that one of our IPv4 addresses is his, while we hold it: two hosts answer for one
// address, or somebody forges. Listens only; made by the daemon, told in status.
//
// The kernel passes on what names one of our addresses as its sender's; a flood of those is read at
// a bounded pace, and the rest is dropped in a small buffer. Only what is heard on the interface
// that has the address counts: another network may use the same numbers. While an instance hands
// over, its successor's announcements are what it waits for.
#pragma once

#include "core/ip_address.hpp"
#include "core/mac_address.hpp"
#include "core/router_key.hpp"
#include "core/time.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/line_budget.hpp"
#include "runtime/log.hpp"
#include "vrrp/core/router.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <linux/filter.h>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::vrrp {

/// What was heard of another host about an instance's addresses, the last of it.
struct Claim {
  core::MacAddress mac;
  core::IpAddress address;
  core::Instant since;
  core::Instant last_at;
  std::uint64_t times = 0;
};

/// Passes ARP packets whose sender has one of these addresses (network byte order read as a
/// number); all of them when there are more than kMostFiltered.
[[nodiscard]] std::vector<sock_filter> claim_filter(std::span<const std::uint32_t> addresses);
inline constexpr std::size_t kMostFiltered = 1000;

class ClaimWatch {
 public:
  /// So many packets are read, then nothing for kPace.
  static constexpr int kMostPackets = 64;
  static constexpr core::Duration kPace = std::chrono::milliseconds(20);
  /// A claim that was not repeated for so long is history.
  static constexpr core::Duration kMemory = std::chrono::minutes(5);
  /// Between two lines about one instance.
  static constexpr core::Duration kTellEvery = std::chrono::minutes(1);

  /// `router` and `reflector` outlive the watch. Without the right to listen it says so and hears
  /// nothing.
  ClaimWatch(boost::asio::io_context& io, runtime::Logger& logger, const Router& router,
             netlink::Reflector& reflector);

  /// The configuration has changed.
  void follow();
  /// nullopt: nobody, lately.
  [[nodiscard]] std::optional<Claim> claim(const RouterKey& key, core::Instant now) const;

 private:
  void wait();
  void read();
  void note(netlink::InterfaceIndex interface, std::uint32_t address, const core::MacAddress& mac);
  [[nodiscard]] const Instance* owner_of(netlink::InterfaceIndex interface,
                                         std::uint32_t address) const;
  /// This host has an interface of this MAC address.
  [[nodiscard]] bool is_ours(const core::MacAddress& mac);

  struct Owner {
    std::string interface;  // that the address is on
    RouterKey key;
  };
  struct Known {
    Claim claim;
    std::optional<core::Instant> told_at;
  };
  /// The reflector's callback looks here whether this is still there.
  struct Life {};

  runtime::Logger& logger_;
  const Router& router_;
  netlink::Reflector& reflector_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer pace_;
  bool waits_ = false;
  std::unordered_map<std::uint32_t, std::vector<Owner>> owners_;
  std::map<RouterKey, Known> claims_;
  std::optional<std::set<core::MacAddress>> own_;  // until an interface changes
  runtime::LineBudget all_{20, std::chrono::seconds(10)};
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
};

}  // namespace holdfast::vrrp
