#include "vrrp/core/link_delays.hpp"

#include <utility>

namespace holdfast::vrrp {

void LinkDelays::follow(std::map<std::string, LinkDelay> delays) {
  delays_ = std::move(delays);
  std::erase_if(links_, [this](const auto& each) { return !delays_.contains(each.first); });
}

bool LinkDelays::settle(const std::string& link, bool up, core::Instant now) {
  const auto delay = delays_.find(link);
  if (delay == delays_.end()) return up;
  const auto [at, is_new] = links_.try_emplace(link, Link{.counts_as_up = up, .changes_at = {}});
  Link& known = at->second;
  if (up == known.counts_as_up) {
    known.changes_at.reset();
    return up;
  }
  if (!known.changes_at) known.changes_at = now + (up ? delay->second.up : delay->second.down);
  if (*known.changes_at > now) return known.counts_as_up;
  known = {.counts_as_up = up, .changes_at = {}};
  return up;
}

std::vector<std::string> LinkDelays::due(core::Instant now) const {
  std::vector<std::string> names;
  for (const auto& [name, link] : links_)
    if (link.changes_at && *link.changes_at <= now) names.push_back(name);
  return names;
}

std::optional<core::Instant> LinkDelays::deadline() const {
  std::optional<core::Instant> earliest;
  for (const auto& [name, link] : links_)
    if (link.changes_at && (!earliest || *link.changes_at < *earliest)) earliest = link.changes_at;
  return earliest;
}

}  // namespace holdfast::vrrp
