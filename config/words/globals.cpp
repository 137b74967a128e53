// global_defs: the director, its reloads, mail, scripts and processes.
#include "config/words/meaning.hpp"
#include "config/words/notices.hpp"

#include <fmt/format.h>

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::int64_t kAny32 = 4'294'967'295;

constexpr std::string_view kNoProcess = "Holdfast has no BFD process yet";
void add_mail(Globals& globals, const Args& args) {
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    for (const Word& word : context.tree.args(entry))
      globals.notification_email.emplace_back(word.text);
  });
}
void write_mail(const Globals& globals, Writer& out) {
  if (globals.notification_email.empty()) return;
  Writer body = body_of(out.block("notification_email"), out.detail());
  for (const std::string& address : globals.notification_email) body.entry({address});
}

void read_smtp_server(Globals& globals, const Args& args) {
  globals.smtp_server = args.text(0);
  if (args.has(1)) globals.smtp_port = args.as<std::uint16_t>(1);
}
void write_smtp_server(const Globals& globals, Writer& out) {
  if (globals.smtp_server.empty()) return;
  std::vector<std::string> words{globals.smtp_server};
  if (globals.smtp_port != Globals().smtp_port)
    words.push_back(fmt::format("{}", globals.smtp_port));
  out.statement("smtp_server", std::move(words));
}
// keepalived: 0 becomes 1.
void read_smtp_timeout(Globals& globals, const Args& args) {
  globals.smtp_connect_timeout =
      std::max<core::Duration>(args.duration(0), std::chrono::seconds(1));
}

/// What is no such word counts as `index`, with a warning: decode.cpp. Low without high says so.
constexpr Arg choice_else(std::string_view words, std::int64_t index) {
  return {.type = ArgType::choice, .low = index, .words = words};
}

void read_script_user(Globals& globals, const Args& args) {
  globals.script_user = args.text(0);
  globals.script_group = args.has(1) ? args.text(1) : std::string();
}
void write_script_user(const Globals& globals, Writer& out) {
  if (globals.script_user.empty()) return;
  std::vector<std::string> words{globals.script_user};
  if (!globals.script_group.empty()) words.push_back(globals.script_group);
  out.statement("script_user", std::move(words));
}

void read_auto_priority(Globals& globals, const Args& args) {
  globals.max_auto_priority = args.has(0) ? args.as<std::int8_t>(0) : std::int8_t{99};
}

// Nine bits by name, from the owner's reading down; and three that stand for all of a class.
constexpr std::pair<std::string_view, unsigned> kMaskBits[] = {
    {"IRUSR", 0400}, {"IWUSR", 0200}, {"IXUSR", 0100}, {"IRGRP", 040},
    {"IWGRP", 020},  {"IXGRP", 010},  {"IROTH", 04},   {"IWOTH", 02},
    {"IXOTH", 01},   {"IRWXU", 0700}, {"IRWXG", 070},  {"IRWXO", 07}};

std::optional<unsigned> mask_of_bits(std::string_view text) {
  unsigned mask = 0;
  while (true) {
    const std::size_t end = std::min(text.find('|'), text.size());
    std::string_view bit = text.substr(0, end);
    if (bit.starts_with("S_")) bit.remove_prefix(2);
    const auto* const found =
        std::ranges::find(kMaskBits, bit, &std::pair<std::string_view, unsigned>::first);
    if (found == std::end(kMaskBits)) return std::nullopt;
    mask |= found->second;
    if (end == text.size()) return mask;
    text.remove_prefix(end + 1);
  }
}

// A number as in C, or bits by name such as IRGRP|IWGRP.
std::optional<unsigned> mask_of(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789abcdefxABCDEFX") != text.npos)
    return mask_of_bits(text);
  char* end = nullptr;
  const unsigned long number = std::strtoul(text.c_str(), &end, 0);
  if (number > 0777 || *end != '\0') return std::nullopt;
  return static_cast<unsigned>(number);
}

void read_umask(Globals& globals, const Args& args) {
  std::string text;
  for (std::size_t i = 0; i < args.size(); ++i) text += args.text(i);
  if (const auto mask = mask_of(text)) {
    globals.umask = static_cast<std::uint16_t>(*mask);
    return;
  }
  args.context().reporter.warning(
      args.value(0).range,
      fmt::format("'umask' must be an octal number such as 0177, not '{}': the default counts",
                  text));
}
void write_umask(const Globals& globals, Writer& out) {
  if (globals.umask) out.statement("umask", {fmt::format("0{:o}", *globals.umask)});
}

