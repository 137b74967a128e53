// Rows of the table: virtual_server_group, virtual_server, real_server and the options of tunnels.
// The checkers are in schema_check.cpp.
#include "config/schema/row.hpp"

namespace holdfast::config::rows {
namespace {

constexpr std::int64_t kLargestWeight = 2'147'483'647;
constexpr std::int64_t kLargestMark = 4'294'967'295;

constexpr std::string_view kNoMail =
    "accepted, without effect yet: mail settings (Holdfast does not send mail yet)";
constexpr std::string_view kNoSnmp =
    "accepted, without effect yet: 'snmp_name' (Holdfast does not do SNMP yet)";
constexpr std::string_view kForwarding = "NAT DR TUN";

constexpr Keyword kGroup[] = {
    word("fwmark", integer(1, kLargestMark), optional(choice("inet inet6")), kRepeatable,
         doc("entry: packets with this firewall mark; else ADDRESS[-LAST|/LENGTH] [PORT]")),
};

constexpr Keyword kTunnel[] = {
    word("type", choice("ipip gue gre"), fallback("ipip"), doc("how packets are wrapped")),
    word("port", integer(1, 65535), doc("UDP port of a gue tunnel; required there")),
    word("nocsum", doc("no checksum in the tunnel's header")),
    word("csum", doc("checksum in the header of a gue or gre tunnel")),
    word("remcsum", doc("remote checksum offload, gue only")),
};

constexpr Keyword kVirtualServer[] = {
    word("delay_loop", positive_pace(), fallback("60"), doc("time between two probes, seconds")),
    word("retry", integer(0, kManyTries), fallback("1"),
         doc("further tries before a server is called down")),
    word("delay_before_retry", pace(), fallback("1; HTTP_GET 3"),
         doc("time between such tries, seconds")),
    word("warmup", pace(), fallback("delay_loop"),
         doc("the first probe happens within this random time, seconds; 0 at once")),
    word("connect_timeout", positive_pace(), fallback("5"), doc("time for one probe, seconds")),
    word("lb_algo", of(ArgType::scheduler), fallback("wlc"),
         doc("scheduler: rr wrr lc wlc lblc lblcr dh sh mh sed nq fo ovf")),
    word("lvs_sched", of(ArgType::scheduler), alias_of("lb_algo")),
    word("lb_kind", choice(kForwarding), options(Block::tunnel_line), fallback("NAT"),
         doc("how packets reach a real server: NAT, DR or TUN")),
    word("lvs_method", choice(kForwarding), options(Block::tunnel_line), alias_of("lb_kind")),
    word("protocol", Arg{.type = ArgType::choice_any_case, .words = "TCP UDP SCTP"},
         fallback("UDP"), doc("TCP, UDP or SCTP; say it always")),
    word("nat_mask", of(ArgType::netmask),
         not_yet("accepted, without effect: 'nat_mask' (keepalived dropped it in 2015; it can be "
                 "removed)"),
         doc("left over from old tutorials")),
    word("persistence_timeout", optional(integer(0, kWeek31)), fallback("0, not persistent"),
         doc("a client stays with its server for this long, seconds; 360 without a number")),
    word("persistence_granularity", of(ArgType::netmask), fallback("255.255.255.255"),
         doc("clients that are equal under this mask share a server")),
    word("ops", doc("every UDP packet is scheduled by itself")),
    word("ha_suspend",
         not_yet("Holdfast does not do 'ha_suspend' yet: backups probe the real servers as well"),
         doc("probe only while the virtual address is on this host")),
    word("smtp_alert", boolean(), fallback("false"), not_yet(kNoMail),
         doc("mail when quorum is won or lost")),
    word("virtualhost", text("host"), doc("Host header of HTTP checkers that name none")),
    word("alpha", boolean(), fallback("false"),
         doc("servers are not used before their first success")),
    word("omega", boolean(), fallback("false"),
         doc("run notify_down and quorum_down at an orderly stop")),
    word("quorum", integer(1, kLargestWeight), fallback("1"),
         doc("sum of weights needed to serve")),
    word("hysteresis", integer(0, kLargestWeight), fallback("0"),
         doc("quorum is won at quorum + hysteresis, lost below quorum - hysteresis")),
    word("quorum_up", command(), doc("run when quorum is won")),
    word("quorum_down", command(), doc("run when quorum is lost")),
    word("weight", integer(0, kLargestWeight), fallback("1"),
         doc("weight of servers that name none")),
    word("inhibit_on_failure", boolean(), fallback("false"),
         doc("failed servers get weight 0 instead of leaving the table")),
    word("sorry_server", of(ArgType::ip), optional(integer(0, 65535)),
         doc("serves while quorum is lost")),
    word("sorry_server_inhibit", doc("the sorry server stays in the table with weight 0")),
    word("sorry_server_lvs_method", choice(kForwarding), options(Block::tunnel_line),
         fallback("lb_kind"), doc("how packets reach the sorry server")),
    word("real_server", of(ArgType::ip), optional(integer(0, 65535)), opens(Block::real_server),
         kRepeatable, doc("one server of the pool")),
    word("ip_family", choice("inet inet6"), fallback("that of the servers"),
         doc("family of a service by firewall mark")),
    word("hashed",
         not_yet("accepted, without effect: 'hashed' (the kernel sets this flag by itself)"),
         doc("left over: the kernel sets this flag by itself")),
    word("flag-1", doc("flag 1 of the scheduler")),
    word("flag-2", doc("flag 2 of the scheduler")),
    word("flag-3", doc("flag 3 of the scheduler")),
    word("sh-port", doc("scheduler sh: the client's port decides as well")),
    word("sh-fallback", doc("scheduler sh: another server when the chosen one is down")),
    word("mh-port", doc("scheduler mh: the client's port decides as well")),
    word("mh-fallback", doc("scheduler mh: another server when the chosen one is down")),
    word("persistence_engine", choice("sip"), fallback("the client's address"),
         doc("what makes packets one client's: sip is the call identifier")),
    word("snmp_name", text("name"), not_yet(kNoSnmp), doc("name of the service for SNMP")),
    word("real_group", text("name"),
         not_kept("accepted, without effect: 'real_group' (never completed, dropped in 2003)"),
         doc("left over from keepalived 1.0")),
    word("lb_flags", repeated(text("flag")),
         not_kept("accepted, without effect: 'lb_flags' (write sh-port, sh-fallback, mh-port or "
                  "mh-fallback)"),
         doc("left over from keepalived 1.2")),
};

constexpr Keyword kRealServer[] = {
    word("weight", integer(0, kLargestWeight), fallback("1"),
         doc("share of the connections; 0 takes no new ones")),
    word("lvs_method", choice(kForwarding), options(Block::tunnel_line), fallback("lb_kind"),
         doc("how packets reach this server")),
    word("uthreshold", integer(0, kLargestWeight), fallback("0"),
         doc("no new connections above this many")),
    word("lthreshold", integer(0, kLargestWeight), fallback("0"),
         doc("new connections again below this many")),
    word("inhibit_on_failure", boolean(), fallback("the service's"),
         doc("failed: weight 0 instead of leaving the table")),
    word("alpha", boolean(), fallback("the service's"), doc("not used before its first success")),
    word("notify_up", command(), doc("run when the server comes up")),
    word("notify_down", command(), doc("run when the server goes down")),
    word("smtp_alert", boolean(), fallback("true"), not_yet(kNoMail),
         doc("mail when the server comes up or goes down")),
    word("delay_loop", positive_pace(), fallback("the service's"),
         doc("time between two probes, seconds")),
    word("retry", integer(0, kManyTries), fallback("the service's"),
         doc("further tries before the server is called down")),
    word("delay_before_retry", pace(), fallback("the service's"),
         doc("time between such tries, seconds")),
    word("warmup", pace(), fallback("the service's"),
         doc("the first probe happens within this random time, seconds")),
    word("connect_timeout", positive_pace(), fallback("the service's"),
         doc("time for one probe, seconds")),
    word("virtualhost", text("host"), fallback("the service's"),
         doc("Host header of HTTP checkers that name none")),
    word("TCP_CHECK", opens(Block::tcp_check), kRepeatable,
         doc("up when a TCP connection is accepted")),
    word("HTTP_GET", opens(Block::http_get), kRepeatable,
         doc("up when every url answers as expected")),
    word("SSL_GET", opens(Block::ssl_get),
         not_yet("Holdfast does not do SSL_GET yet: without another checker the server counts as "
                 "always up"),
         kRepeatable, doc("up when every url answers as expected, over TLS")),
    word(
        "SMTP_CHECK", opens(Block::smtp_check),
        not_yet("Holdfast does not do SMTP_CHECK yet: without another checker the server counts as "
                "always up"),
        kRepeatable, doc("up when a mail server greets and takes HELO")),
    word("DNS_CHECK", opens(Block::dns_check),
         not_yet("Holdfast does not do DNS_CHECK yet: without another checker the server counts as "
                 "always up"),
         kRepeatable, doc("up when a DNS question is answered")),
    word(
        "MISC_CHECK", opens(Block::misc_check),
        not_yet("Holdfast does not do MISC_CHECK yet: without another checker the server counts as "
                "always up"),
        kRepeatable, doc("up when a command exits with 0")),
    word("UDP_CHECK", opens(Block::udp_check),
         not_yet("Holdfast does not do UDP_CHECK yet: without another checker the server counts as "
                 "always up"),
         kRepeatable, doc("up unless a datagram is refused, or when it is answered")),
    word(
        "PING_CHECK", opens(Block::ping_check),
        not_yet("Holdfast does not do PING_CHECK yet: without another checker the server counts as "
                "always up"),
        kRepeatable, doc("up when ICMP echo is answered")),
    word("BFD_CHECK", opens(Block::bfd_check),
         not_yet("Holdfast does not do BFD_CHECK yet: without another checker the server counts as "
                 "always up"),
         kRepeatable, doc("up while a BFD session is")),
    word(
        "FILE_CHECK", opens(Block::file_check),
        not_yet("Holdfast does not do FILE_CHECK yet: without another checker the server counts as "
                "always up"),
        kRepeatable, doc("the number in a file is added to the weight")),
    word("snmp_name", text("name"), not_yet(kNoSnmp), doc("name of the server for SNMP")),
    word("lvs_weight", integer(0, kLargestWeight),
         not_kept("accepted, without effect: 'lvs_weight' (write 'weight')"),
         doc("left over from keepalived 2.0")),
    word("quorum_weight", integer(0, kLargestWeight),
         not_kept("accepted, without effect: 'quorum_weight' (the quorum goes by 'weight')"),
         doc("left over from keepalived 2.0")),
    word("CI-LINUX", opens(Block::tcp_check),
         not_kept("accepted, without effect: 'CI-LINUX' (dropped in 2004): without another checker "
                  "the server counts as always up"),
         kRepeatable, doc("left over: a checker that keepalived dropped in 2004")),
};

}  // namespace

std::span<const Keyword> virtual_server() {
  return kVirtualServer;
}
std::span<const Keyword> real_server() {
  return kRealServer;
}
std::span<const Keyword> virtual_server_group() {
  return kGroup;
}
std::span<const Keyword> tunnel_line() {
  return kTunnel;
}

}  // namespace holdfast::config::rows
