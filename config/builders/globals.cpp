// global_defs, and the words outside of all blocks → Globals.
#include "config/builders/builder.hpp"
#include "config/schema/row.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

// global_defs may be written in several blocks; what depends on two words is settled when all of
// them are read.
struct Draft {
  Globals globals;
  std::optional<core::Duration> master_delay;
  std::optional<std::uint32_t> master_repeat;
  std::optional<core::Duration> lower_prio_delay;
  std::optional<std::uint32_t> lower_prio_repeat;
  bool min_garp = false;
};

using Row = Setters<Draft>::Row;

// Setters for the common kinds of members, so that most words are one line below.
template <std::string Globals::*kMember>
void set_text(Draft& draft, const Args& args) {
  draft.globals.*kMember = args.text(0);
}
template <bool Globals::*kMember>
void set_flag(Draft& draft, const Args& args) {
  draft.globals.*kMember = args.flag();
}
template <std::optional<bool> Globals::*kMember>
void set_choice(Draft& draft, const Args& args) {
  draft.globals.*kMember = args.flag();
}
template <core::Duration Globals::*kMember>
void set_duration(Draft& draft, const Args& args) {
  draft.globals.*kMember = args.duration(0);
}
template <core::Duration GarpSettings::*kMember>
void set_pace(Draft& draft, const Args& args) {
  draft.globals.garp.*kMember = args.duration(0);
}
template <Rare<Script> Globals::*kMember>
void set_script(Draft& draft, const Args& args) {
  draft.globals.*kMember = args.script();
}
template <NotifyFifo Globals::*kMember>
void set_fifo(Draft& draft, const Args& args) {
  NotifyFifo& fifo = draft.globals.*kMember;
  fifo.path = args.text(0);
  fifo.user = args.has(1) ? args.text(1) : std::string();
  fifo.group = args.has(2) ? args.text(2) : std::string();
}
template <NotifyFifo Globals::*kMember>
void set_fifo_script(Draft& draft, const Args& args) {
  (draft.globals.*kMember).script = args.script();
}
// include_check, glob_strict, random_seed: keepalived/preprocess.cpp has acted on them.
void read_by_the_expander(Draft&, const Args&) {}
template <ProcessSettings Globals::*kMember>
void set_nice(Draft& draft, const Args& args) {
  (draft.globals.*kMember).priority = args.as<std::int8_t>(0);
}
template <ProcessSettings Globals::*kMember>
void set_realtime(Draft& draft, const Args& args) {
  (draft.globals.*kMember).rt_priority = args.as<std::uint8_t>(0);
}
template <ProcessSettings Globals::*kMember>
void set_no_swap(Draft& draft, const Args&) {
  (draft.globals.*kMember).no_swap = true;
}
template <ProcessSettings Globals::*kMember>
void set_affinity(Draft& draft, const Args& args) {
  std::vector<std::uint16_t>& list = (draft.globals.*kMember).cpu_affinity;
  list.clear();
  for (std::size_t i = 0; i < args.size(); ++i) list.push_back(args.as<std::uint16_t>(i));
}
template <ProcessSettings Globals::*kMember>
void set_realtime_limit(Draft& draft, const Args& args) {
  (draft.globals.*kMember).rlimit_rttime = args.duration(0);  // written in µs
}

void add_mail(Draft& draft, const Args& args) {
  const Tree& tree = args.context().tree;
  for (std::uint32_t at = args.statement().first_child; at != kNoStatement;
       at = tree.statements[at].next) {
    for (const Word& word : tree.args(tree.statements[at]))
      draft.globals.notification_email.emplace_back(word.text);
  }
}

void set_dynamic_interfaces(Draft& draft, const Args& args) {
  draft.globals.dynamic_interfaces =
      args.has(0) ? DynamicInterfaces::allow_if_changes : DynamicInterfaces::yes;
}

void set_iptables(Draft& draft, const Args& args) {
  draft.globals.vrrp_iptables.clear();
  for (std::size_t i = 0; i < args.size(); ++i) draft.globals.vrrp_iptables.push_back(args.text(i));
}

// The option words of a statement: all words behind it, or those from `first` on.
std::span<const Word> options_of(const Args& args, std::size_t first) {
  return args.context().tree.args(args.statement()).subspan(first);
}

const Setters<IpvsTimeouts>& timeout_setters() {
  static const Setters<IpvsTimeouts> table(
      Block::timeouts_line,
      {{"tcp", [](IpvsTimeouts& t, const Args& a) { t.tcp = a.duration(0); }},
       {"tcpfin", [](IpvsTimeouts& t, const Args& a) { t.tcp_fin = a.duration(0); }},
       {"udp", [](IpvsTimeouts& t, const Args& a) { t.udp = a.duration(0); }}});
  return table;
}

