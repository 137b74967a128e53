// global_defs: what instances and services inherit, the announcements, IPVS; and how the blocks of
// global_defs become one value.
#include "config/builders/mail_words.hpp"
#include "config/words/extra_garp.hpp"
#include "config/words/meaning.hpp"
#include "config/words/notices.hpp"

#include <fmt/format.h>

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::int64_t kManyTimes = 1'000'000;
constexpr std::int64_t kAny16 = 65'535;

// global_defs may be written in several blocks; what depends on two words is settled when all of
// them are read.
struct Draft : Globals {
  using Object = Globals;

  std::optional<core::Duration> master_delay;
  std::optional<std::uint32_t> master_repeat;
  std::optional<core::Duration> lower_prio_delay;
  std::optional<std::uint32_t> lower_prio_repeat;
  bool min_garp = false;
};

void read_master_delay(Draft& draft, const Args& args) {
  draft.master_delay = args.duration(0);
}
void read_master_repeat(Draft& draft, const Args& args) {
  draft.master_repeat = at_least_once(args);
}
void read_lower_prio_delay(Draft& draft, const Args& args) {
  draft.lower_prio_delay = args.duration(0);
}
void read_lower_prio_repeat(Draft& draft, const Args& args) {
  draft.lower_prio_repeat = args.as<std::uint32_t>(0);
}
void read_min_garp(Draft& draft, const Args& args) {
  draft.min_garp = args.flag();
}
void read_refresh_repeat(Globals& globals, const Args& args) {
  globals.garp.master_refresh_repeat = at_least_once(args);
}

void read_extra(Globals& globals, const Args& args) {
  read_extra_announcements(globals.garp, args);
}
void write_extra(const Globals& globals, Writer& out) {
  write_extra_announcements(globals.garp, {}, "vrrp_garp_extra_if", out);
}

void read_dynamic_interfaces(Globals& globals, const Args& args) {
  globals.dynamic_interfaces =
      args.has(0) ? DynamicInterfaces::allow_if_changes : DynamicInterfaces::yes;
}
void write_dynamic_interfaces(const Globals& globals, Writer& out) {
  if (globals.dynamic_interfaces == DynamicInterfaces::yes) out.statement("dynamic_interfaces", {});
  if (globals.dynamic_interfaces == DynamicInterfaces::allow_if_changes)
    out.statement("dynamic_interfaces", {"allow_if_changes"});
}

template <core::IpAddress Globals::*kGroup>
void read_group(Globals& globals, const Args& args) {
  if (gives_group(args)) globals.*kGroup = args.value(0).address;
}

void read_nftables(Globals& globals, const Args& args) {
  globals.nftables = args.has(0) ? args.text(0) : "";
}

void read_flush_on_stop(Globals& globals, const Args& args) {
  globals.lvs_flush_on_stop = true;
  globals.lvs_flush_on_stop_own = args.has(0);
}
void write_flush_on_stop(const Globals& globals, Writer& out) {
  if (!globals.lvs_flush_on_stop) return;
  out.statement("lvs_flush_on_stop", globals.lvs_flush_on_stop_own ? std::vector<std::string>{"VS"}
                                                                   : std::vector<std::string>{});
}

void read_switches(Globals& globals, const Args& args) {
  read_body(args, globals.lvs_sysctl.ensure());
}
void write_switches(const Globals& globals, Writer& out) {
  if (!globals.lvs_sysctl) return;
  Writer body = body_of(out.block("lvs_sysctl"), out.detail());
  write_words(Block::lvs_sysctl, *globals.lvs_sysctl, LvsSysctl{}, body);
}

void read_sync_group(SyncDaemon& daemon, const Args& args) {
  if (gives_group(args)) daemon.group = args.value(0).address;
}

// IF [inst] INSTANCE [OPTION …]; before there were options: IF INSTANCE [ID].
void read_sync_daemon(Globals& globals, const Args& args) {
  Reporter& reporter = args.context().reporter;
  if (globals.lvs_sync_daemon) {
    reporter.warning(args.statement().range,
                     "'lvs_sync_daemon' is given more than once; the first one counts");
    return;
  }
  SyncDaemon daemon;
  daemon.interface = args.text(0);
  std::span<const Word> words = args.context().tree.args(args.statement()).subspan(1);
  const Schema& schema = Schema::instance();
  if (!words.empty() && !schema.find(Block::sync_daemon_line, words.front().text)) {
    daemon.instance = std::string(words.front().text);
    words = words.subspan(1);
    Value id;
    if (!words.empty() && decode_word(integer(0, 255), words.front().text, id)) {
      daemon.id = static_cast<std::uint8_t>(id.number);
      reporter.warning(words.front().range, "a number without a word is an old way to write this",
                       fmt::format("write 'id {}'", id.number));
      words = words.subspan(1);
    }
  }
  if (read_line(args.context(), Block::sync_daemon_line, words, daemon))
    globals.lvs_sync_daemon = daemon;
}

