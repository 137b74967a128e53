#include "vrrp/questions.hpp"

#include "vrrp/status.hpp"

#include <algorithm>

namespace holdfast::vrrp {
namespace {

/// `explain group:NAME`.
constexpr std::string_view kGroupPrefix = "group:";

}  // namespace

boost::json::object explain_word(const std::string& word, const Router& router, const Past& past,
                                 const netlink::Firewall& firewall, core::Instant now) {
  const std::vector<GroupView> groups = router.groups(now);
  const Instance* instance = find_instance(router, word);
  const bool is_group = instance == nullptr && word.starts_with(kGroupPrefix);
  if (instance == nullptr) {
    const std::string name = is_group ? word.substr(kGroupPrefix.size()) : word;
    const auto group = std::ranges::find(groups, name, &GroupView::name);
    if (group != groups.end()) return explain_group(router, *group, past, now);
    return {{"error", is_group
                          ? fmt::format("there is no vrrp_sync_group '{}'", name)
                          : fmt::format("there is no vrrp_instance '{0}', and no vrrp_sync_group "
                                        "'{0}'",
                                        word)}};
  }
  const auto own =
      std::ranges::find(groups, instance->settings().sync_group.str(), &GroupView::name);
  boost::json::object told = explain(*instance, past, now, own == groups.end() ? nullptr : &*own);
  if (const std::size_t closed = firewall.claimed(instance->key()); closed != 0)
    told.emplace("closed", boost::json::array{
                               closed_text(closed, instance->holds_addresses(), firewall.state())});
  return told;
}

boost::json::object announce_again(const std::string& word, Runner& runner) {
  const Instance* instance = find_instance(runner.router(), word);
  if (instance == nullptr) return {{"error", fmt::format("there is no vrrp_instance '{}'", word)}};
  const auto announcement = instance->announcement();
  if (!announcement)
    return {{"error", fmt::format("{} is not master: it announces no address", word)}};
  runner.announce_again(*announcement);
  return {{"ok", true}};
}

}  // namespace holdfast::vrrp
