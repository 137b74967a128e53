// Who says by ARP that one of our IPv4 addresses is his, while we hold it: two hosts answer for one
// address, or somebody forges. Listens only; made by the daemon, told in status.
//
// The kernel passes on what names one of our addresses as its sender's; a flood of those is read at
// a bounded pace, and the rest is dropped in a small buffer.
#pragma once

#include "core/ip_address.hpp"
#include "core/mac_address.hpp"
#include "core/router_key.hpp"
#include "core/time.hpp"
#include "runtime/line_budget.hpp"
#include "runtime/log.hpp"
#include "vrrp/core/router.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <linux/filter.h>
#include <map>
#include <optional>
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

  /// Whether this host has an interface of this MAC address.
  using IsOurs = std::function<bool(const core::MacAddress& mac)>;

  /// `router` outlives the watch. Without the right to listen it says so and hears nothing.
  ClaimWatch(boost::asio::io_context& io, runtime::Logger& logger, const Router& router,
             IsOurs is_ours);

  /// The configuration has changed.
  void follow();
  /// nullopt: nobody, lately.
  [[nodiscard]] std::optional<Claim> claim(const RouterKey& key, core::Instant now) const;

 private:
  void wait();
  void read();
  void note(std::uint32_t address, const core::MacAddress& mac);

  runtime::Logger& logger_;
  const Router& router_;
  IsOurs is_ours_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer pace_;
  bool waits_ = false;
  std::unordered_map<std::uint32_t, RouterKey> owners_;
  std::map<RouterKey, Claim> claims_;
  runtime::RateLimiter one_instance_{kTellEvery};
  runtime::LineBudget all_{20, std::chrono::seconds(10)};
};

}  // namespace holdfast::vrrp