void write_sync_daemon(const Globals& globals, Writer& out) {
  if (!globals.lvs_sync_daemon) return;
  const SyncDaemon standard;
  std::vector<std::string> words =
      words_of_line(Block::sync_daemon_line, &*globals.lvs_sync_daemon, &standard);
  words.insert(words.begin(), globals.lvs_sync_daemon->interface);
  out.statement("lvs_sync_daemon", std::move(words));
}

constexpr Keyword kSyncDaemonLine[] = {
    word("inst", acts_in(Room::checkers), text("name of a vrrp_instance"),
         value<&SyncDaemon::instance>, doc("its state decides: master sends, backup hears")),
    word("id", acts_in(Room::checkers), integer(0, 255), value<&SyncDaemon::id>,
         doc("number that the directors share; default its VRID")),
    word("maxlen", acts_in(Room::checkers), integer(1, 65507), value<&SyncDaemon::max_length>,
         doc("largest datagram, bytes")),
    word("port", acts_in(Room::checkers), integer(1, kAny16), fallback("8848"),
         value<&SyncDaemon::port>, doc("UDP port")),
    word("ttl", acts_in(Room::checkers), integer(1, 255), fallback("1"), value<&SyncDaemon::ttl>,
         doc("TTL of the datagrams")),
    word("group", acts_in(Room::checkers), of(ArgType::ip), fallback("224.0.0.81"),
         value<&SyncDaemon::group>, reads<read_sync_group>, doc("multicast group")),
};

constexpr Keyword kTimeoutsLine[] = {
    word("tcp", acts_in(Room::checkers), seconds(0, kWeek31), value<&IpvsTimeouts::tcp>,
         doc("idle TCP connections, seconds; 0: as the kernel has it")),
    word("tcpfin", acts_in(Room::checkers), seconds(0, kWeek31), value<&IpvsTimeouts::tcp_fin>,
         doc("TCP connections after FIN, seconds")),
    word("udp", acts_in(Room::checkers), seconds(0, kWeek31), value<&IpvsTimeouts::udp>,
         doc("idle UDP flows, seconds")),
};

