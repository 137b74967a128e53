#include "vrrp/route_metrics.hpp"

#include "vrrp/encap.hpp"

#include <algorithm>
#include <charconv>
#include <linux/rtnetlink.h>

namespace holdfast::vrrp {
namespace {

using config::LineOption;
using netlink::AttributeBytes;
using netlink::bytes_of;

struct Metric {
  std::string_view word;
  std::uint16_t type;
  std::uint32_t per_millisecond = 0;  ///< of a time; 0: a number
};
constexpr Metric kMetrics[] = {
    {"advmss", RTAX_ADVMSS},
    {"rtt", RTAX_RTT, 8},
    {"rttvar", RTAX_RTTVAR, 4},
    {"reordering", RTAX_REORDERING},
    {"cwnd", RTAX_CWND},
    {"ssthresh", RTAX_SSTHRESH},
    {"rto_min", RTAX_RTO_MIN, 1},
    {"hoplimit", RTAX_HOPLIMIT},
    {"window", RTAX_WINDOW},
    {"initcwnd", RTAX_INITCWND},
    {"initrwnd", RTAX_INITRWND},
    {"features", RTAX_FEATURES},
    {"quickack", RTAX_QUICKACK},
    {"congctl", RTAX_CC_ALGO},
    {"fastopen_no_cookie", RTAX_FASTOPEN_NO_COOKIE},
};

/// iproute2: a time without a unit is what the kernel counts in.
std::uint32_t time_of(std::string_view text, std::uint32_t per_millisecond) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  double value = 0;
  std::from_chars(text.data(), text.data() + end, value);
  const std::string_view unit = text.substr(end);
  if (unit.empty()) return static_cast<std::uint32_t>(value);
  const bool is_short = unit.front() == 'm' || unit.front() == 'M';
  return static_cast<std::uint32_t>(value * (is_short ? 1 : 1000) * per_millisecond);
}

using Metrics = std::map<std::uint16_t, AttributeBytes>;

bool add_metric(const LineOption& option, Metrics& metrics, std::uint32_t& locked) {
  const auto* known = std::find_if(std::begin(kMetrics), std::end(kMetrics),
                                   [&](const Metric& one) { return one.word == option.name; });
  if (known == std::end(kMetrics)) return false;
  const std::string& value = option.values.back();
  if (option.values.size() > 1) locked |= 1U << known->type;
  if (known->type == RTAX_CC_ALGO)
    metrics[known->type] = bytes_of(std::string_view(value));
  else if (known->type == RTAX_FEATURES)
    metrics[known->type] = bytes_of(std::uint32_t{RTAX_FEATURE_ECN});
  else
    metrics[known->type] = bytes_of(
        known->per_millisecond == 0 ? decimal(value) : time_of(value, known->per_millisecond));
  return true;
}

}  // namespace

std::uint32_t decimal(std::string_view text) {
  std::uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void set_metrics(const config::Route& written,
                 std::map<std::uint16_t, netlink::AttributeBytes>& attributes) {
  Metrics metrics;
  std::uint32_t locked = written.mtu_locked ? 1U << RTAX_MTU : 0;
  if (written.mtu) metrics[RTAX_MTU] = bytes_of(*written.mtu);
  for (const LineOption& option : written.others) add_metric(option, metrics, locked);
  if (locked != 0) metrics[RTAX_LOCK] = bytes_of(locked);
  if (!metrics.empty()) attributes[RTA_METRICS] = nested(metrics);
}

}  // namespace holdfast::vrrp