void set_timeouts(Draft& draft, const Args& args) {
  IpvsTimeouts timeouts = draft.globals.lvs_timeouts;
  if (timeout_setters().apply_line(args.context(), Block::timeouts_line, options_of(args, 0),
                                   timeouts))
    draft.globals.lvs_timeouts = timeouts;
}

void set_sync_group(SyncDaemon& daemon, const Args& args) {
  if (args.value(0).address.is_multicast()) {
    daemon.group = args.value(0).address;
    return;
  }
  args.context().reporter.warning(
      args.value(0).range,
      fmt::format("'group' must be a multicast address, not '{}': the default counts",
                  args.value(0).text));
}

const Setters<SyncDaemon>& sync_setters() {
  static const Setters<SyncDaemon> table(
      Block::sync_daemon_line,
      {{"inst", [](SyncDaemon& d, const Args& a) { d.instance = a.text(0); }},
       {"id", [](SyncDaemon& d, const Args& a) { d.id = a.as<std::uint8_t>(0); }},
       {"maxlen", [](SyncDaemon& d, const Args& a) { d.max_length = a.as<std::uint16_t>(0); }},
       {"port", [](SyncDaemon& d, const Args& a) { d.port = a.as<std::uint16_t>(0); }},
       {"ttl", [](SyncDaemon& d, const Args& a) { d.ttl = a.as<std::uint8_t>(0); }},
       {"group", set_sync_group}});
  return table;
}

// IF [inst] INSTANCE [OPTION …]; before there were options: IF INSTANCE [ID].
void set_sync_daemon(Draft& draft, const Args& args) {
  Reporter& reporter = args.context().reporter;
  if (draft.globals.lvs_sync_daemon) {
    reporter.warning(args.statement().range,
                     "'lvs_sync_daemon' is given more than once; the first one counts");
    return;
  }
  SyncDaemon daemon;
  daemon.interface = args.text(0);
  std::span<const Word> words = options_of(args, 1);
  const Schema& schema = Schema::instance();
  if (!words.empty() && !schema.find(Block::sync_daemon_line, words.front().text)) {
    daemon.instance = std::string(words.front().text);
    words = words.subspan(1);
    Value id;
    if (!words.empty() && decode_word(rows::integer(0, 255), words.front().text, id)) {
      daemon.id = static_cast<std::uint8_t>(id.number);
      reporter.warning(words.front().range, "a number without a word is an old way to write this",
                       fmt::format("write 'id {}'", id.number));
      words = words.subspan(1);
    }
  }
  if (sync_setters().apply_line(args.context(), Block::sync_daemon_line, words, daemon))
    draft.globals.lvs_sync_daemon = daemon;
}

// Octal, decimal or hexadecimal as in C; or bits by name, such as IRGRP|IWGRP.
void check_umask(Draft&, const Args& args) {
  constexpr std::string_view kBits = " IRUSR IWUSR IXUSR IRGRP IWGRP IXGRP IROTH IWOTH IXOTH ";
  std::string_view rest = args.value(0).text;
  const bool octal = rest.find_first_not_of("01234567") == std::string_view::npos;
  if (octal && rest.size() <= 4) return;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('|'), rest.size());
    if (end == 0 || kBits.find(fmt::format(" {} ", rest.substr(0, end))) == std::string_view::npos)
      break;
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (rest.empty()) return;
  }
  args.context().reporter.warning(
      args.value(0).range,
      fmt::format("'umask' must be an octal number such as 0177, not '{}': the default counts",
                  args.value(0).text));
}