constexpr Keyword kGlobalDefs[] = {
    // announcements
    word("vrrp_garp_master_delay", seconds(0, 86400), fallback("5"),
         value<&Globals::garp, &GarpSettings::master_delay>, reads<read_master_delay>,
         doc("second burst of announcements this long after taking over, seconds; 0 none")),
    word("vrrp_garp_master_repeat", integer(0, kManyTimes), fallback("5"),
         value<&Globals::garp, &GarpSettings::master_repeat>, reads<read_master_repeat>,
         doc("announcements of each address in a burst")),
    word("vrrp_garp_master_refresh", seconds(0, 86400), fallback("0"),
         value<&Globals::garp, &GarpSettings::master_refresh>,
         doc("announce again this often while master, seconds; 0 never")),
    word("vrrp_garp_master_refresh_repeat", integer(0, kManyTimes), fallback("1"),
         value<&Globals::garp, &GarpSettings::master_refresh_repeat>, reads<read_refresh_repeat>,
         doc("announcements of each address in such a refresh")),
    word("vrrp_garp_lower_prio_delay", seconds(0, 86400), fallback("vrrp_garp_master_delay"),
         value<&Globals::garp, &GarpSettings::lower_prio_delay>, reads<read_lower_prio_delay>,
         doc("as vrrp_garp_master_delay, after an advert of lower priority was heard")),
    word("vrrp_garp_lower_prio_repeat", integer(0, kManyTimes), fallback("vrrp_garp_master_repeat"),
         value<&Globals::garp, &GarpSettings::lower_prio_repeat>, reads<read_lower_prio_repeat>,
         doc("as vrrp_garp_master_repeat, after an advert of lower priority was heard; 0 none")),
    word("vrrp_garp_extra_if", optional(choice("all")), seconds(0, 86400), fallback("0"),
         reads<read_extra>, writes<write_extra>, doc("default of garp_extra_if: [all] SECONDS")),
    word("vrrp_vmac_garp_intvl", optional(choice("all")), seconds(0, 86400),
         alias_of("vrrp_garp_extra_if"), kDeprecated),
    word("vrrp_garp_interval", seconds(0, 86400), fallback("0"),
         value<&Globals::garp, &GarpSettings::interval>,
         doc("least time between two announcements on an interface, seconds; 0 no limit")),
    word("vrrp_gna_interval", seconds(0, 86400), fallback("0"),
         value<&Globals::garp, &GarpSettings::gna_interval>,
         doc("as vrrp_garp_interval, for neighbour advertisements of IPv6")),
    word("vrrp_min_garp", boolean(), fallback("false"), reads<read_min_garp>,
         doc("one announcement and no second burst, where nothing else is said")),

    // VRRP
    word("vrrp_version", integer(2, 3), fallback("2"), value<&Globals::vrrp_version>,
         doc("VRRP version of instances that name none")),
    word("vrrp_mcast_group4", of(ArgType::ip4), fallback("224.0.0.18"),
         value<&Globals::vrrp_mcast_group4>, reads<read_group<&Globals::vrrp_mcast_group4>>,
         doc("multicast group of the adverts")),
    word("vrrp_mcast_group6", of(ArgType::ip6), fallback("ff02::12"),
         value<&Globals::vrrp_mcast_group6>, reads<read_group<&Globals::vrrp_mcast_group6>>,
         doc("multicast group of the adverts of IPv6")),
    word("vrrp_membership_refresh", seconds(0, 86400), fallback("0"), since("holdfast"),
         value<&Globals::vrrp_membership_refresh>,
         doc("report again this often that we are members of the groups of the adverts, seconds: "
             "for switches that snoop but have no querier; 0 as the kernel does")),
    word("default_interface", of(ArgType::interface), value<&Globals::default_interface>,
         doc("interface of instances and static addresses that name none")),
    word("dynamic_interfaces", optional(choice("allow_if_changes")), as_is(),
         reads<read_dynamic_interfaces>, writes<write_dynamic_interfaces>,
         doc("interfaces may be missing and come later; Holdfast always allows it")),
    word("vrrp_strict", boolean(), fallback("false"), value<&Globals::vrrp_strict>,
         doc("default of strict_mode")),
    word("vrrp_skip_check_adv_addr", boolean(), fallback("false"),
         value<&Globals::vrrp_skip_check_adv_addr>, doc("default of skip_check_adv_addr")),
    word("vrrp_check_unicast_src", value<&Globals::vrrp_check_unicast_src>,
         doc("default of check_unicast_src")),
    word("vrrp_higher_prio_send_advert", boolean(), fallback("false"),
         value<&Globals::vrrp_higher_prio_send_advert>, doc("default of higher_prio_send_advert")),
    word("vrrp_lower_prio_no_advert", boolean(), fallback("false"),
         value<&Globals::vrrp_lower_prio_no_advert>, doc("default of lower_prio_no_advert")),
    word("vrrp_owner_ignore_adverts", boolean(), fallback("false"), since("2.4"),
         value<&Globals::vrrp_owner_ignore_adverts>, doc("default of owner_ignore_adverts")),
    word("v3_checksum_as_v2", since("2.4"), value<&Globals::v3_checksum_as_v2>,
         doc("default of v3_checksum_as_v2 of the instances")),
    word("vrrp_down_timer_adverts", integer(1, 100), fallback("3"),
         value<&Globals::vrrp_down_timer_adverts>, doc("default of down_timer_adverts")),
    word("vrrp_startup_delay", seconds(0, 86400), fallback("0"), acts_in(Room::vrrp),
         value<&Globals::vrrp_startup_delay>,
         doc("wait this long before the first election, seconds")),
    word("vrrp_listen_after_boot", seconds(0, 600), fallback("10"), acts_in(Room::vrrp),
         since("holdfast"), value<&Globals::vrrp_listen_after_boot>,
         doc("started within two minutes of the boot: a backup on whose interface no frame of any "
             "host has been received waits for a first one, this long at most from when it came "
             "up, before it believes that nobody is there, seconds; 0 it does not")),
    word("vrrp_delay_after_boot", seconds(0, 86400), fallback("0"), acts_in(Room::vrrp),
         since("2.4"), value<&Globals::vrrp_delay_after_boot>,
         doc("wait until this long after the boot before the first election, seconds")),
    word("vrrp_notify_priority_changes", boolean(), fallback("false"),
         value<&Globals::vrrp_notify_priority_changes>, doc("default of notify_priority_changes")),
    word("nftables", optional(text("table")), fallback("holdfast"), acts_in(Room::vrrp),
         value<&Globals::nftables>, reads<read_nftables>,
         doc("table of nftables, of the family inet, in which no_accept drops packets; it is there "
             "while an address is closed")),
    word("nftables_priority", integer(-2'147'483'648, 2'147'483'647), fallback("-1"),
         acts_in(Room::vrrp), value<&Globals::nftables_priority>,
         doc("priority of its chains, which see packets before they are filtered")),
    word("nftables_ifindex", acts_in(Room::vrrp), value<&Globals::nftables_ifindex>,
         doc("interfaces of link-local addresses by number, not by name")),
    word("nftables_counters", acts_in(Room::vrrp), value<&Globals::nftables_counters>,
         doc("its rules count packets")),
    word("vrrp_iptables", optional(text("chain of incoming packets")),
         optional(text("chain of outgoing packets")), not_kept(kByNftables),
         doc("chains of iptables; no_accept drops packets with nftables in any case")),

    // IPVS
    word("lvs_sync_daemon", of(ArgType::interface), options(Block::sync_daemon_line),
         acts_in(Room::checkers), kRepeatable, reads<read_sync_daemon>, writes<write_sync_daemon>,
         doc("synchronise connections with the other directors over this interface")),
    word("lvs_timeouts", required_options(Block::timeouts_line), acts_in(Room::checkers),
         value<&Globals::lvs_timeouts>, doc("how long IPVS remembers idle connections")),
    word("lvs_sysctl", opens(Block::lvs_sysctl), acts_in(Room::checkers), kRepeatable,
         reads<read_switches>, writes<write_switches>,
         doc("the kernel's switches of IPVS, net.ipv4.vs.*: a word of Holdfast")),
    word("lvs_flush", acts_in(Room::checkers), value<&Globals::lvs_flush>,
         doc("remove the services of others from the IPVS table at start")),
    word("lvs_flush_on_stop", optional(choice("VS")), acts_in(Room::checkers),
         reads<read_flush_on_stop>, writes<write_flush_on_stop>,
         doc("empty the IPVS table at stop; VS: only our own services, as without the word")),
    word("lvs_flush_onstop", optional(choice("VS")), acts_in(Room::checkers),
         alias_of("lvs_flush_on_stop"), kDeprecated),
    word("checker_log_all_failures", boolean(), fallback("false"), acts_in(Room::checkers),
         value<&Globals::checker_log_all_failures>, doc("default of log_all_failures")),
};

