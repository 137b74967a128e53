// What rows of the table say about themselves is true: a word that acts changes what the wiring of
// its room tells the core, and any other word changes nothing that a core is told.
#include "checkers/wiring.hpp"
#include "config/accounts.hpp"
#include "config/compare/removal.hpp"
#include "config/load.hpp"
#include "config/toml/write.hpp"
#include "tests/support/schema_sample.hpp"
#include "vrrp/wiring.hpp"
#include "watchdog/io/wiring.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "legacy/dump_settings.hpp"
#include "scripts/correspondence.hpp"
#include <algorithm>
#include <functional>
#include <set>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

constexpr std::uint64_t kSamplesOfWordsThatAct = 8;
constexpr std::uint64_t kSamplesOfOthers = 3;

/// What all cores are told.
struct Told {
  vrrp::Wiring vrrp;
  checkers::Settings checkers;
  watchdog::Directives directives;
  scripts::Correspondence correspondence;
  watchdog::RoleSet roles;
  legacy::DumpSettings dumps;
  bool refuses = false;  ///< a reload that removes one service of several
};

std::uint32_t number_of(const std::string& name) {
  std::uint32_t number = 0;
  for (const char letter : name) number = number * 31 + static_cast<unsigned char>(letter);
  return number;
}

Told told_by(Model model) {
  // Nobody is looked up: each account has numbers of its own.
  for (const core::AccountName& name : accounts_named_in(model))
    model.accounts.push_back({.user = name.user,
                              .group = name.group,
                              .uid = number_of(name.user),
                              .gid = number_of(name.group),
                              .groups = {number_of(name.group), number_of(name.user)}});
  // A check that is not done yet has one consequence, which its notice names: nobody judges.
  checkers::Settings checkers = checkers::wiring_of(model);
  for (checkers::ServiceSettings& service : checkers.services)
    for (checkers::ServerSettings& server : service.servers) server.is_held = false;
  Model smaller = model;
  if (!smaller.services.empty()) smaller.services.erase(smaller.services.begin());
  return {.vrrp = vrrp::wiring_of(model),
          .checkers = std::move(checkers),
          .directives = watchdog::directives_of(model.globals),
          .correspondence = scripts::correspondence_of(
              model, {.host = "host", .run_dir = "/run", .bus_words = {"dbus"}}),
          .roles = watchdog::roles_of(model),
          .dumps = legacy::dump_settings_of(model),
          .refuses = !beyond_limit(model, smaller).empty()};
}

bool differ_in(Room room, const Told& one, const Told& other) {
  switch (room) {
    case Room::vrrp:
      return one.vrrp != other.vrrp;
    case Room::checkers:
      return one.checkers != other.checkers;
    case Room::scripts:
      return one.vrrp.scripts != other.vrrp.scripts || one.correspondence != other.correspondence;
    case Room::watchdog:
      return one.directives != other.directives || one.roles.bits() != other.roles.bits() ||
             one.refuses != other.refuses;
    case Room::legacy:
      return one.dumps != other.dumps;
    case Room::none:
    case Room::reader:
      return false;
  }
  return false;
}

bool differ_anywhere(const Told& one, const Told& other) {
  return differ_in(Room::vrrp, one, other) || differ_in(Room::checkers, one, other) ||
         differ_in(Room::scripts, one, other) || differ_in(Room::watchdog, one, other) ||
         differ_in(Room::legacy, one, other);
}

/// A configuration in both syntaxes.
struct Tried {
  Told keepalived;
  Told toml;
  std::size_t mistakes = 0;
  bool usable = false;
};

std::size_t mistakes_in(const Diagnostics& diagnostics) {
  return static_cast<std::size_t>(
      std::ranges::count_if(diagnostics.all(), [](const Diagnostic& one) {
        return one.severity == Severity::error || one.is_mistake_warning();
      }));
}

Tried try_out(const Document& document) {
  const Loaded keepalived = load_text(print_keepalived(document), "a.conf");
  const Loaded toml = load_text(print_toml(document), "a.toml");
  return {told_by(keepalived.model), told_by(toml.model), mistakes_in(keepalived.diagnostics),
          !keepalived.diagnostics.has_errors()};
}

