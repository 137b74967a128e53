// Names that one object gives another: instances of groups, and what is tracked. The order of the
// blocks never matters, so this comes after all of them.
#include "config/words/tracking.hpp"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

namespace holdfast::config {
namespace {

// As they are written, so that an object with an error of its own is not missed a second time.
using Names = std::unordered_set<std::string_view>;

Names names_of(const Trees& trees, std::string_view block) {
  const Schema& schema = Schema::instance();
  const KeywordId wanted = *schema.find(Block::root, block);
  Names names;
  for (const Tree& tree : trees) {
    for (std::uint32_t at = tree.first; at != kNoStatement; at = tree.statements[at].next) {
      const Statement& statement = tree.statements[at];
      if (schema.canonical(statement.keyword) != wanted || statement.word_count == 0) continue;
      names.insert(tree.args(statement).front().text);
    }
  }
  return names;
}

template <class T>
std::unordered_set<std::string_view> loaded_names(const std::vector<T>& objects) {
  std::unordered_set<std::string_view> names;
  for (const T& object : objects) names.insert(object.name);
  return names;
}

std::string nearest(const std::string& name, const Names& names) {
  const std::vector<std::string_view> words(names.begin(), names.end());
  const std::string_view near = nearest_word(name, words);
  return near.empty() ? std::string() : fmt::format("did you mean '{}'?", near);
}

class Resolver {
 public:
  explicit Resolver(BuildContext& context)
      : context_(context),
        model_(context.model),
        scripts_{"vrrp_script", loaded_names(model_.scripts), {}},
        files_{"track_file", loaded_names(model_.track_files), {}},
        processes_{"vrrp_track_process", loaded_names(model_.track_processes), {}},
        bfd_{"bfd_instance", loaded_names(model_.bfd_instances), {}} {}

  void run() {
    for (VrrpInstance& instance : model_.instances) resolve(instance.tracking);
    for (SyncGroup& group : model_.sync_groups) resolve(group.tracking);
    drop_unknown_members();
    drop_second_memberships();
    drop_empty_groups();
  }

 private:
  struct Kind {
    std::string_view block;
    Names loaded;
    std::optional<Names> written;  // looked up when something is missing: seldom
  };

  void resolve(Tracking& tracking) {
    resolve(tracking.scripts, scripts_);
    resolve(tracking.files, files_);
    resolve(tracking.processes, processes_);
    resolve(tracking.bfd, bfd_);
  }

  void resolve(std::vector<Tracked>& list, Kind& kind) {
    std::erase_if(list, [&](const Tracked& tracked) {
      if (kind.loaded.contains(tracked.name)) return false;
      if (!kind.written) kind.written = names_of(context_.trees, kind.block);
      if (!kind.written->contains(tracked.name)) {
        context_.reporter.at(
            Severity::warning, tracked.location,
            fmt::format("there is no {} '{}': this line is ignored", kind.block, tracked.name),
            nearest(tracked.name, *kind.written));
      }
      return true;
    });
  }

  // Groups name instances that may have been left out for an error: such a name stays.
  template <class Group>
  void drop_unknown_members(std::vector<Group>& groups, std::string_view block) {
    for (Group& group : groups) {
      std::erase_if(group.instances, [&](const std::string& name) {
        if (instances_.contains(name)) return false;
        context_.reporter.at(Severity::warning, group.location,
                             fmt::format("{} '{}' names the instance '{}', which is not there",
                                         block, group.name, name),
                             nearest(name, instances_));
        return true;
      });
    }
  }

  void drop_unknown_members() {
    if (model_.sync_groups.empty() && model_.track_groups.empty()) return;
    instances_ = names_of(context_.trees, "vrrp_instance");
    drop_unknown_members(model_.sync_groups, "vrrp_sync_group");
    drop_unknown_members(model_.track_groups, "track_group");
  }

  // An instance changes state with one group only; keepalived: the first one counts.
  void drop_second_memberships() {
    std::unordered_map<std::string, std::string> group_of;
    for (SyncGroup& group : model_.sync_groups) {
      std::erase_if(group.instances, [&](const std::string& name) {
        const auto [first, is_new] = group_of.emplace(name, group.name);
        if (is_new) return false;
        context_.reporter.at(Severity::warning, group.location,
                             fmt::format("the instance '{}' is in vrrp_sync_group '{}' already: it "
                                         "stays there",
                                         name, first->second),
                             fmt::format("remove it from '{}'", group.name));
        return true;
      });
    }
  }

  void drop_empty_groups() {
    std::erase_if(model_.sync_groups, [&](const SyncGroup& group) {
      if (!group.instances.empty()) return false;
      context_.reporter.at(
          Severity::warning, group.location,
          fmt::format("vrrp_sync_group '{}' has no instance and is left out", group.name));
      return true;
    });
  }

  BuildContext& context_;
  Model& model_;
  Names instances_;
  Kind scripts_;
  Kind files_;
  Kind processes_;
  Kind bfd_;
};

}  // namespace

void resolve_names(BuildContext& context) {
  Resolver(context).run();
}

}  // namespace holdfast::config
