// Trackers that nobody names, checkers that name nothing, times that do not fit. What track_*
// blocks name is resolved where the objects are built.
#include "config/text.hpp"
#include "config/validate/parts.hpp"

#include <fmt/format.h>

#include <unordered_set>

namespace holdfast::config::validation {
namespace {

using Names = std::unordered_set<std::string_view>;

template <class T>
Names names_of(const std::vector<T>& list) {
  Names names;
  names.reserve(list.size());
  for (const T& one : list) names.insert(one.name);
  return names;
}

// The names of one kind of tracker, and those that somebody names.
struct Kind {
  std::string_view list_word;    // "track_script"
  std::string_view object_word;  // "vrrp_script"
  Names defined;
  Names used = {};
};

std::string near(std::string_view word, const Names& names) {
  const std::string_view found =
      nearest_word(word, std::vector<std::string_view>(names.begin(), names.end()));
  return found.empty() ? "" : fmt::format("did you mean '{}'?", found);
}

void use(const std::vector<Tracked>& list, Kind& kind) {
  for (const Tracked& one : list) {
    const auto found = kind.defined.find(one.name);
    if (found != kind.defined.end()) kind.used.insert(*found);
  }
}

struct Kinds {
  Kind scripts;
  Kind files;
  Kind processes;
  Kind bfd;
};

void use(const Tracking& tracking, Kinds& kinds) {
  use(tracking.scripts, kinds.scripts);
  use(tracking.files, kinds.files);
  use(tracking.processes, kinds.processes);
  use(tracking.bfd, kinds.bfd);
}

// Checkers may name files and BFD sessions, too. Without its subject a checker says nothing.
void check_checkers(const Context& context, Kinds& kinds) {
  for (VirtualServer& service : context.model.services) {
    for (RealServer& server : service.real_servers) {
      std::vector<bool> remove(server.checks.size(), false);
      bool found = false;
      for (std::size_t i = 0; i < server.checks.size(); ++i) {
        const auto* file = std::get_if<FileCheck>(&server.checks[i]);
        const auto* bfd = std::get_if<BfdCheck>(&server.checks[i]);
        if (file == nullptr && bfd == nullptr) continue;
        Kind& kind = file != nullptr ? kinds.files : kinds.bfd;
        const std::string& name = file != nullptr ? file->track_file : bfd->name;
        const auto defined = kind.defined.find(name);
        if (defined != kind.defined.end()) {
          kind.used.insert(*defined);
          continue;
        }
        remove[i] = found = true;
        std::string help = near(name, kind.defined);
        if (help.empty()) help = fmt::format("add a block '{} {}'", kind.object_word, name);
        context.warn(
            file != nullptr ? file->location : bfd->location,
            fmt::format("there is no {} '{}': this checker is left out", kind.object_word, name),
            std::move(help));
      }
      if (found) remove_flagged(server.checks, remove);
    }
  }
}

template <class T>
void note_unused(const Context& context, const std::vector<T>& list, const Kind& kind) {
  Few unused(context, Severity::note);
  for (const T& one : list) {
    if (kind.used.contains(one.name)) continue;
    unused.add(one.location, fmt::format("{} '{}' is used by nobody", kind.object_word, one.name),
               fmt::format("name it in a '{}', or remove it", kind.list_word));
  }
  unused.finish();
}

void check_script_times(const Context& context) {
  for (const VrrpScript& script : context.model.scripts) {
    if (script.timeout <= script.interval) continue;
    context.note(
        script.location,
        fmt::format("vrrp_script '{}' may run for {} s, but is due every {} s: no second "
                    "run starts while one lasts",
                    script.name, seconds_text(script.timeout), seconds_text(script.interval)),
        "a 'timeout' of at most 'interval' finds a hanging script sooner");
  }
}

// Its own interface is always tracked, unless dont_track_primary says otherwise.
void drop_own_interface(const Context& context, VrrpInstance& instance) {
  std::vector<Tracked>& list = instance.tracking.interfaces;
  std::vector<bool> remove(list.size(), false);
  bool found = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].name != instance.interface || instance.dont_track_primary) continue;
    remove[i] = found = true;
    const bool weighted = list[i].weight.value_or(0) != 0;
    context.reporter.at(
        weighted ? Severity::warning : Severity::note, list[i].location,
        fmt::format("{} is the interface of vrrp_instance '{}' and tracked anyway{}", list[i].name,
                    instance.name, weighted ? ": its weight has no effect" : ""),
        "remove it here");
  }
  if (found) remove_flagged(list, remove);
}

}  // namespace

void check_tracking(const Context& context) {
  Model& model = context.model;
  Kinds kinds{{"track_script", "vrrp_script", names_of(model.scripts)},
              {"track_file", "track_file", names_of(model.track_files)},
              {"track_process", "vrrp_track_process", names_of(model.track_processes)},
              {"track_bfd", "bfd_instance", names_of(model.bfd_instances)}};
  for (VrrpInstance& instance : model.instances) {
    use(instance.tracking, kinds);
    drop_own_interface(context, instance);
  }
  for (const SyncGroup& group : model.sync_groups) use(group.tracking, kinds);
  if (!model.track_files.empty() || !model.bfd_instances.empty() || !model.services.empty())
    check_checkers(context, kinds);
  note_unused(context, model.scripts, kinds.scripts);
  note_unused(context, model.track_files, kinds.files);
  note_unused(context, model.track_processes, kinds.processes);
  note_unused(context, model.bfd_instances, kinds.bfd);
  check_script_times(context);
}

}  // namespace holdfast::config::validation
