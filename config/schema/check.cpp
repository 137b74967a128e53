// Rows of the table: the checkers of a real server, and SSL.
#include "config/schema/schema.hpp"

namespace holdfast::config::rows {
namespace {

constexpr std::int64_t kLargestMark = 4'294'967'295;
constexpr std::int64_t kLargestPacket = 65535;
constexpr std::int64_t kLargestOffset = 2'147'483'647;

constexpr Keyword kConnect[] = {
    {.name = "connect_ip",
     .args = {of(ArgType::ip)},
     .fallback = "the server's address",
     .doc = "probe this address instead"},
    {.name = "connect_port",
     .args = {integer(1, 65535)},
     .fallback = "the server's port",
     .doc = "probe this port instead"},
    {.name = "bindto", .args = {of(ArgType::ip)}, .doc = "source address of the probe"},
    {.name = "bind_port", .args = {integer(1, 65535)}, .doc = "source port of the probe"},
    {.name = "bind_if",
     .args = {of(ArgType::interface)},
     .effect = Effect::inert,
     .doc = "interface that the probe leaves by",
     .notice =
         "Holdfast does not do 'bind_if' yet: the probe leaves by the interface of its route"},
    {.name = "fwmark",
     .args = {integer(0, kLargestMark)},
     .effect = Effect::inert,
     .fallback = "0",
     .doc = "firewall mark of the probe's packets",
     .notice = "Holdfast does not mark probes yet: rules that look for this mark do not see them"},
    {.name = "connect_timeout",
     .args = {positive_pace()},
     .fallback = "the server's; 5",
     .doc = "time for one probe, seconds"},
};

constexpr Keyword kPace[] = {
    {.name = "retry",
     .args = {integer(0, kManyTries)},
     .fallback = "the server's; 1, DNS_CHECK 3, MISC_CHECK 0",
     .doc = "further tries before the server is called down"},
    {.name = "nb_get_retry",
     .args = {integer(0, kManyTries)},
     .alias_of = "retry",
     .notice = "'nb_get_retry' is an old name: write 'retry'",
     .deprecated = true},
    {.name = "delay_before_retry",
     .args = {pace()},
     .fallback = "the server's; 1, HTTP_GET and SSL_GET 3, DNS_CHECK delay_loop",
     .doc = "time between such tries, seconds"},
    {.name = "warmup",
     .args = {pace()},
     .fallback = "the server's; delay_loop",
     .doc = "the first probe happens within this random time, seconds; 0 at once"},
    {.name = "delay_loop",
     .args = {positive_pace()},
     .fallback = "the server's; 60",
     .doc = "time between two probes, seconds"},
    {.name = "alpha",
     .args = {boolean()},
     .fallback = "the server's",
     .doc = "counts as failed until its first success"},
    {.name = "log_all_failures",
     .args = {boolean()},
     .effect = Effect::inert,
     .fallback = "checker_log_all_failures of global_defs",
     .doc = "log each failure, not only changes",
     .notice = "accepted, without effect yet: 'log_all_failures' (changes are logged, single "
               "failures are shown by status)"},
};

constexpr Keyword kHttpGet[] = {
    {.name = "virtualhost",
     .args = {word("host")},
     .fallback = "the server's",
     .doc = "Host header of urls that name none"},
    {.name = "http_protocol",
     .args = {choice("1.0 1.0C 1.1 1.0c")},
     .fallback = "1.0",
     .doc = "version of the request; 1.0C asks for the connection to be closed"},
    {.name = "enable_sni",
     .args = {boolean()},
     .fallback = "false",
     .doc = "send the host's name in the TLS hello"},
    {.name = "sni_name",
     .args = {optional(word("name"))},
     .doc = "send this name in the TLS hello",
     .since = "2.4"},
    {.name = "fast_recovery",
     .args = {boolean()},
     .effect = Effect::inert,
     .fallback = "false",
     .doc = "all urls are asked one behind the other, without delay_loop between them",
     .notice = "accepted, without effect: 'fast_recovery' (Holdfast asks all urls in each probe)"},
    {.name = "url",
     .opens = Block::url,
     .doc = "one request; all have to pass",
     .repeatable = true},
};

constexpr Keyword kSslGet[] = {
    {.name = "tls_compliant",
     .args = {boolean()},
     .fallback = "false",
     .doc = "the server must close TLS in order"},
};

constexpr std::string_view kRegexOptions =
    "allow_empty_class alt_bsux auto_callout caseless dollar_endonly dotall dupnames extended "
    "firstline match_unset_backref multiline never_ucp never_utf no_auto_capture no_auto_possess "
    "no_dotstar_anchor no_start_optimize ucp ungreedy utf never_backslash_c alt_circumflex "
    "alt_verbnames use_offset_limit";

constexpr Keyword kUrl[] = {
    {.name = "path",
     .args = {word("path")},
     .doc = "what to ask for, from the first slash on",
     .required = true},
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
     .args = {word("regular expression")},
     .effect = Effect::inert,
     .doc = "the body must match this regular expression (PCRE2)",
     .notice =
         "Holdfast does not match bodies against 'regex' yet: only status code and digest decide"},
    {.name = "regex_no_match", .doc = "the body must not match 'regex'"},
    {.name = "regex_options",
     .args = {repeated(choice(kRegexOptions))},
     .doc = "options of PCRE2 for 'regex'"},
    {.name = "regex_min_offset",
     .args = {integer(0, kLargestOffset)},
     .doc = "a match begins at this byte of the body or behind it"},
    {.name = "regex_max_offset",
     .args = {integer(0, kLargestOffset)},
     .doc = "a match begins before this byte of the body"},
    {.name = "regex_stack",
     .args = {integer(0, kLargestOffset), integer(0, kLargestOffset)},
     .effect = Effect::checked,
     .doc = "memory for matching 'regex': at first, at most; bytes",
     .notice = "accepted, without effect: 'regex_stack' (memory for matching is not limited so)"},
    {.name = "tls_compliant",
     .args = {boolean()},
     .fallback = "the checker's",
     .doc = "the server must close TLS in order"},
};

constexpr Keyword kSmtpCheck[] = {
    {.name = "helo_name",
     .args = {word("name")},
     .fallback = "smtp_helo_name of global_defs",
     .doc = "name in the HELO command"},
    {.name = "host",
     .opens = Block::smtp_host,
     .doc = "a target of its own; the SMTP_CHECK then only says what its hosts have in common",
     .notice = "'host' is an old way to name targets: write an SMTP_CHECK for each",
     .repeatable = true,
     .deprecated = true},
};

constexpr Keyword kDnsCheck[] = {
    {.name = "type",
     .args = {choice("A NS CNAME SOA MX TXT AAAA RRSIG DNSKEY")},
     .fallback = "SOA",
     .doc = "type of record to ask for"},
    {.name = "name", .args = {word("name")}, .fallback = ".", .doc = "name to ask for"},
};

constexpr Keyword kMiscCheck[] = {
    {.name = "misc_path",
     .args = {of(ArgType::script)},
     .doc = "command that is run; exit code 0 is a success",
     .required = true},
    {.name = "misc_timeout",
     .args = {positive_pace()},
     .fallback = "delay_loop",
     .doc = "the command is ended after this time, seconds"},
    {.name = "misc_dynamic",
     .doc = "exit codes 2 to 255 are successes with a weight of the code less 2"},
    {.name = "user",
     .args = {word("user"), optional(word("group"))},
     .fallback = "script_user of global_defs",
     .doc = "who runs the command"},
};

constexpr Keyword kUdpCheck[] = {
    {.name = "payload",
     .args = {repeated(of(ArgType::hex))},
     .doc = "bytes to send, hexadecimal; without it the bytes are random"},
    {.name = "require_reply",
     .args = {optional(repeated(Arg{.type = ArgType::hex, .words = "X"}))},
     .doc = "an answer is needed, and has to begin with these bytes; X is any half byte"},
    {.name = "min_reply_length",
     .args = {integer(0, kLargestPacket)},
     .fallback = "0",
     .doc = "shortest answer, bytes"},
    {.name = "max_reply_length",
     .args = {integer(0, kLargestPacket)},
     .fallback = "255",
     .doc = "longest answer, bytes"},
};

constexpr Keyword kBfdCheck[] = {
    {.name = "name", .args = {word("name of a bfd_instance")}, .doc = "session", .required = true},
    {.name = "alpha",
     .args = {boolean()},
     .fallback = "the server's",
     .doc = "counts as failed until the session is up"},
};

constexpr Keyword kFileCheck[] = {
    {.name = "track_file",
     .args = {word("name of a track_file")},
     .doc = "file whose number is added to the weight",
     .required = true},
    {.name = "weight",
     .args = {integer(-2'147'483'647, 2'147'483'647), optional(choice("reverse noreverse"))},
     .fallback = "the track_file's",
     .doc = "the number is multiplied by this first"},
    {.name = "dynamic",
     .effect = Effect::checked,
     .doc = "left over from keepalived 2.2",
     .notice = "accepted, without effect: 'dynamic' (a FILE_CHECK always changes the weight)"},
};

constexpr Keyword kSsl[] = {
    {.name = "password",
     .args = {word("password")},
     .doc = "password of the key file",
     .secret = true},
    {.name = "ca", .args = {word("file")}, .doc = "file of certificate authorities"},
    {.name = "certificate", .args = {word("file")}, .doc = "file of our certificate"},
    {.name = "key", .args = {word("file")}, .doc = "file of our private key"},
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
std::span<const Keyword> ssl() {
  return kSsl;
}

}  // namespace holdfast::config::rows
