#include "config/compare/diff.hpp"

#include "config/compare/diff_fields.hpp"
#include "config/schema/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_map>

namespace holdfast::config {
namespace {

// What makes an object the same object in both models.
std::string key_of(const VrrpInstance& instance) {
  return fmt::format("{} {} {}", instance.place(), static_cast<int>(instance.family),
                     instance.virtual_router_id);
}
std::string key_of(const VirtualServer& service) {
  return name_of(service);
}
std::string key_of(const RealServer& server) {
  return core::Endpoint{server.address, server.port}.to_string();
}
std::string key_of(const GarpGroup& group) {
  return fmt::format("{}", fmt::join(group.interfaces, " "));
}
std::string key_of(const VirtualAddress& address) {
  return line_of(document_of(address));
}
std::string key_of(const Route& route) {
  return line_of(document_of(route));
}
std::string key_of(const Rule& rule) {
  return line_of(document_of(rule));
}
template <class Named>
std::string key_of(const Named& named) {
  return named.name;
}

// An object with all its values as words; what it inherits is a part of what it means.
Node words_of(const VrrpInstance& instance, const Model& in) {
  return document_of(instance, in.globals, Detail::all);
}
Node words_of(const SyncGroup& group, const Model& in) {
  return document_of(group, in.globals, Detail::all);
}
Node words_of(const TrackGroup& group, const Model&) {
  return document_of(group);
}
Node words_of(const GarpGroup& group, const Model&) {
  return document_of(group);
}
Node words_of(const VirtualServerGroup& group, const Model&) {
  return document_of(group);
}
Node words_of(const VirtualAddress& address, const Model&) {
  return document_of(address);
}
Node words_of(const Route& route, const Model&) {
  return document_of(route);
}
Node words_of(const Rule& rule, const Model&) {
  return document_of(rule);
}
// Without its servers, which are objects of their own, and without what their checkers inherit:
// they have it themselves.
Node words_of(const VirtualServer& service, const Model& in) {
  Node words = document_of(service, in.globals, Detail::all);
  std::erase_if(words.body, [](const Node& node) {
    constexpr std::array<std::string_view, 6> kOthers{
        "real_server", "retry", "delay_loop", "delay_before_retry", "connect_timeout", "warmup"};
    const std::string_view word = Schema::instance()[node.keyword].name;
    return !node.entry && std::find(kOthers.begin(), kOthers.end(), word) != kOthers.end();
  });
  return words;
}
template <class Tracker>
Node words_of(const Tracker& tracker, const Model&) {
  return document_of(tracker, Detail::all);
}

// What differs alike in all servers, taken from them: it is told once, of the service.
std::vector<FieldChange> take_common(std::vector<Change>& servers, std::size_t pairs) {
  std::vector<Change*> changed;
  for (Change& server : servers)
    if (server.kind == ChangeKind::changed) changed.push_back(&server);
  if (pairs < 2 || changed.size() != pairs) return {};
  std::vector<FieldChange> common;
  for (const FieldChange& field : changed.front()->fields) {
    if (std::all_of(changed.begin(), changed.end(), [&](const Change* server) {
          return std::find(server->fields.begin(), server->fields.end(), field) !=
                 server->fields.end();
        }))
      common.push_back(field);
  }
  if (common.empty()) return {};
  for (Change* server : changed)
    std::erase_if(server->fields, [&](const FieldChange& field) {
      return std::find(common.begin(), common.end(), field) != common.end();
    });
  std::erase_if(servers, [](const Change& server) {
    return server.kind == ChangeKind::changed && server.fields.empty();
  });
  return common;
}

template <class T>
std::string shown_name(const T& object) {
  return key_of(object);
}
std::string shown_name(const VrrpInstance& instance) {
  return instance.name;
}

// Keys of a list; the second object with a key gets another one, so that none is lost.
template <class T>
std::vector<std::string> keys_of(const std::vector<T>& list) {
  std::unordered_map<std::string, std::size_t> seen;
  seen.reserve(list.size());
  std::vector<std::string> keys;
  keys.reserve(list.size());
  for (const T& object : list) {
    std::string key = key_of(object);
    const std::size_t times = seen[key]++;
    if (times != 0) key += fmt::format("\n{}", times);
    keys.push_back(std::move(key));
  }
  return keys;
}

// Walks both lists: what only `before` has, then what `after` has, matched or new. Returns how many
// are in both.
template <class T, class Visit>
std::size_t match(const std::vector<T>& before, const std::vector<T>& after, const Visit& visit) {
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  const std::vector<std::string> old_keys = keys_of(before);
  std::unordered_map<std::string_view, std::size_t> old_index;
  old_index.reserve(before.size());
  for (std::size_t i = 0; i < before.size(); ++i) old_index.emplace(old_keys[i], i);
  std::vector<bool> matched(before.size(), false);
  std::vector<std::size_t> partner(after.size(), kNone);
  const std::vector<std::string> new_keys = keys_of(after);
  for (std::size_t j = 0; j < after.size(); ++j) {
    const auto found = old_index.find(new_keys[j]);
    if (found == old_index.end()) continue;
    partner[j] = found->second;
    matched[found->second] = true;
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (!matched[i]) visit(ChangeKind::removed, i, std::size_t{0});
  }
  for (std::size_t j = 0; j < after.size(); ++j) {
    if (partner[j] == kNone)
      visit(ChangeKind::added, std::size_t{0}, j);
    else if (!(before[partner[j]] == after[j]))
      visit(ChangeKind::changed, partner[j], j);
  }
  return static_cast<std::size_t>(std::count(matched.begin(), matched.end(), true));
}

class Comparison {
 public:
  Comparison(const Model& before, const Model& after) : before_(before), after_(after) {}