constexpr Keyword kGlobalDefs[] = {
    word("router_id", text("name"), acts_in(Room::watchdog), value<&Globals::router_id>,
         doc("name of this director, shown by its status")),
    word("lvs_id", text("name"), acts_in(Room::watchdog), alias_of("router_id"),
         notice("'lvs_id' is an old name: write 'router_id'"), kDeprecated),

    // reload
    word("reload_limit", integer(0, 100), acts_in(Room::watchdog), since("holdfast"),
         value<&Globals::reload_limit>,
         doc("refuse a reload that removes more than this share of addresses or servers, percent")),
    word("reload_check_config", optional(text("file")), acts_in(Room::watchdog),
         value<&Globals::reload_check_config>,
         doc("refuse a reload with new warnings; what a reload finds is written to this file as "
             "well")),
    word("reload_time_file", text("path"), acts_in(Room::watchdog),
         value<&Globals::reload_time_file>, doc("file that holds the moment of the next reload")),
    word("reload_repeat", acts_in(Room::watchdog), value<&Globals::reload_repeat>,
         doc("reload_time_file counts every day")),
    word("reload_file", optional(text("path")), acts_in(Room::watchdog),
         fallback("<run-dir>/keepalived.reload"), value<&Globals::reload_file>,
         doc("file that exists while the configuration is being read")),

    // mail
    word("notification_email", opens(Block::mail_list), acts_in(Room::scripts), kRepeatable,
         reads<add_mail>, writes<write_mail>, doc("who gets mail, one address a line")),
    word("notification_email_from", text("address"), fallback("holdfast@host"),
         acts_in(Room::scripts), value<&Globals::notification_email_from>,
         doc("sender of the mail")),
    word("smtp_server", text("host"), optional(integer(1, 65535)), acts_in(Room::scripts),
         reads<read_smtp_server>, writes<write_smtp_server>,
         doc("mail relay: host or address, and port (25; 465 with smtp_tls implicit)")),
    word("smtp_tls", choice_else("off starttls implicit", 1), fallback("off"),
         acts_in(Room::scripts), since("holdfast"), value<&Globals::smtp_tls>,
         doc("mail leaves over TLS only: after STARTTLS, or from the first byte (port 465); a word "
             "that is none of them counts as starttls")),
    word("smtp_user", text("user"), acts_in(Room::scripts), since("holdfast"),
         value<&Globals::smtp_user>, doc("log in to the mail relay as this user, over TLS only")),
    word("smtp_password", text("password"), acts_in(Room::scripts), since("holdfast"), kSecret,
         value<&Globals::smtp_password>,
         doc("its password; file:PATH: the first line of this file")),
    word("smtp_ca", text("file"), fallback("the authorities that this host knows"),
         acts_in(Room::scripts), since("holdfast"), value<&Globals::smtp_ca>,
         doc("who vouches for the mail relay's certificate, or that certificate itself (PEM)")),
    word("smtp_tls_name", text("name"), fallback("smtp_server"), acts_in(Room::scripts),
         since("holdfast"), value<&Globals::smtp_tls_name>,
         doc("name or address that the mail relay's certificate has to be for")),
    word("smtp_helo_name", text("name"), fallback("the host's name"), acts_in(Room::scripts),
         value<&Globals::smtp_helo_name>,
         doc("name given in HELO to the mail relay and by SMTP_CHECK")),
    word(
        "smtp_connect_timeout", seconds(0, 3600), fallback("30"), acts_in(Room::scripts),
        value<&Globals::smtp_connect_timeout>, reads<read_smtp_timeout>,
        doc("time for each connection to the mail relay and for each whole answer of it, seconds")),
    word("smtp_alert", boolean(), fallback("false"), acts_in(Room::vrrp),
         value<&Globals::smtp_alert>, doc("default of every smtp_alert")),
    word("smtp_alert_vrrp", boolean(), fallback("smtp_alert"), acts_in(Room::vrrp),
         value<&Globals::smtp_alert_vrrp>,
         doc("default of smtp_alert in instances and sync groups")),
    word("smtp_alert_checker", boolean(), fallback("smtp_alert"), acts_in(Room::checkers),
         value<&Globals::smtp_alert_checker>, doc("default of smtp_alert in services and servers")),

    // scripts and pipes
    word("script_user", text("user"), optional(text("group")), acts_in(Room::scripts),
         fallback("keepalived_script"), reads<read_script_user>, writes<write_script_user>,
         doc("user that runs scripts which name none")),
    word("set_supplementary_groups", boolean(), acts_in(Room::scripts), fallback("true"),
         since("2.4"), value<&Globals::set_supplementary_groups>,
         doc("scripts have the further groups of their user; keepalived's default is false")),
    word("enable_script_security", acts_in(Room::scripts), value<&Globals::enable_script_security>,
         doc("refuse scripts that others than root may change")),
    word("umask", repeated(text("mask")), acts_in(Room::watchdog), fallback("none"),
         reads<read_umask>, writes<write_umask>,
         doc("umask of scripts, and of files of the watchdog and of processes that start "
             "afterwards, such as 0177 or IRGRP|IROTH; "
             "without it, that of who starts the director")),
    word("startup_script", command(), acts_in(Room::watchdog), value<&Globals::startup_script>,
         doc("run before everything else; the start waits for its end")),
    word("startup_script_timeout", seconds(1, 1000), fallback("10"), acts_in(Room::watchdog),
         value<&Globals::startup_script_timeout>, doc("time for startup_script, seconds")),
    word("shutdown_script", command(), acts_in(Room::watchdog), value<&Globals::shutdown_script>,
         doc("run at the very end of a stop")),
    word("shutdown_script_timeout", seconds(1, 1000), fallback("10"), acts_in(Room::watchdog),
         value<&Globals::shutdown_script_timeout>, doc("time for shutdown_script, seconds")),
    word("notify_fifo", text("path"), optional(text("user")), optional(text("group")),
         acts_in(Room::scripts), value<&Globals::notify_fifo>,
         doc("named pipe that gets a line for every event")),
    word("notify_fifo_script", command(), acts_in(Room::scripts),
         value<&Globals::notify_fifo, &NotifyFifo::script>,
         doc("program that reads notify_fifo; its path is the last argument")),
    word("vrrp_notify_fifo", text("path"), optional(text("user")), optional(text("group")),
         acts_in(Room::scripts), value<&Globals::vrrp_notify_fifo>,
         doc("the same for events of VRRP only")),
    word("vrrp_notify_fifo_script", command(), acts_in(Room::scripts),
         value<&Globals::vrrp_notify_fifo, &NotifyFifo::script>,
         doc("program that reads vrrp_notify_fifo")),
    word("lvs_notify_fifo", text("path"), optional(text("user")), optional(text("group")),
         acts_in(Room::scripts), value<&Globals::lvs_notify_fifo>,
         doc("the same for events of services and servers only")),
    word("lvs_notify_fifo_script", command(), acts_in(Room::scripts),
         value<&Globals::lvs_notify_fifo, &NotifyFifo::script>,
         doc("program that reads lvs_notify_fifo")),

    // the processes
    word("max_auto_priority", acts_in(Room::vrrp), optional(integer(-1, 99)), fallback("0"),
         value<&Globals::max_auto_priority>, reads<read_auto_priority>,
         doc("highest real-time priority that late wake-ups may raise the VRRP process to")),
    word("min_auto_priority_delay", acts_in(Room::vrrp), integer(1, 10'000'000),
         with("max_auto_priority"), fallback("1000000"), value<&Globals::min_auto_priority_delay>,
         doc("lateness of a wake-up that raises the priority by one, µs")),
    word("vrrp_priority", acts_in(Room::vrrp), integer(-20, 19),
         value<&Globals::vrrp_process, &core::Scheduling::nice>,
         doc("nice value of the VRRP process; without it -10, if it may")),
    word("vrrp_rt_priority", acts_in(Room::vrrp), integer(1, 99),
         value<&Globals::vrrp_process, &core::Scheduling::realtime_priority>,
         doc("real-time priority of the VRRP process (SCHED_RR)")),
    word("vrrp_no_swap", acts_in(Room::vrrp),
         value<&Globals::vrrp_process, &core::Scheduling::lock_memory>,
         doc("the VRRP process stays in memory")),
    word("vrrp_cpu_affinity", acts_in(Room::vrrp), repeated(integer(0, 1023)),
         value<&Globals::vrrp_process, &core::Scheduling::processors>,
         doc("processors that the VRRP process may run on")),
    word("vrrp_rlimit_rttime", acts_in(Room::vrrp), integer(1, kAny32), fallback("10000"),
         value<&Globals::vrrp_process, &core::Scheduling::realtime_limit>,
         doc("CPU time at real-time priority without a pause after which the VRRP process goes on "
             "at normal priority for a second, µs")),
    word("vrrp_rlimit_rtime", acts_in(Room::vrrp), integer(1, kAny32),
         alias_of("vrrp_rlimit_rttime"), kDeprecated),
    word("checker_priority", acts_in(Room::checkers), integer(-20, 19),
         value<&Globals::checker_process, &core::Scheduling::nice>,
         doc("nice value of the checkers")),
    word("checker_rt_priority", acts_in(Room::checkers), integer(1, 99),
         value<&Globals::checker_process, &core::Scheduling::realtime_priority>,
         doc("real-time priority of the checkers (SCHED_RR)")),
    word("checker_no_swap", acts_in(Room::checkers),
         value<&Globals::checker_process, &core::Scheduling::lock_memory>,
         doc("the checkers stay in memory")),
    word("checker_cpu_affinity", acts_in(Room::checkers), repeated(integer(0, 1023)),
         value<&Globals::checker_process, &core::Scheduling::processors>,
         doc("processors that the checkers may run on")),
    word("checker_rlimit_rttime", acts_in(Room::checkers), integer(1, kAny32), fallback("10000"),
         value<&Globals::checker_process, &core::Scheduling::realtime_limit>,
         doc("CPU time at real-time priority without a pause after which the checkers go on at "
             "normal priority for a second, µs")),
    word("checker_rlimit_rtime", acts_in(Room::checkers), integer(1, kAny32),
         alias_of("checker_rlimit_rttime"), kDeprecated),
    word("bfd_priority", integer(-20, 19), not_yet(kNoProcess),
         value<&Globals::bfd_process, &core::Scheduling::nice>,
         doc("nice value of the BFD process")),
    word("bfd_rt_priority", integer(1, 99), not_yet(kNoProcess),
         value<&Globals::bfd_process, &core::Scheduling::realtime_priority>,
         doc("real-time priority of the BFD process (SCHED_RR)")),
    word("bfd_no_swap", not_yet(kNoProcess),
         value<&Globals::bfd_process, &core::Scheduling::lock_memory>,
         doc("the BFD process stays in memory")),
    word("bfd_cpu_affinity", repeated(integer(0, 1023)), not_yet(kNoProcess),
         value<&Globals::bfd_process, &core::Scheduling::processors>,
         doc("processors that the BFD process may run on")),
    word("bfd_rlimit_rttime", integer(1, kAny32), fallback("10000"), not_yet(kNoProcess),
         value<&Globals::bfd_process, &core::Scheduling::realtime_limit>,
         doc("real-time CPU time without a pause after which the kernel ends the BFD process, µs")),
    word("bfd_rlimit_rtime", integer(1, kAny32), alias_of("bfd_rlimit_rttime"), not_yet(kNoProcess),
         kDeprecated),

    // SNMP and JSON
    word("snmp_socket", text("address"), fallback("unix:/var/agentx/master"), not_yet(kNoSnmp),
         value<&Globals::snmp_socket>, doc("AgentX master")),
    word("enable_traps", not_yet(kNoSnmp), value<&Globals::enable_traps>, doc("send SNMP traps")),
    word("enable_snmp_vrrp", not_yet(kNoSnmp), value<&Globals::enable_snmp_vrrp>,
         doc("serve instances by SNMP")),
    word("enable_snmp_keepalived", alias_of("enable_snmp_vrrp"), not_yet(kNoSnmp), kDeprecated),
    word("enable_snmp_checker", not_yet(kNoSnmp), value<&Globals::enable_snmp_checker>,
         doc("serve services and servers by SNMP")),
    word("json_version", integer(1, 2), fallback("1"), acts_in(Room::legacy),
         value<&Globals::json_version>, doc("format of keepalived's JSON dump")),
};

}  // namespace

void read_value(NotifyFifo& target, const Args& args) {
  target.path = args.text(0);
  target.user = args.has(1) ? args.text(1) : std::string();
  target.group = args.has(2) ? args.text(2) : std::string();
}
void write_value(Writer& out, const Keyword& row, const NotifyFifo& value, const NotifyFifo&) {
  if (value.path.empty()) return;
  std::vector<std::string> words{value.path};
  if (!value.user.empty()) words.push_back(value.user);
  if (!value.user.empty() && !value.group.empty()) words.push_back(value.group);
  out.statement(row.name, std::move(words));
}

std::span<const Keyword> rows::global_defs() {
  return kGlobalDefs;
}

}  // namespace holdfast::config
