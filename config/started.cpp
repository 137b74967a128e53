#include "config/started.hpp"

#include "config/schema/schema.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::config {

std::string why_not_started(const VrrpInstance& instance) {
  const Schema& schema = Schema::instance();
  for (const KeywordId id : schema.rows_of(Block::vrrp_instance)) {
    const Meaning& meaning = schema[id].meaning;
    if (meaning.rests == nullptr) continue;
    if (const std::string_view reason = meaning.rests(&instance); !reason.empty())
      return std::string(reason);
  }
  return {};
}

NotStarted not_started(const Model& model) {
  NotStarted reasons;
  for (const VrrpInstance& instance : model.instances)
    if (std::string reason = why_not_started(instance); !reason.empty())
      reasons.emplace(instance.name, std::move(reason));
  let_groups_rest(model, reasons);
  return reasons;
}

void let_groups_rest(const Model& model, NotStarted& reasons) {
  if (reasons.empty()) return;
  for (const SyncGroup& group : model.sync_groups) {
    const auto rests = [&](const std::string& name) { return reasons.contains(name); };
    const auto first = std::find_if(group.instances.begin(), group.instances.end(), rests);
    if (first == group.instances.end()) continue;
    const std::string reason =
        fmt::format("vrrp_instance '{}' of its vrrp_sync_group '{}' is not: {}", *first, group.name,
                    reasons.at(*first));
    for (const std::string& name : group.instances) reasons.emplace(name, reason);
  }
}

}  // namespace holdfast::config
