// lvs_sysctl: the kernel's switches of IPVS by their own names, below /proc/sys/net/ipv4/vs. Bounds
// are the kernel's (net/netfilter/ipvs/ip_vs_ctl.c). A block of Holdfast, not of keepalived.
#include "config/words/meaning.hpp"

#include <fmt/format.h>

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::int64_t kAny31 = 2'147'483'647;
constexpr std::int64_t kMostConnections = 1'073'741'824;  // IP_VS_CONN_MAX of Linux 7: 2^30

/// As the kernel prints it: numbers without leading zeros, one blank between two.
std::string value_of(const Args& args) {
  std::string text;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (i > 0) text += ' ';
    text += args.row().args[0].type == ArgType::integer ? fmt::format("{}", args.number(i))
                                                        : args.text(i);
  }
  return text;
}

std::vector<std::string> words_of(std::string_view value) {
  std::vector<std::string> words;
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(' '), value.size());
    words.emplace_back(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return words;
}

/// One entry of the map, named as its word.
constexpr Bound kSwitch{
    [](void* object, const Args& args) {
      static_cast<LvsSysctl*>(object)->values[std::string(args.row().name)] = value_of(args);
    },
    [](const void* object, const void*, const Keyword& row, Writer& out) {
      const auto& values = static_cast<const LvsSysctl*>(object)->values;
      const auto at = values.find(row.name);
      if (at == values.end()) return;
      const bool is_text = row.args[0].type == ArgType::word;
      out.statement(row.name, is_text ? std::vector{at->second} : words_of(at->second));
    }};

consteval Keyword on_off(std::string_view name, std::string_view says) {
  return word(name, integer(0, 1), kSwitch, doc(says));
}

constexpr Keyword kSwitches[] = {
    word("restore_on_stop", value<&LvsSysctl::restore_on_stop>,
         doc("a stop gives back what was there; without it, only a reload without the word does")),

    // how connections end and move
    on_off("conntrack", "1: connections of NAT services are known to the firewall"),
    on_off("snat_reroute", "1: answers of NAT services are routed again"),
    on_off("expire_nodest_conn",
           "1: connections of a server that was removed end with their next packet"),
    on_off("expire_quiescent_template", "1: weight 0 ends the persistence of clients, too"),
    word("conn_reuse_mode", integer(0, 3), kSwitch,
         doc("a client's port that comes again: 1 is scheduled anew when that is safe, 2 also in "
             "FIN_WAIT, 0 never")),
    on_off("sloppy_tcp", "1: a connection is taken over in its middle, for mh and sh"),
    on_off("sloppy_sctp", "1: the same for SCTP"),
    on_off("schedule_icmp", "1: ICMP errors of unknown connections are scheduled"),
    on_off("ignore_tunneled", "1: what came out of a tunnel is not scheduled again"),
    on_off("nat_icmp_send", "1: an answer of nobody's connection is refused with ICMP"),
    on_off("pmtu_disc", "0: packets too large for a tunnel are fragmented, not refused"),
    on_off("cache_bypass", "1: a transparent cache without servers is passed by"),
    on_off("backup_only", "1: a backup of the synchronisation schedules nothing"),

    // defences
    word("drop_entry", integer(0, 3), kSwitch,
         doc("half-open connections are dropped: 1 when memory is short, 3 always")),
    word("drop_packet", integer(0, 3), kSwitch,
         doc("one packet of am_droprate is dropped: 1 when memory is short, 3 always")),
    word("secure_tcp", integer(0, 3), kSwitch,
         doc("shorter timeouts of TCP: 1 when memory is short, 3 always")),
    word("amemthresh", integer(0, kAny31), kSwitch, doc("free memory that is short, pages")),
    word("am_droprate", integer(1, kAny31), kSwitch, doc("see drop_packet")),

    // synchronisation
    word("sync_version", integer(0, 1), kSwitch, doc("0: as kernels before 2.6.39 speak")),
    word("sync_ports", choice("1 2 4 8 16 32 64"), kSwitch,
         doc("threads and UDP ports of each daemon, the same on all directors")),
    word("sync_threshold", repeated(integer(0, kAny31)), kSwitch,
         doc("packets before a connection is told, and between two tellings")),
    word("sync_refresh_period", integer(0, kAny31), kSwitch,
         doc("told again when this much of its timeout is over, seconds")),
    word("sync_retries", integer(0, 3), kSwitch, doc("tellings that are repeated")),
    on_off("sync_persist_mode", "1: only persistence is told"),
    word("sync_qlen_max", integer(0, kAny31), kSwitch, doc("most messages that wait")),
    word("sync_sock_size", integer(0, kAny31), kSwitch, doc("buffer of the sockets, bytes")),

    // work and tables
    on_off("run_estimation", "0: no rates are counted"),
    word("est_cpulist", text("processors"), kSwitch, doc("who counts rates; Linux 6.2")),
    word("est_nice", integer(-20, 19), kSwitch, doc("nice value of those threads; Linux 6.2")),
    word("conn_lfactor", integer(-8, 8), kSwitch,
         doc("connections a bucket of their table, as a power of two; Linux 7.1")),
    word("svc_lfactor", integer(-8, 8), kSwitch, doc("the same for services; Linux 7.1")),
    word("conn_max", integer(1, kMostConnections), kSwitch,
         doc("most connections; what is beyond vanishes without an answer; Linux 7.1")),
};

}  // namespace

std::span<const Keyword> rows::lvs_sysctl() {
  return kSwitches;
}

}  // namespace holdfast::config