// Words that only show beside others that the skeleton cannot have.
struct Scene {
  Block block;
  std::string_view word;
  std::string_view text;
  bool cures = false;  ///< Without the word it is a mistake.
};
constexpr std::string_view kWeighed =
    "vrrp_instance VI_9 {\n  interface eth9\n  virtual_router_id 59\n  track_interface {\n"
    "    eth1 weight 5\n  }\n  virtual_ipaddress {\n    192.168.5.9/24\n  }\n}\n"
    "vrrp_sync_group pair {\n  group {\n    VI_9\n  }\n}\n";
constexpr std::string_view kOwner =
    "vrrp_instance VI_9 {\n  interface eth9\n  priority 255\n  virtual_router_id 59\n"
    "  virtual_ipaddress {\n    192.168.5.9/24\n  }\n}\n";
constexpr std::string_view kUnicast =
    "vrrp_instance VI_9 {\n  interface eth9\n  virtual_router_id 59\n  unicast_peer {\n"
    "    192.168.5.2\n  }\n  virtual_ipaddress {\n    192.168.5.9/24\n  }\n}\n";
constexpr std::string_view kNoPeer =
    "vrrp_instance VI_9 {\n  interface eth9\n  virtual_router_id 59\n  unicast_ttl 64\n"
    "  virtual_ipaddress {\n    192.168.5.9/24\n  }\n}\n";
constexpr std::string_view kRouted =
    "vrrp_instance VI_9 {\n  virtual_router_id 59\n  unicast_src_ip 192.168.5.1\n"
    "  unicast_peer {\n    192.168.5.2\n  }\n"
    "  virtual_ipaddress {\n    192.168.5.9/24 dev eth9\n  }\n}\n";
constexpr std::string_view kSix =
    "vrrp_instance VI_9 {\n  interface eth9\n  virtual_router_id 59\n"
    "  virtual_ipaddress {\n    fe80::9/64\n  }\n}\n";
constexpr std::string_view kVmac =
    "vrrp_instance VI_9 {\n  interface eth9\n  virtual_router_id 59\n  use_vmac\n"
    "  virtual_ipaddress {\n    192.168.5.9/24\n  }\n}\n";
constexpr std::string_view kElsewhere =
    "vrrp_instance VI_9 {\n  interface eth9\n  virtual_router_id 59\n"
    "  virtual_ipaddress {\n    192.168.5.9/24 dev eth8\n  }\n}\n";
constexpr std::string_view kVmacElsewhere =
    "vrrp_instance VI_9 {\n  interface eth9\n  virtual_router_id 59\n"
    "  virtual_ipaddress {\n    192.168.5.9/24 dev eth8 use_vmac\n  }\n}\n";
constexpr std::string_view kNoPriority = "static_rules {\n  from 10.9.0.0/16 table 100\n}\n";
constexpr std::string_view kNoTable = "static_rules {\n  from 10.9.0.0/16 nop priority 5\n}\n";
constexpr std::string_view kDefaultRoute = "static_routes {\n  default dev eth0\n}\n";
constexpr std::string_view kNoFamily = "static_rules {\n  iif eth9 table 100 priority 5\n}\n";
constexpr std::string_view kPipes =
    "global_defs {\n  notify_fifo /run/a\n  vrrp_notify_fifo /run/b\n  lvs_notify_fifo /run/c\n}\n";
constexpr std::string_view kStrict =
    "vrrp_instance VI_9 {\n  interface eth9\n  virtual_router_id 59\n  version 3\n"
    "  strict_mode on\n  virtual_ipaddress {\n    192.168.5.9/24\n  }\n}\n";
constexpr std::string_view kHostScripts =
    "global_defs {\n  startup_script /bin/true\n  shutdown_script /bin/true\n}\n";
constexpr std::string_view kBus = "global_defs {\n  enable_dbus\n}\n";
/// Files that are not there are a finding, whatever the sample.
constexpr std::string_view kCertificate =
    "SSL {\n  certificate /nowhere/c.pem\n  key /nowhere/k.pem\n}\n"
    "virtual_server 192.168.1.203 443 {\n  protocol TCP\n  real_server 192.168.1.13 443 {\n"
    "    SSL_GET {\n      url {\n        path /\n      }\n    }\n  }\n}\n";
