// What checkers share: where they connect to, and when they run.
#include "config/builders/check.hpp"

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::int64_t kLargestMark = 4'294'967'295;

constexpr Keyword kConnect[] = {
    word("connect_ip", of(ArgType::ip), fallback("the server's address"),
         kOption<&ConnectOptions::connect_ip>, doc("probe this address instead")),
    word("connect_port", integer(1, 65535), fallback("the server's port"),
         kOption<&ConnectOptions::connect_port>, doc("probe this port instead")),
    word("bindto", of(ArgType::ip), kOption<&ConnectOptions::binding, &Binding::bindto>,
         doc("source address of the probe")),
    word("bind_port", integer(1, 65535), kOption<&ConnectOptions::binding, &Binding::bind_port>,
         doc("source port of the probe")),
    word("bind_if", of(ArgType::interface), kOption<&ConnectOptions::binding, &Binding::bind_if>,
         doc("interface that the probe leaves by")),
    word("fwmark", integer(0, kLargestMark), fallback("0"),
         kOption<&ConnectOptions::binding, &Binding::fwmark>,
         doc("firewall mark of the probe's packets")),
    word("connect_timeout", positive_pace(), fallback("the server's; 5"),
         kPaced<&ConnectOptions::connect_timeout, &CheckDefaults::connect_timeout>,
         doc("time for one probe, seconds")),
};

constexpr Keyword kPace[] = {
    word("retry", integer(0, kManyTries), fallback("the server's; 1, DNS_CHECK 3, MISC_CHECK 0"),
         kPaced<&ConnectOptions::retry, &CheckDefaults::retry>,
         doc("further tries before the server is called down")),
    word("nb_get_retry", integer(0, kManyTries), alias_of("retry"),
         notice("'nb_get_retry' is an old name: write 'retry'"), kDeprecated),
    word("delay_before_retry", pace(),
         fallback("the server's; 1, HTTP_GET and SSL_GET 3, DNS_CHECK delay_loop"),
         kPaced<&ConnectOptions::delay_before_retry, &CheckDefaults::delay_before_retry>,
         doc("time between such tries, seconds")),
    word("warmup", pace(), fallback("the server's; delay_loop"),
         kPaced<&ConnectOptions::warmup, &CheckDefaults::warmup>,
         doc("the first probe happens within this random time, seconds; 0 at once")),
    word("delay_loop", positive_pace(), fallback("the server's; 60"),
         kPaced<&ConnectOptions::delay_loop, &CheckDefaults::delay_loop>,
         doc("time between two probes, seconds")),
    word("alpha", boolean(), fallback("the server's"), kOption<&ConnectOptions::alpha>,
         doc("counts as failed until its first success")),
    word("log_all_failures", boolean(), fallback("checker_log_all_failures of global_defs"),
         kOption<&ConnectOptions::log_all_failures>,
         doc("log each failure while the check is up, not only the last one; of all checks at most "
             "60 lines a minute")),
};

}  // namespace

std::span<const Keyword> rows::connecting() {
  return kConnect;
}
std::span<const Keyword> rows::pacing() {
  return kPace;
}

}  // namespace holdfast::config
