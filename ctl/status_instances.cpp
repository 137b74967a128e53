#include "ctl/json_view.hpp"
#include "ctl/status.hpp"

#include <fmt/format.h>

namespace holdfast::ctl {
namespace {

Paint paint_of(const std::string& state) {
  if (state == "MASTER") return Paint::good;
  if (state == "FAULT") return Paint::bad;
  return state == "BACKUP" ? Paint::plain : Paint::warn;
}

/// "150" or "100 (150 configured)" when tracking moved it.
std::string priority_text(const object& instance) {
  const std::string configured = text(instance, "priority");
  const std::string effective = text(instance, "effective_priority");
  if (effective.empty() || effective == configured) return configured;
  return fmt::format("{} ({} configured)", effective, configured);
}

std::string master_text(const object& instance) {
  if (text(instance, "state") == "MASTER") return "this director";
  const object* master = find_object(instance, "master");
  if (master == nullptr) return "none heard";
  std::string words = text(*master, "address");
  if (find(*master, "priority") != nullptr) words += " prio " + text(*master, "priority");
  if (const auto heard = number(*master, "heard_ms")) {
    words += fmt::format(", heard {} ago", duration_text(*heard));
  }
  return words;
}

/// What it tracks, in one line: the sum stands beside the priority in `explain`.
std::string trackers_text(const object& instance) {
  std::string words;
  for (const value& each : find_list(instance, "trackers")) {
    const object* tracker = each.if_object();
    if (tracker != nullptr) words += (words.empty() ? "" : ", ") + tracker_text(*tracker);
  }
  return words;
}

std::string address_line(const object& address, bool is_master, const TextOptions& options) {
  const bool held = flag(address, "held");
  // Held while master and absent otherwise is right; the two other cases need attention.
  const Paint paint = held == is_master ? (held ? Paint::good : Paint::dim) : Paint::bad;
  std::string words = text(address, "address") + " on " + text(address, "interface");
  const std::string label = text(address, "label");
  if (!label.empty() && label != text(address, "interface")) words += " (" + label + ")";
  if (flag(address, "foreign")) words += ", not put there by this director";
  if (held) return painted("✓", paint, options.colours) + " " + words;
  if (is_master && flag(address, "let_go"))
    return painted("·", Paint::dim, options.colours) + " " + words +
           ", taken away by somebody (no_track)";
  return painted(is_master ? "✗ missing" : "·", paint, options.colours) + " " + words;
}

std::vector<std::string> lines_below(const object& instance, const TextOptions& options) {
  std::vector<std::string> lines;
  const std::string why = text(instance, "why");
  if (!why.empty()) lines.push_back(painted("why: " + why, Paint::dim, options.colours));
  const std::string trackers = trackers_text(instance);
  if (!trackers.empty())
    lines.push_back(painted("tracks: " + trackers, Paint::dim, options.colours));
  for (const value& fault : find_list(instance, "faults")) {
    if (fault.is_string()) {
      lines.push_back(painted("fault: " + std::string(fault.get_string().c_str()), Paint::bad,
                              options.colours));
    }
  }
  for (const value& trouble : find_list(instance, "troubles")) {
    if (trouble.is_string()) {
      lines.push_back(painted("trouble: " + std::string(trouble.get_string().c_str()), Paint::warn,
                              options.colours));
    }
  }
  const bool is_master = text(instance, "state") == "MASTER";
  for (const value& address : find_list(instance, "addresses")) {
    if (const object* entry = address.if_object()) {
      lines.push_back(address_line(*entry, is_master, options));
    }
  }
  return lines;
}

std::string render_groups(const object& vrrp, const TextOptions& options) {
  const array& groups = find_list(vrrp, "sync_groups");
  if (groups.empty()) return {};
  TextTable table({{"name"}, {"state"}, {"for"}, {"members"}});
  for (const value& entry : groups) {
    const object* group = entry.if_object();
    if (group == nullptr) continue;
    const std::string state = text(*group, "state");
    const auto since = number(*group, "since_ms");
    std::vector<std::string> below;
    if (const std::string why = text(*group, "why"); !why.empty())
      below.push_back(painted("why: " + why, Paint::dim, options.colours));
    if (const std::string missing = names_in(*group, "waits_for"); !missing.empty())
      below.push_back(painted("the others could be master: it waits for " + missing, Paint::warn,
                              options.colours));
    table.add({{text(*group, "name"), Paint::bold},
               {state, paint_of(state)},
               {since ? duration_text(*since) : ""},
               {names_in(*group, "members")}},
              below);
  }
  return "\n" + painted("Sync groups", Paint::bold, options.colours) + "\n" +
         table.render(2, options.colours);
}

/// Only how many there are, and what is wrong.
std::string render_statics(const object& vrrp, const TextOptions& options) {
  const object* statics = find_object(vrrp, "static");
  if (statics == nullptr) return {};
  std::size_t all = 0;
  std::size_t held = 0;
  for (const std::string_view kind : {"addresses", "routes"}) {
    for (const value& each : find_list(*statics, kind)) {
      const object* entry = each.if_object();
      ++all;
      if (entry != nullptr && flag(*entry, "held")) ++held;
    }
  }
  std::string page =
      "\n" + painted("Static", Paint::bold, options.colours) +
      fmt::format("\n  {} of {} addresses, routes and rules are in place\n", held, all);
  for (const value& trouble : find_list(*statics, "troubles"))
    if (trouble.is_string())
      page += "  " +
              painted("trouble: " + std::string(trouble.get_string().c_str()), Paint::warn,
                      options.colours) +
              "\n";
  return page;
}

}  // namespace

std::string names_in(const object& from, std::string_view key) {
  std::string names;
  for (const value& each : find_list(from, key))
    if (each.is_string()) names += (names.empty() ? "" : ", ") + std::string(each.as_string());
  return names;
}

std::string tracker_text(const object& tracker) {
  const std::int64_t adds = number(tracker, "adds").value_or(0);
  return text(tracker, "text") + (adds == 0 ? "" : fmt::format(" ({:+})", adds));
}

// Peers that the kernel's routes lead to.
std::string way_of(const object& instance) {
  const std::string interface = text(instance, "interface");
  return interface.empty() ? "(routes)" : interface;
}

std::string render_instances(const object& vrrp, const TextOptions& options) {
  const array& instances = find_list(vrrp, "instances");
  std::string heading = painted("Instances", Paint::bold, options.colours) + "\n";
  if (instances.empty()) return heading + "  none configured\n" + render_statics(vrrp, options);
  TextTable table({{"name"},
                   {"interface"},
                   {"vrid", Align::right},
                   {"state"},
                   {"for"},
                   {"priority"},
                   {"master"}});
  for (const value& entry : instances) {
    const object* instance = entry.if_object();
    if (instance == nullptr) continue;
    const std::string state = text(*instance, "state");
    const auto since = number(*instance, "since_ms");
    table.add({{text(*instance, "name"), Paint::bold},
               {way_of(*instance)},
               {text(*instance, "vrid")},
               {state, paint_of(state)},
               {since ? duration_text(*since) : ""},
               {priority_text(*instance)},
               {master_text(*instance)}},
              lines_below(*instance, options));
  }
  return heading + table.render(2, options.colours) + render_groups(vrrp, options) +
         render_statics(vrrp, options);
}

}  // namespace holdfast::ctl