constexpr Scene kScenes[] = {
    {Block::root, "SSL", kCertificate},
    {Block::ssl, "certificate", kCertificate},
    {Block::ssl, "key", kCertificate},
    {Block::ssl, "ca", kCertificate},
    {Block::ssl, "password", kCertificate},
    {Block::vrrp_instance, "accept", kStrict, true},
    {Block::global_defs, "startup_script_timeout", kHostScripts},
    {Block::global_defs, "shutdown_script_timeout", kHostScripts},
    {Block::rule_list, "inet6", kNoFamily},
    {Block::rule_list, "priority", kNoPriority},
    {Block::rule_list, "preference", kNoPriority},
    {Block::rule_list, "order", kNoPriority},
    {Block::rule_list, "table", kNoTable},
    {Block::rule_list, "lookup", kNoTable},
    {Block::route_list, "inet6", kDefaultRoute},
    {Block::global_defs, "notify_fifo_script", kPipes},
    {Block::global_defs, "data_use_instance", "instance blue\n"},
    {Block::root, "instance", "global_defs {\n  data_use_instance\n}\n"},
    {Block::global_defs, "vrrp_notify_fifo_script", kPipes},
    {Block::global_defs, "lvs_notify_fifo_script", kPipes},
    {Block::global_defs, "fifo_write_vrrp_states_on_reload", kPipes},
    {Block::global_defs, "dbus_service_name", kBus},
    {Block::global_defs, "dbus_no_interface_name", kBus},
    {Block::global_defs, "vrrp_mcast_group6", kSix},
    {Block::global_defs, "vmac_prefix", kVmac},
    {Block::global_defs, "vmac_addr_prefix", kVmacElsewhere},
    {Block::vrrp_instance, "use_vmac_addr", kElsewhere},
    {Block::global_defs, "vrrp_garp_extra_if", kVmacElsewhere},
    {Block::global_defs, "vrrp_vmac_garp_intvl", kVmacElsewhere},
    {Block::vrrp_instance, "garp_extra_if", kVmacElsewhere},
    {Block::vrrp_instance, "vmac_garp_intvl", kVmacElsewhere},
    {Block::vrrp_instance, "vmac_xmit_base", kVmac},
    {Block::vmac_line, "netlink_notify_msg", kVmac},
    {Block::global_defs, "vrrp_check_unicast_src", kUnicast},
    {Block::vrrp_instance, "check_unicast_src", kUnicast},
    {Block::vrrp_instance, "unicast_ttl", kUnicast},
    {Block::vrrp_instance, "vrf", kRouted},
    {Block::vrrp_instance, "unicast_fault_no_peer", kNoPeer},
    {Block::peer_list, "min_ttl", kUnicast},
    {Block::peer_list, "max_ttl", kUnicast},
    {Block::global_defs, "default_interface",
     "vrrp_instance VI_9 {\n  virtual_router_id 59\n  virtual_ipaddress {\n    192.168.5.9/24\n"
     "  }\n}\n"},
    {Block::vrrp_sync_group, "sync_group_tracking_weight", kWeighed, true},
    {Block::global_defs, "vrrp_strict", kOwner},
    {Block::vrrp_instance, "strict_mode", kOwner},
    {Block::global_defs, "vrrp_version", kOwner},
    {Block::virtual_server, "persistence_engine",
     "virtual_server 192.168.1.202 5060 {\n  protocol UDP\n  persistence_timeout 50\n"
     "  real_server 192.168.1.12 5060 {\n  }\n}\n"},
};

const Scene* scene_of(const Keyword& row) {
  const auto* found = std::ranges::find_if(kScenes, [&](const Scene& scene) {
    return scene.block == row.block && scene.word == row.name;
  });
  return found == std::end(kScenes) ? nullptr : found;
}

Document stage_for(const Keyword& row) {
  const Scene* scene = scene_of(row);
  return scene == nullptr ? skeleton()
                          : document_from(fmt::format("global_defs {{\n}}\n{}", scene->text));
}

/// What the samples of one row, each compared with the others at its place, have shown.
struct Shown {
  bool keepalived = false;
  bool toml = false;
  bool elsewhere = false;  ///< in a room that is not the row's
  std::size_t sound = 0;

  void compare(Room room, const Tried& one, const Tried& other) {
    keepalived = keepalived || differ_in(room, one.keepalived, other.keepalived);
    toml = toml || differ_in(room, one.toml, other.toml);
    elsewhere = elsewhere || differ_anywhere(one.keepalived, other.keepalived) ||
                differ_anywhere(one.toml, other.toml);
  }
};