std::vector<Row> rows_of_director() {
  return {
      {"router_id", set_text<&Globals::router_id>},
      {"reload_limit",
       [](Draft& d, const Args& a) { d.globals.reload_limit = a.as<std::uint8_t>(0); }},
      {"reload_check_config",
       [](Draft& d, const Args& a) {
         d.globals.reload_check_config = a.has(0) ? a.text(0) : std::string();
       }},
      {"reload_time_file", set_text<&Globals::reload_time_file>},
      {"reload_repeat", set_flag<&Globals::reload_repeat>},
      {"reload_file",
       [](Draft& d, const Args& a) {
         d.globals.reload_file = a.has(0) ? a.text(0) : std::string();
       }},
      {"notification_email", add_mail},
      {"notification_email_from", set_text<&Globals::notification_email_from>},
      {"smtp_server",
       [](Draft& d, const Args& a) {
         d.globals.smtp_server = a.text(0);
         if (a.has(1)) d.globals.smtp_port = a.as<std::uint16_t>(1);
       }},
      {"smtp_helo_name", set_text<&Globals::smtp_helo_name>},
      {"smtp_connect_timeout",
       [](Draft& d, const Args& a) {  // keepalived: 0 becomes 1
         d.globals.smtp_connect_timeout =
             std::max<core::Duration>(a.duration(0), std::chrono::seconds(1));
       }},
      {"smtp_alert", set_choice<&Globals::smtp_alert>},
      {"smtp_alert_vrrp", set_choice<&Globals::smtp_alert_vrrp>},
      {"smtp_alert_checker", set_choice<&Globals::smtp_alert_checker>},
      {"script_user",
       [](Draft& d, const Args& a) {
         d.globals.script_user = a.text(0);
         d.globals.script_group = a.has(1) ? a.text(1) : std::string();
       }},
      {"enable_script_security", set_flag<&Globals::enable_script_security>},
      {"startup_script", set_script<&Globals::startup_script>},
      {"startup_script_timeout", set_duration<&Globals::startup_script_timeout>},
      {"shutdown_script", set_script<&Globals::shutdown_script>},
      {"shutdown_script_timeout", set_duration<&Globals::shutdown_script_timeout>},
      {"notify_fifo", set_fifo<&Globals::notify_fifo>},
      {"notify_fifo_script", set_fifo_script<&Globals::notify_fifo>},
      {"vrrp_notify_fifo", set_fifo<&Globals::vrrp_notify_fifo>},
      {"vrrp_notify_fifo_script", set_fifo_script<&Globals::vrrp_notify_fifo>},
      {"lvs_notify_fifo", set_fifo<&Globals::lvs_notify_fifo>},
      {"lvs_notify_fifo_script", set_fifo_script<&Globals::lvs_notify_fifo>},
      {"max_auto_priority",
       [](Draft& d, const Args& a) {
         d.globals.max_auto_priority = a.has(0) ? a.as<std::int8_t>(0) : std::int8_t{99};
       }},
      {"snmp_socket", set_text<&Globals::snmp_socket>},
      {"enable_traps", set_flag<&Globals::enable_traps>},
      {"enable_snmp_vrrp", set_flag<&Globals::enable_snmp_vrrp>},
      {"enable_snmp_checker", set_flag<&Globals::enable_snmp_checker>},
      {"json_version",
       [](Draft& d, const Args& a) { d.globals.json_version = a.as<std::uint8_t>(0); }},
      {"umask", check_umask},
  };
}

std::vector<Row> rows_of_vrrp() {
  return {
      {"vrrp_garp_master_delay", [](Draft& d, const Args& a) { d.master_delay = a.duration(0); }},
      {"vrrp_garp_master_repeat",
       [](Draft& d, const Args& a) { d.master_repeat = at_least_once(a); }},
      {"vrrp_garp_master_refresh", set_pace<&GarpSettings::master_refresh>},
      {"vrrp_garp_master_refresh_repeat",
       [](Draft& d, const Args& a) { d.globals.garp.master_refresh_repeat = at_least_once(a); }},
      {"vrrp_garp_lower_prio_delay",
       [](Draft& d, const Args& a) { d.lower_prio_delay = a.duration(0); }},
      {"vrrp_garp_lower_prio_repeat",
       [](Draft& d, const Args& a) { d.lower_prio_repeat = a.as<std::uint32_t>(0); }},
      {"vrrp_garp_interval", set_pace<&GarpSettings::interval>},
      {"vrrp_gna_interval", set_pace<&GarpSettings::gna_interval>},
      {"vrrp_min_garp", [](Draft& d, const Args& a) { d.min_garp = a.flag(); }},
      {"vrrp_version",
       [](Draft& d, const Args& a) { d.globals.vrrp_version = a.as<std::uint8_t>(0); }},
      {"vrrp_mcast_group4",
       [](Draft& d, const Args& a) { d.globals.vrrp_mcast_group4 = a.value(0).address; }},
      {"vrrp_mcast_group6",
       [](Draft& d, const Args& a) { d.globals.vrrp_mcast_group6 = a.value(0).address; }},
      {"default_interface", set_text<&Globals::default_interface>},
      {"dynamic_interfaces", set_dynamic_interfaces},
      {"vrrp_strict", set_flag<&Globals::vrrp_strict>},
      {"vrrp_skip_check_adv_addr", set_flag<&Globals::vrrp_skip_check_adv_addr>},
      {"vrrp_check_unicast_src", set_flag<&Globals::vrrp_check_unicast_src>},
      {"vrrp_higher_prio_send_advert", set_flag<&Globals::vrrp_higher_prio_send_advert>},
      {"vrrp_lower_prio_no_advert", set_flag<&Globals::vrrp_lower_prio_no_advert>},
      {"vrrp_owner_ignore_adverts", set_flag<&Globals::vrrp_owner_ignore_adverts>},
      {"v3_checksum_as_v2", set_flag<&Globals::v3_checksum_as_v2>},
      {"vrrp_notify_priority_changes", set_flag<&Globals::vrrp_notify_priority_changes>},
      {"vrrp_down_timer_adverts",
       [](Draft& d, const Args& a) { d.globals.vrrp_down_timer_adverts = a.as<std::uint8_t>(0); }},
      {"vrrp_startup_delay", set_duration<&Globals::vrrp_startup_delay>},
      {"vrrp_delay_after_boot", set_duration<&Globals::vrrp_delay_after_boot>},
      {"nftables",
       [](Draft& d, const Args& a) {
         d.globals.nftables = a.has(0) ? a.text(0) : std::string("keepalived");
       }},
      {"vrrp_iptables", set_iptables},
      {"vrrp_priority", set_nice<&Globals::vrrp_process>},
      {"vrrp_rt_priority", set_realtime<&Globals::vrrp_process>},
      {"vrrp_no_swap", set_no_swap<&Globals::vrrp_process>},
      {"vrrp_cpu_affinity", set_affinity<&Globals::vrrp_process>},
      {"vrrp_rlimit_rttime", set_realtime_limit<&Globals::vrrp_process>},
      {"bfd_priority", set_nice<&Globals::bfd_process>},
      {"bfd_rt_priority", set_realtime<&Globals::bfd_process>},
      {"bfd_no_swap", set_no_swap<&Globals::bfd_process>},
      {"bfd_cpu_affinity", set_affinity<&Globals::bfd_process>},
      {"bfd_rlimit_rttime", set_realtime_limit<&Globals::bfd_process>},
  };
}