// Values that nobody gave: vrrp_min_garp lowers them (in keepalived only those of words above it),
// and those after a lower-priority advert follow the ordinary ones.
void finish_garp(Draft& draft) {
  GarpSettings& garp = draft.garp;
  if (draft.min_garp) {
    garp.master_delay = core::Duration{0};
    garp.master_repeat = 1;
  }
  garp.master_delay = draft.master_delay.value_or(garp.master_delay);
  garp.master_repeat = draft.master_repeat.value_or(garp.master_repeat);
  garp.lower_prio_delay = draft.lower_prio_delay.value_or(garp.master_delay);
  garp.lower_prio_repeat = draft.lower_prio_repeat.value_or(garp.master_repeat);
}

}  // namespace

void read_value(IpvsTimeouts& target, const Args& args) {
  IpvsTimeouts timeouts = target;
  if (read_line(args.context(), Block::timeouts_line, args.context().tree.args(args.statement()),
                timeouts))
    target = timeouts;
}
void write_value(Writer& out, const Keyword& row, const IpvsTimeouts& value,
                 const IpvsTimeouts& standard) {
  if (value != standard)
    out.statement(row.name, words_of_line(Block::timeouts_line, &value, &standard));
}

std::span<const Table> rows::globals_of_protocols() {
  static constexpr Table kTables[] = {{Block::global_defs, kGlobalDefs},
                                      {Block::sync_daemon_line, kSyncDaemonLine},
                                      {Block::timeouts_line, kTimeoutsLine}};
  return kTables;
}

void build_globals(BuildContext& context) {
  const Schema& schema = Schema::instance();
  const KeywordId wanted = *schema.find(Block::root, "global_defs");
  Draft draft;
  MailWords mail;
  bool first = true;
  for (const Tree& tree : context.trees) {
    BuildContext here = context.at(tree);
    for (std::uint32_t at = tree.first; at != kNoStatement; at = tree.statements[at].next) {
      const Statement& statement = tree.statements[at];
      if (statement.keyword != wanted) continue;
      if (first) draft.location = context.reporter.locate(statement.range.offset);
      first = false;
      Values values;
      if (!prepare_statement(here, statement, kRootBlock, values)) continue;
      read_words(here, statement.first_child, draft);
      mail.look_at(tree, statement.first_child);
    }
  }
  finish_garp(draft);
  mail.finish(draft, context.reporter);
  context.model.globals = std::move(draft);
}

}  // namespace holdfast::config