Shown show_word(KeywordId id) {
  const Schema& schema = Schema::instance();
  const Keyword& row = schema[id];
  const Document stage = stage_for(row);
  const Tried plain = try_out(stage);
  const bool cures = scene_of(row) != nullptr && scene_of(row)->cures;
  std::vector<Tried> first;  // of each place
  Shown shown;
  const std::uint64_t samples = schema.acts(id) ? kSamplesOfWordsThatAct : kSamplesOfOthers;
  for (std::uint64_t number = 0; number < samples; ++number) {
    for (const Document& document : with_word(id, legal_args(row, number), stage)) {
      const Tried tried = try_out(document);
      if (tried.mistakes > plain.mistakes) continue;
      ++shown.sound;
      // Where the stage lacks what the word is about, samples are compared with each other.
      if (tried.mistakes == plain.mistakes || cures) shown.compare(row.room, plain, tried);
      if (!first.empty()) shown.compare(row.room, first.front(), tried);
      if (tried.mistakes < plain.mistakes) first.push_back(tried);
    }
    if (schema.acts(id) && shown.keepalived && shown.toml) break;
  }
  return shown;
}

void remove_blocks(std::vector<Node>& nodes, KeywordId id, std::optional<Node>& sample) {
  for (const Node& node : nodes)
    if (!node.entry && node.keyword == id && !sample) sample = node;
  std::erase_if(nodes, [&](const Node& node) { return !node.entry && node.keyword == id; });
  for (Node& node : nodes) remove_blocks(node.body, id, sample);
}

std::size_t add_block(std::vector<Node>& nodes, Block block, const Node& sample, std::size_t at) {
  std::size_t places = 0;
  for (Node& node : nodes) {
    if (node.entry || !Schema::instance()[node.keyword].opens) continue;
    if (Schema::instance()[node.keyword].opens == block && places++ == at)
      node.body.push_back(sample);
    places += add_block(node.body, block, sample, at - places);
  }
  return places;
}

void rename_blocks(std::vector<Node>& nodes, KeywordId from, KeywordId to) {
  for (Node& node : nodes) {
    if (!node.entry && node.keyword == from) node.keyword = to;
    rename_blocks(node.body, from, to);
  }
}

// A word with a block: all of them are taken away, then one stands where none has stood. The
// skeleton has them by their newest name.
Shown show_block(KeywordId id) {
  const Keyword& row = Schema::instance()[id];
  Document with = skeleton();
  rename_blocks(with, Schema::instance().canonical(id), id);
  const Tried plain = try_out(with);
  Document without = with;
  std::optional<Node> sample;
  remove_blocks(without, id, sample);
  Shown shown;
  if (!sample) return shown;
  const Tried bare = try_out(without);
  // What a mistake beside it takes away (weights of a group's members) is not this word's doing.
  if (bare.usable && plain.mistakes <= bare.mistakes) shown.compare(row.room, plain, bare);
  Document copy = without;
  const std::size_t places = add_block(copy, row.block, *sample, SIZE_MAX);
  for (std::size_t at = 0; at < places; ++at) {
    copy = without;
    add_block(copy, row.block, *sample, at);
    const Tried tried = try_out(copy);
    ++shown.sound;
    if (tried.mistakes <= bare.mistakes) shown.compare(row.room, bare, tried);
  }
  return shown;
}

std::string_view name_of(Room room) {
  constexpr std::string_view kNames[] = {"no room", "the reader",   "vrrp",     "checkers",
                                         "scripts", "the watchdog", "the dumps"};
  return kNames[static_cast<std::size_t>(room)];
}

// The word's own statement takes the place of WORD.
struct ReaderScene {
  std::string_view word;
  std::string_view statement;
  std::string_view text;
};
constexpr ReaderScene kReaderScenes[] = {
    {"random_seed", "random_seed 7",
     "global_defs {\nWORD\n}\nvrrp_instance V {\ninterface eth0\nvirtual_router_id ${_RANDOM 1 "
     "255}\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n"},
    {"include_check", "include_check",
     "global_defs {\nWORD\n}\ninclude /nowhere/*.conf\nvrrp_instance V {\ninterface eth0\n"
     "virtual_router_id 1\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n"},
    {"glob_strict", "glob_strict",
     "global_defs {\nWORD\n}\ninclude /nowhere/*.conf\nvrrp_instance V {\ninterface eth0\n"
     "virtual_router_id 1\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n"},
    {"no_virtual_ipaddress", "no_virtual_ipaddress",
     "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nWORD\n}\n"},
};