  std::vector<Change> run() {
    if (before_.globals != after_.globals)
      add_single(ObjectKind::globals, compare_documents(document_of(before_.globals, Detail::all),
                                                        document_of(after_.globals, Detail::all)));
    list(ObjectKind::garp_group, &Model::garp_groups);
    list(ObjectKind::script, &Model::scripts);
    list(ObjectKind::track_process, &Model::track_processes);
    list(ObjectKind::track_file, &Model::track_files);
    list(ObjectKind::bfd_instance, &Model::bfd_instances);
    list(ObjectKind::track_group, &Model::track_groups);
    list(ObjectKind::static_address, &Model::static_addresses);
    list(ObjectKind::static_route, &Model::static_routes);
    list(ObjectKind::static_rule, &Model::static_rules);
    list(ObjectKind::sync_group, &Model::sync_groups);
    list(ObjectKind::instance, &Model::instances);
    list(ObjectKind::service_group, &Model::service_groups);
    if (before_.tls != after_.tls)
      add_single(ObjectKind::tls, compare_nodes(document_of(before_.tls), document_of(after_.tls)));
    services();
    return std::move(changes_);
  }

 private:
  void add_single(ObjectKind object, std::vector<FieldChange> fields) {
    Change change;
    change.object = object;
    change.fields = std::move(fields);
    changes_.push_back(std::move(change));
  }

  template <class T>
  static Change change_of(ChangeKind kind, ObjectKind object, const std::vector<T>& before,
                          const std::vector<T>& after, std::size_t i, std::size_t j) {
    Change change;
    change.kind = kind;
    change.object = object;
    change.before = i;
    change.after = j;
    change.name = shown_name(kind == ChangeKind::removed ? before[i] : after[j]);
    return change;
  }

  template <class T>
  void list(ObjectKind object, std::vector<T> Model::*member) {
    const std::vector<T>& before = before_.*member;
    const std::vector<T>& after = after_.*member;
    match(before, after, [&](ChangeKind kind, std::size_t i, std::size_t j) {
      Change change = change_of(kind, object, before, after, i, j);
      if (kind == ChangeKind::changed)
        change.fields = compare_nodes(words_of(before[i], before_), words_of(after[j], after_));
      changes_.push_back(std::move(change));
    });
  }

