// Rows of the table: the checkers of a real server, and SSL.
#include "config/schema/row.hpp"

namespace holdfast::config::rows {
namespace {

constexpr std::int64_t kLargestMark = 4'294'967'295;
constexpr std::int64_t kLargestPacket = 65535;
constexpr std::int64_t kLargestOffset = 2'147'483'647;

constexpr Keyword kConnect[] = {
    word("connect_ip", of(ArgType::ip), fallback("the server's address"),
         doc("probe this address instead")),
    word("connect_port", integer(1, 65535), fallback("the server's port"),
         doc("probe this port instead")),
    word("bindto", of(ArgType::ip), doc("source address of the probe")),
    word("bind_port", integer(1, 65535), doc("source port of the probe")),
    word("bind_if", of(ArgType::interface),
         not_yet(
             "Holdfast does not do 'bind_if' yet: the probe leaves by the interface of its route"),
         doc("interface that the probe leaves by")),
    word(
        "fwmark", integer(0, kLargestMark), fallback("0"),
        not_yet("Holdfast does not mark probes yet: rules that look for this mark do not see them"),
        doc("firewall mark of the probe's packets")),
    word("connect_timeout", positive_pace(), fallback("the server's; 5"),
         doc("time for one probe, seconds")),
};

constexpr Keyword kPace[] = {
    word("retry", integer(0, kManyTries), fallback("the server's; 1, DNS_CHECK 3, MISC_CHECK 0"),
         doc("further tries before the server is called down")),
    word("nb_get_retry", integer(0, kManyTries), alias_of("retry"),
         notice("'nb_get_retry' is an old name: write 'retry'"), kDeprecated),
    word("delay_before_retry", pace(),
         fallback("the server's; 1, HTTP_GET and SSL_GET 3, DNS_CHECK delay_loop"),
         doc("time between such tries, seconds")),
    word("warmup", pace(), fallback("the server's; delay_loop"),
         doc("the first probe happens within this random time, seconds; 0 at once")),
    word("delay_loop", positive_pace(), fallback("the server's; 60"),
         doc("time between two probes, seconds")),
    word("alpha", boolean(), fallback("the server's"),
         doc("counts as failed until its first success")),
    word("log_all_failures", boolean(), fallback("checker_log_all_failures of global_defs"),
         not_yet("accepted, without effect yet: 'log_all_failures' (changes are logged, single "
                 "failures are shown by status)"),
         doc("log each failure, not only changes")),
};

constexpr Keyword kHttpGet[] = {
    word("virtualhost", text("host"), fallback("the server's"),
         doc("Host header of urls that name none")),
    word("http_protocol", choice("1.0 1.0C 1.1 1.0c"), fallback("1.0"),
         doc("version of the request; 1.0C asks for the connection to be closed")),
    word("enable_sni", boolean(), fallback("false"), doc("send the host's name in the TLS hello")),
    word("sni_name", optional(text("name")), since("2.4"), doc("send this name in the TLS hello")),
    word(
        "fast_recovery", boolean(), fallback("false"),
        not_yet("accepted, without effect: 'fast_recovery' (Holdfast asks all urls in each probe)"),
        doc("all urls are asked one behind the other, without delay_loop between them")),
    word("url", opens(Block::url), kRepeatable, doc("one request; all have to pass")),
};

constexpr Keyword kSslGet[] = {
    word("tls_compliant", boolean(), fallback("false"), doc("the server must close TLS in order")),
};

constexpr std::string_view kRegexOptions =
    "allow_empty_class alt_bsux auto_callout caseless dollar_endonly dotall dupnames extended "
    "firstline match_unset_backref multiline never_ucp never_utf no_auto_capture no_auto_possess "
    "no_dotstar_anchor no_start_optimize ucp ungreedy utf never_backslash_c alt_circumflex "
    "alt_verbnames use_offset_limit";

constexpr Keyword kUrl[] = {
    word("path", text("path"), kRequired, doc("what to ask for, from the first slash on")),
    word("status_code", repeated(of(ArgType::status_code)), fallback("200-299"),
         doc("acceptable codes: single ones and ranges")),
    word("digest", of(ArgType::digest), doc("MD5 that the body must have, 32 hex digits")),
    word("virtualhost", text("host"), fallback("the checker's"), doc("Host header")),
    word("regex", text("regular expression"),
         not_yet("Holdfast does not match bodies against 'regex' yet: only status code and digest "
                 "decide"),
         doc("the body must match this regular expression (PCRE2)")),
    word("regex_no_match", doc("the body must not match 'regex'")),
    word("regex_options", repeated(choice(kRegexOptions)), doc("options of PCRE2 for 'regex'")),
    word("regex_min_offset", integer(0, kLargestOffset),
         doc("a match begins at this byte of the body or behind it")),
    word("regex_max_offset", integer(0, kLargestOffset),
         doc("a match begins before this byte of the body")),
    word(
        "regex_stack", integer(0, kLargestOffset), integer(0, kLargestOffset),
        not_kept("accepted, without effect: 'regex_stack' (memory for matching is not limited so)"),
        doc("memory for matching 'regex': at first, at most; bytes")),
    word("tls_compliant", boolean(), fallback("the checker's"),
         doc("the server must close TLS in order")),
};

constexpr Keyword kSmtpCheck[] = {
    word("helo_name", text("name"), fallback("smtp_helo_name of global_defs"),
         doc("name in the HELO command")),
    word("host", opens(Block::smtp_host),
         notice("'host' is an old way to name targets: write an SMTP_CHECK for each"), kRepeatable,
         kDeprecated,
         doc("a target of its own; the SMTP_CHECK then only says what its hosts have in common")),
};

constexpr Keyword kDnsCheck[] = {
    word("type", choice("A NS CNAME SOA MX TXT AAAA RRSIG DNSKEY"), fallback("SOA"),
         doc("type of record to ask for")),
    word("name", text("name"), fallback("."), doc("name to ask for")),
};

constexpr Keyword kMiscCheck[] = {
    word("misc_path", of(ArgType::script), kRequired,
         doc("command that is run; exit code 0 is a success")),
    word("misc_timeout", positive_pace(), fallback("delay_loop"),
         doc("the command is ended after this time, seconds")),
    word("misc_dynamic", doc("exit codes 2 to 255 are successes with a weight of the code less 2")),
    word("user", text("user"), optional(text("group")), fallback("script_user of global_defs"),
         doc("who runs the command")),
};

constexpr Keyword kUdpCheck[] = {
    word("payload", repeated(of(ArgType::hex)),
         doc("bytes to send, hexadecimal; without it the bytes are random")),
    word("require_reply", optional(repeated(Arg{.type = ArgType::hex, .words = "X"})),
         doc("an answer is needed, and has to begin with these bytes; X is any half byte")),
    word("min_reply_length", integer(0, kLargestPacket), fallback("0"),
         doc("shortest answer, bytes")),
    word("max_reply_length", integer(0, kLargestPacket), fallback("255"),
         doc("longest answer, bytes")),
};

constexpr Keyword kBfdCheck[] = {
    word("name", text("name of a bfd_instance"), kRequired, doc("session")),
    word("alpha", boolean(), fallback("the server's"),
         doc("counts as failed until the session is up")),
};

constexpr Keyword kFileCheck[] = {
    word("track_file", text("name of a track_file"), kRequired,
         doc("file whose number is added to the weight")),
    word("weight", integer(-2'147'483'647, 2'147'483'647), optional(choice("reverse noreverse")),
         fallback("the track_file's"), doc("the number is multiplied by this first")),
    word("dynamic",
         not_kept("accepted, without effect: 'dynamic' (a FILE_CHECK always changes the weight)"),
         doc("left over from keepalived 2.2")),
};

}  // namespace

std::span<const Keyword> connecting() {
  return kConnect;
}
std::span<const Keyword> pacing() {
  return kPace;
}
std::span<const Keyword> http_get() {
  return kHttpGet;
}
std::span<const Keyword> ssl_get() {
  return kSslGet;
}
std::span<const Keyword> url() {
  return kUrl;
}
std::span<const Keyword> smtp_check() {
  return kSmtpCheck;
}
std::span<const Keyword> dns_check() {
  return kDnsCheck;
}
std::span<const Keyword> misc_check() {
  return kMiscCheck;
}
std::span<const Keyword> udp_check() {
  return kUdpCheck;
}
std::span<const Keyword> bfd_check() {
  return kBfdCheck;
}
std::span<const Keyword> file_check() {
  return kFileCheck;
}

}  // namespace holdfast::config::rows