// What the reader makes of a text but for the statement itself: the model as the cores see it, and
// the findings.
bool changes_the_reading(const ReaderScene& scene) {
  const auto read = [&](std::string_view statement) {
    std::string text(scene.text);
    text.replace(text.find("WORD"), 4, statement);
    return load_text(text, "a.conf");
  };
  const Loaded with = read(scene.statement);
  const Loaded without = read("");
  return differ_anywhere(told_by(with.model), told_by(without.model)) ||
         mistakes_in(with.diagnostics) != mistakes_in(without.diagnostics) ||
         with.diagnostics.errors() != without.diagnostics.errors();
}

}  // namespace

TEST_CASE("truth: every row that acts changes what its room is told, and no other row does") {
  const Schema& schema = Schema::instance();
  std::size_t acting = 0;
  for (std::size_t i = 0; i < schema.all().size(); ++i) {
    const auto id = static_cast<KeywordId>(i);
    const Keyword& row = schema[id];
    const std::string name =
        fmt::format("{} in {}", row.name, holdfast::config::name_of(row.block));
    if (row.room == Room::reader) continue;
    const Shown shown = row.opens ? show_block(id) : show_word(id);
    if (!schema.acts(id)) {
      if (shown.elsewhere) FAIL_CHECK(name, " is said to have no effect, but changes what is told");
      continue;
    }
    ++acting;
    CHECK_MESSAGE(row.room != Room::none, name, " acts, but does not say where");
    if (!shown.keepalived)
      FAIL_CHECK(name, " is said to act in ", name_of(row.room), ", but none of ", shown.sound,
                 " samples without a mistake changes what is told there");
    else if (!shown.toml)
      FAIL_CHECK(name, " acts, but not when it is written in TOML");
  }
  fmt::print("truth: {} of {} rows act\n", acting, schema.all().size());
  CHECK(acting > 100);
}

TEST_CASE("truth: every word for the reader changes what is read or found") {
  const Schema& schema = Schema::instance();
  for (const Keyword& row : schema.all()) {
    if (row.room != Room::reader) continue;
    const auto* scene = std::ranges::find(kReaderScenes, row.name, &ReaderScene::word);
    if (scene == std::end(kReaderScenes))
      FAIL_CHECK(row.name, " is for the reader, but no scene shows it");
    else
      CHECK_MESSAGE(changes_the_reading(*scene), row.name, " changes nothing");
  }
}

// Whether some object has a word of global_defs where it has none of its own.
bool is_inherited(KeywordId id) {
  const Document stage = stage_for(Schema::instance()[id]);
  const auto objects_of = [](const Document& document) {
    Model model = load_text(print_keepalived(document), "a.conf").model;
    model.globals = {};
    return model;
  };
  const Model plain = objects_of(stage);
  for (std::uint64_t number = 0; number < kSamplesOfWordsThatAct; ++number)
    for (const Document& tried : with_word(id, legal_args(Schema::instance()[id], number), stage))
      if (objects_of(tried) != plain) return true;
  return false;
}

TEST_CASE("truth: a word of global_defs that is said to be a default reaches an object") {
  const Schema& schema = Schema::instance();
  std::set<std::string_view> defaults;
  for (const Keyword& row : schema.all()) {
    if (row.block == Block::global_defs) {
      if (row.doc.starts_with("default of ")) defaults.insert(row.name);
    } else if (!row.fallback.empty()) {
      const std::string_view name = row.fallback.substr(0, row.fallback.find(' '));
      if (schema.find(Block::global_defs, name)) defaults.insert(name);
    }
  }
  // Asked for where the script or the check is translated, not copied into each.
  for (const std::string_view name : {"script_user", "smtp_helo_name"})
    CHECK(defaults.erase(name) == 1);
  for (const std::string_view name : defaults) {
    INFO(name);
    CHECK(is_inherited(*schema.find(Block::global_defs, name)));
  }
  CHECK(defaults.size() > 20);
}