  void services() {
    const auto& before = before_.services;
    const auto& after = after_.services;
    match(before, after, [&](ChangeKind kind, std::size_t i, std::size_t j) {
      Change change = change_of(kind, ObjectKind::service, before, after, i, j);
      if (kind != ChangeKind::changed) {
        changes_.push_back(std::move(change));
        return;
      }
      change.fields = compare_nodes(words_of(before[i], before_), words_of(after[j], after_));
      std::vector<Change> of_servers;
      const std::size_t pairs = servers(i, j, of_servers);
      for (FieldChange& field : take_common(of_servers, pairs))
        change.fields.push_back(std::move(field));
      if (!change.fields.empty() || of_servers.empty()) changes_.push_back(std::move(change));
      std::move(of_servers.begin(), of_servers.end(), std::back_inserter(changes_));
    });
  }

  // Returns how many servers both have.
  std::size_t servers(std::size_t service_before, std::size_t service_after,
                      std::vector<Change>& out) {
    const VirtualServer& old_service = before_.services[service_before];
    const VirtualServer& new_service = after_.services[service_after];
    const auto& before = old_service.real_servers;
    const auto& after = new_service.real_servers;
    return match(before, after, [&](ChangeKind kind, std::size_t i, std::size_t j) {
      Change change = change_of(kind, ObjectKind::server, before, after, i, j);
      change.service = name_of(new_service);
      change.service_before = service_before;
      change.service_after = service_after;
      if (kind == ChangeKind::changed)
        change.fields =
            compare_nodes(document_of(before[i], old_service, before_.globals, Detail::all),
                          document_of(after[j], new_service, after_.globals, Detail::all));
      out.push_back(std::move(change));
    });
  }

  const Model& before_;  // both borrowed: a comparison lives inside one function
  const Model& after_;
  std::vector<Change> changes_;
};

std::string_view word_of(ObjectKind object) {
  switch (object) {
    case ObjectKind::globals:
      return "global_defs";
    case ObjectKind::garp_group:
      return "garp_group";
    case ObjectKind::script:
      return "vrrp_script";
    case ObjectKind::track_process:
      return "vrrp_track_process";
    case ObjectKind::track_file:
      return "track_file";
    case ObjectKind::bfd_instance:
      return "bfd_instance";
    case ObjectKind::track_group:
      return "track_group";
    case ObjectKind::static_address:
      return "static_ipaddress";
    case ObjectKind::static_route:
      return "static_routes";
    case ObjectKind::static_rule:
      return "static_rules";
    case ObjectKind::sync_group:
      return "vrrp_sync_group";
    case ObjectKind::instance:
      return "vrrp_instance";
    case ObjectKind::service_group:
      return "virtual_server_group";
    case ObjectKind::tls:
      return "SSL";
    case ObjectKind::service:
      return "virtual_server";
    case ObjectKind::server:
      return "real_server";
  }
  return "";
}

}  // namespace

std::vector<Change> diff(const Model& before, const Model& after) {
  return Comparison(before, after).run();
}

std::string object_name(const Change& change) {
  std::string text;
  if (change.object == ObjectKind::server)
    text = fmt::format("{} {}: ", word_of(ObjectKind::service), change.service);
  text += word_of(change.object);
  if (!change.name.empty()) text += fmt::format(" {}", change.name);
  return text;
}

std::string describe(const FieldChange& field) {
  if (field.before == field.after) return field.field + " differs";
  if (field.before.empty()) return fmt::format("{} {} added", field.field, field.after);
  if (field.after.empty()) return fmt::format("{} {} removed", field.field, field.before);
  return fmt::format("{} {} → {}", field.field, field.before, field.after);
}

std::string describe(const Change& change) {
  std::string text;
  switch (change.kind) {
    case ChangeKind::added:
      text = "added";
      break;
    case ChangeKind::removed:
      text = "removed";
      break;
    case ChangeKind::changed:
      for (const FieldChange& field : change.fields)
        text += (text.empty() ? "" : "; ") + describe(field);
      break;
  }
  return fmt::format("{}: {}", object_name(change), text);
}

}  // namespace holdfast::config
