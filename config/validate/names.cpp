// One name for two objects. keepalived drops the second one of most kinds, silently or in one line,
// and goes on: so do we, and say which.
#include "config/validate/parts.hpp"

#include <fmt/format.h>

namespace holdfast::config::validation {
namespace {

template <class T>
void drop_second(const Context& context, std::vector<T>& list, std::string_view word) {
  if (list.size() < 2) return;
  std::unordered_map<std::string_view, SourceLocation> seen;
  seen.reserve(list.size());
  std::vector<bool> remove(list.size(), false);
  bool found = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto [first, is_new] = seen.emplace(list[i].name, list[i].location);
    if (is_new) continue;
    remove[i] = true;
    found = true;
    context.warn(list[i].location,
                 fmt::format("a second {} '{}' (the first is on {}): this one is left out", word,
                             list[i].name, context.line_of(first->second)),
                 "give it a name of its own, or put both into one block");
  }
  if (found) remove_flagged(list, remove);
}

}  // namespace

void check_names(const Context& context) {
  Model& model = context.model;
  drop_second(context, model.instances, "vrrp_instance");
  drop_second(context, model.sync_groups, "vrrp_sync_group");
  drop_second(context, model.scripts, "vrrp_script");
  drop_second(context, model.track_processes, "vrrp_track_process");
  drop_second(context, model.track_files, "track_file");
  drop_second(context, model.bfd_instances, "bfd_instance");
  drop_second(context, model.track_groups, "track_group");
  drop_second(context, model.service_groups, "virtual_server_group");
}

}  // namespace holdfast::config::validation