std::vector<Row> rows_of_checkers() {
  return {
      {"lvs_sync_daemon", set_sync_daemon},
      {"lvs_timeouts", set_timeouts},
      {"lvs_flush", set_flag<&Globals::lvs_flush>},
      {"lvs_flush_on_stop",
       [](Draft& d, const Args& a) {
         d.globals.lvs_flush_on_stop = true;
         d.globals.lvs_flush_on_stop_own = a.has(0);
       }},
      {"checker_log_all_failures", set_flag<&Globals::checker_log_all_failures>},
      {"checker_priority", set_nice<&Globals::checker_process>},
      {"checker_rt_priority", set_realtime<&Globals::checker_process>},
      {"checker_no_swap", set_no_swap<&Globals::checker_process>},
      {"checker_cpu_affinity", set_affinity<&Globals::checker_process>},
      {"checker_rlimit_rttime", set_realtime_limit<&Globals::checker_process>},
      {"random_seed", read_by_the_expander},
      {"include_check", read_by_the_expander},
      {"glob_strict", read_by_the_expander},
  };
}

const Setters<Draft>& setters() {
  static const Setters<Draft> table(Block::global_defs, [] {
    std::vector<Row> all = rows_of_director();
    for (const std::vector<Row>& more : {rows_of_vrrp(), rows_of_checkers()})
      all.insert(all.end(), more.begin(), more.end());
    return all;
  }());
  return table;
}

// Values that nobody gave: vrrp_min_garp lowers them (in keepalived only those of words above it),
// and those after a lower-priority advert follow the ordinary ones.
void finish_garp(const Draft& draft, GarpSettings& garp) {
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

void build_globals(BuildContext& context) {
  const Schema& schema = Schema::instance();
  const KeywordId wanted = *schema.find(Block::root, "global_defs");
  Draft draft;
  bool first = true;
  for (const Tree& tree : context.trees) {
    BuildContext here = context.at(tree);
    for (std::uint32_t at = tree.first; at != kNoStatement; at = tree.statements[at].next) {
      const Statement& statement = tree.statements[at];
      if (statement.keyword != wanted) continue;
      if (first) draft.globals.location = context.reporter.locate(statement.range.offset);
      first = false;
      std::vector<Value> values;
      if (prepare_statement(here, statement, kRootBlock, values))
        setters().apply(here, statement.first_child, draft);
    }
  }
  finish_garp(draft, draft.globals.garp);
  context.model.globals = std::move(draft.globals);
}

bool globals_know(KeywordId id) {
  return setters().knows(id) || timeout_setters().knows(id) || sync_setters().knows(id);
}

}  // namespace holdfast::config
