// Rows of the table: virtual_server, real_server and their checkers.
#include "config/schema.hpp"

namespace holdfast::config::rows {
namespace {

constexpr std::int64_t kManyTries = 1'000'000;
constexpr std::int64_t kLargestWeight = 2'147'483'647;

constexpr std::string_view kNoMail =
    "accepted, without effect yet: mail settings (Holdfast does not send mail yet)";
constexpr std::string_view kOldRetry = "'nb_get_retry' is an old name: write 'retry'";
constexpr std::string_view kForwarding = "NAT DR TUN";

constexpr Arg pace() {
  return seconds(0, kWeek31);
}

// Where 0 would mean to probe without a pause, or to give up before trying.
constexpr Arg positive_pace() {
  return {.type = ArgType::seconds, .low = 1000, .high = kWeek31 * kMicroseconds};
}

constexpr Keyword kVirtualServer[] = {
    {.name = "delay_loop",
     .args = {positive_pace()},
     .fallback = "60",
     .doc = "time between two probes, seconds"},
    {.name = "retry",
     .args = {integer(0, kManyTries)},
     .fallback = "1",
     .doc = "further tries before a server is called down"},
    {.name = "delay_before_retry",
     .args = {pace()},
     .fallback = "1; HTTP_GET 3",
     .doc = "time between such tries, seconds"},
    {.name = "warmup",
     .args = {pace()},
     .fallback = "delay_loop",
     .doc = "the first probe happens within this random time, seconds; 0 at once"},
    {.name = "connect_timeout",
     .args = {positive_pace()},
     .fallback = "5",
     .doc = "time for one probe, seconds"},
    {.name = "lb_algo",
     .args = {of(ArgType::scheduler)},
     .fallback = "wlc",
     .doc = "scheduler: rr wrr lc wlc lblc lblcr dh sh mh sed nq fo ovf"},
    {.name = "lvs_sched", .args = {of(ArgType::scheduler)}, .alias_of = "lb_algo"},
    {.name = "lb_kind",
     .args = {choice(kForwarding), repeated(optional(word("tunnel options")))},
     .fallback = "NAT",
     .doc = "how packets reach a real server: NAT, DR or TUN"},
    {.name = "lvs_method",
     .args = {choice(kForwarding), repeated(optional(word("tunnel options")))},
     .alias_of = "lb_kind"},
    {.name = "protocol",
     .args = {Arg{.type = ArgType::choice_any_case, .words = "TCP UDP SCTP"}},
     .fallback = "UDP",
     .doc = "TCP, UDP or SCTP; say it always"},
    {.name = "nat_mask",
     .args = {of(ArgType::netmask)},
     .effect = Effect::inert,
     .doc = "left over from old tutorials",
     .notice =
         "accepted, without effect: 'nat_mask' (keepalived dropped it in 2015; it can be removed)"},
    {.name = "persistence_timeout",
     .args = {optional(integer(0, kWeek31))},
     .fallback = "0, not persistent",
     .doc = "a client stays with its server for this long, seconds; 360 without a number"},
    {.name = "persistence_granularity",
     .args = {of(ArgType::netmask)},
     .fallback = "255.255.255.255",
     .doc = "clients that are equal under this mask share a server"},
    {.name = "ops", .doc = "every UDP packet is scheduled by itself"},
    {.name = "ha_suspend",
     .effect = Effect::inert,
     .doc = "probe only while the virtual address is on this host",
     .notice = "Holdfast does not do 'ha_suspend' yet: backups probe the real servers as well"},
    {.name = "smtp_alert",
     .args = {boolean()},
     .effect = Effect::inert,
     .fallback = "false",
     .doc = "mail when quorum is won or lost",
     .notice = kNoMail},
    {.name = "virtualhost",
     .args = {word("host")},
     .doc = "Host header of HTTP checkers that name none"},
    {.name = "alpha",
     .args = {boolean()},
     .fallback = "false",
     .doc = "servers are not used before their first success"},
    {.name = "omega",
     .args = {boolean()},
     .fallback = "false",
     .doc = "run notify_down and quorum_down at an orderly stop"},
    {.name = "quorum",
     .args = {integer(1, kLargestWeight)},
     .fallback = "1",
     .doc = "sum of weights needed to serve"},
    {.name = "hysteresis",
     .args = {integer(0, kLargestWeight)},
     .fallback = "0",
     .doc = "quorum is won at quorum + hysteresis, lost below quorum - hysteresis"},
    {.name = "quorum_up", .args = command(), .doc = "run when quorum is won"},
    {.name = "quorum_down", .args = command(), .doc = "run when quorum is lost"},
    {.name = "weight",
     .args = {integer(0, kLargestWeight)},
     .fallback = "1",
     .doc = "weight of servers that name none"},
    {.name = "inhibit_on_failure",
     .args = {boolean()},
     .fallback = "false",
     .doc = "failed servers get weight 0 instead of leaving the table"},
    {.name = "sorry_server",
     .args = {of(ArgType::ip), optional(integer(0, 65535))},
     .doc = "serves while quorum is lost"},
    {.name = "sorry_server_inhibit", .doc = "the sorry server stays in the table with weight 0"},
    {.name = "sorry_server_lvs_method",
     .args = {choice(kForwarding), repeated(optional(word("tunnel options")))},
     .fallback = "lb_kind",
     .doc = "how packets reach the sorry server"},
    {.name = "real_server",
     .args = {of(ArgType::ip), optional(integer(0, 65535))},
     .opens = Block::real_server,
     .doc = "one server of the pool",
     .repeatable = true},
    {.name = "ip_family",
     .effect = Effect::known,
     .notice = "accepted, without effect yet: 'ip_family' (only services by firewall mark use it)"},
    {.name = "sh-port",
     .effect = Effect::known,
     .notice = "Holdfast does not set scheduler flags yet: clients are spread without 'sh-port'"},
    {.name = "sh-fallback",
     .effect = Effect::known,
     .notice = "Holdfast does not set scheduler flags yet: 'sh-fallback' is not set"},
    {.name = "mh-port",
     .effect = Effect::known,
     .notice = "Holdfast does not set scheduler flags yet: clients are spread without 'mh-port'"},
    {.name = "mh-fallback",
     .effect = Effect::known,
     .notice = "Holdfast does not set scheduler flags yet: 'mh-fallback' is not set"},
    {.name = "persistence_engine",
     .effect = Effect::known,
     .notice = "Holdfast does not set persistence engines yet: persistence goes by client address"},
};

constexpr std::string_view kAlwaysUp =
    "Holdfast does not do this checker yet: without another one the server counts as always up";

constexpr Keyword kRealServer[] = {
    {.name = "weight",
     .args = {integer(0, kLargestWeight)},
     .fallback = "1",
     .doc = "share of the connections; 0 takes no new ones"},
    {.name = "lvs_method",
     .args = {choice(kForwarding), repeated(optional(word("tunnel options")))},
     .fallback = "lb_kind",
     .doc = "how packets reach this server"},
    {.name = "uthreshold",
     .args = {integer(0, kLargestWeight)},
     .fallback = "0",
     .doc = "no new connections above this many"},
    {.name = "lthreshold",
     .args = {integer(0, kLargestWeight)},
     .fallback = "0",
     .doc = "new connections again below this many"},
    {.name = "inhibit_on_failure",
     .args = {boolean()},
     .fallback = "the service's",
     .doc = "failed: weight 0 instead of leaving the table"},
    {.name = "alpha",
     .args = {boolean()},
     .fallback = "the service's",
     .doc = "not used before its first success"},
    {.name = "notify_up", .args = command(), .doc = "run when the server comes up"},
    {.name = "notify_down", .args = command(), .doc = "run when the server goes down"},
    {.name = "smtp_alert",
     .args = {boolean()},
     .effect = Effect::inert,
     .fallback = "true",
     .doc = "mail when the server comes up or goes down",
     .notice = kNoMail},
    {.name = "delay_loop",
     .args = {positive_pace()},
     .fallback = "the service's",
     .doc = "time between two probes, seconds"},
    {.name = "retry",
     .args = {integer(0, kManyTries)},
     .fallback = "the service's",
     .doc = "further tries before the server is called down"},
    {.name = "delay_before_retry",
     .args = {pace()},
     .fallback = "the service's",
     .doc = "time between such tries, seconds"},
    {.name = "warmup",
     .args = {pace()},
     .fallback = "the service's",
     .doc = "the first probe happens within this random time, seconds"},
    {.name = "connect_timeout",
     .args = {positive_pace()},
     .fallback = "the service's",
     .doc = "time for one probe, seconds"},
    {.name = "virtualhost",
     .args = {word("host")},
     .fallback = "the service's",
     .doc = "Host header of HTTP checkers that name none"},
    {.name = "TCP_CHECK",
     .opens = Block::tcp_check,
     .doc = "up when a TCP connection is accepted",
     .repeatable = true},
    {.name = "HTTP_GET",
     .opens = Block::http_get,
     .doc = "up when every url answers as expected",
     .repeatable = true},
    {.name = "SSL_GET",
     .effect = Effect::known,
     .opens = Block::ssl_get,
     .notice = kAlwaysUp,
     .repeatable = true},
    {.name = "SMTP_CHECK",
     .effect = Effect::known,
     .opens = Block::smtp_check,
     .notice = kAlwaysUp,
     .repeatable = true},
    {.name = "DNS_CHECK",
     .effect = Effect::known,
     .opens = Block::dns_check,
     .notice = kAlwaysUp,
     .repeatable = true},
    {.name = "MISC_CHECK",
     .effect = Effect::known,
     .opens = Block::misc_check,
     .notice = kAlwaysUp,
     .repeatable = true},
    {.name = "UDP_CHECK",
     .effect = Effect::known,
     .opens = Block::udp_check,
     .notice = kAlwaysUp,
     .repeatable = true},
    {.name = "PING_CHECK",
     .effect = Effect::known,
     .opens = Block::ping_check,
     .notice = kAlwaysUp,
     .repeatable = true},
    {.name = "BFD_CHECK",
     .effect = Effect::known,
     .opens = Block::bfd_check,
     .notice = kAlwaysUp,
     .repeatable = true},
    {.name = "FILE_CHECK",
     .effect = Effect::known,
     .opens = Block::file_check,
     .notice = kAlwaysUp,
     .repeatable = true},
};

// The words that every connecting checker has.
#define HOLDFAST_CONNECT_ROWS(default_delay_before_retry)                                    \
  {.name = "connect_ip",                                                                     \
   .args = {of(ArgType::ip)},                                                                \
   .fallback = "the server's address",                                                       \
   .doc = "probe this address instead"},                                                     \
      {.name = "connect_port",                                                               \
       .args = {integer(1, 65535)},                                                          \
       .fallback = "the server's port",                                                      \
       .doc = "probe this port instead"},                                                    \
      {.name = "bindto", .args = {of(ArgType::ip)}, .doc = "source address of the probe"},   \
      {.name = "bind_port", .args = {integer(1, 65535)}, .doc = "source port of the probe"}, \
      {.name = "connect_timeout",                                                            \
       .args = {positive_pace()},                                                            \
       .fallback = "the server's, 5",                                                        \
       .doc = "time for one probe, seconds"},                                                \
      {.name = "retry",                                                                      \
       .args = {integer(0, kManyTries)},                                                     \
       .fallback = "the server's, 1",                                                        \
       .doc = "further tries before the server is called down"},                             \
      {.name = "nb_get_retry",                                                               \
       .args = {integer(0, kManyTries)},                                                     \
       .alias_of = "retry",                                                                  \
       .notice = kOldRetry},                                                                 \
      {.name = "delay_before_retry",                                                         \
       .args = {pace()},                                                                     \
       .fallback = "the server's, " default_delay_before_retry,                              \
       .doc = "time between such tries, seconds"},                                           \
      {.name = "warmup",                                                                     \
       .args = {pace()},                                                                     \
       .fallback = "the server's, delay_loop",                                               \
       .doc = "the first probe happens within this random time, seconds"},                   \
      {.name = "delay_loop",                                                                 \
       .args = {positive_pace()},                                                            \
       .fallback = "the server's, 60",                                                       \
       .doc = "time between two probes, seconds"},                                           \
  {                                                                                          \
    .name = "alpha", .args = {boolean()}, .fallback = "the server's",                        \
    .doc = "counts as failed until its first success"                                        \
  }

constexpr Keyword kTcpCheck[] = {HOLDFAST_CONNECT_ROWS("1")};

constexpr Keyword kHttpGet[] = {
    HOLDFAST_CONNECT_ROWS("3"),
    {.name = "virtualhost",
     .args = {word("host")},
     .fallback = "the server's",
     .doc = "Host header of urls that name none"},
    {.name = "http_protocol",
     .args = {choice("1.0 1.0C 1.1 1.0c")},
     .fallback = "1.0",
     .doc = "version of the request; 1.0C asks for the connection to be closed"},
    {.name = "url",
     .opens = Block::url,
     .doc = "one request; all have to pass",
     .repeatable = true},
};
#undef HOLDFAST_CONNECT_ROWS

constexpr Keyword kUrl[] = {
    {.name = "path",
     .args = {word("path")},
     .doc = "what to ask for, from the first slash on; required"},
    {.name = "status_code",
     .args = {repeated(of(ArgType::status_code))},
     .fallback = "200-299",
     .doc = "acceptable codes: single ones and ranges"},
    {.name = "digest",
     .args = {of(ArgType::digest)},
     .doc = "MD5 that the body must have, 32 hex digits"},
    {.name = "virtualhost",
     .args = {word("host")},
     .fallback = "the checker's",
     .doc = "Host header"},
    {.name = "regex",
     .effect = Effect::known,
     .notice =
         "Holdfast does not match bodies against 'regex' yet: only status code and digest decide"},
};

}  // namespace

std::span<const Keyword> virtual_server() {
  return kVirtualServer;
}
std::span<const Keyword> real_server() {
  return kRealServer;
}
std::span<const Keyword> tcp_check() {
  return kTcpCheck;
}
std::span<const Keyword> http_get() {
  return kHttpGet;
}
std::span<const Keyword> url() {
  return kUrl;
}

}  // namespace holdfast::config::rows
