// HTTP_GET and SSL_GET: their words, what each reads and writes, and how a check is made of them.
#include "config/builders/check.hpp"
#include "config/pattern_text.hpp"

#include <fmt/format.h>

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::int64_t kLargestOffset = 2'147'483'647;

struct UrlDraft : HttpUrl {
  using Object = HttpUrl;

  TextRange regex;
  TextRange pattern_option;  // the last word that needs `regex`
};

void read_status_codes(HttpUrl& url, const Args& args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    url.status_codes.push_back({static_cast<std::uint16_t>(args.value(i).number),
                                static_cast<std::uint16_t>(args.value(i).last)});
  }
}
void write_status_codes(const HttpUrl& url, Writer& out) {
  if (out.detail() != Detail::all && url.status_codes == std::vector<StatusRange>{{}}) return;
  std::vector<std::string> codes;
  for (const StatusRange& range : url.status_codes) {
    codes.push_back(range.first == range.last ? fmt::format("{}", range.first)
                                              : fmt::format("{}-{}", range.first, range.last));
  }
  out.statement("status_code", std::move(codes));
}

void read_digest(HttpUrl& url, const Args& args) {
  url.digest = args.text(0);
  for (char& digit : url.digest) {
    if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
  }
}

template <auto kMember>
void read_pattern(UrlDraft& draft, const Args& args) {
  read_value(draft.pattern.ensure().*kMember, args);
  (args.row().name == "regex" ? draft.regex : draft.pattern_option) = args.statement().range;
}
template <auto kMember>
inline constexpr rows::Bound kPattern{reads<read_pattern<kMember>>.read,
                                      value<&HttpUrl::pattern, kMember>.write};

void finish_pattern(UrlDraft& draft, Reporter& reporter) {
  if (!draft.pattern) return;
  if (!draft.pattern->regex.empty()) {
    if (const auto compiled = core::Pattern::compile(pattern_text(*draft.pattern)); !compiled) {
      reporter.warning(draft.regex, fmt::format("{}: this check is never tried, and says nothing "
                                                "about its server",
                                                compiled.error().message));
    }
    return;
  }
  draft.pattern.reset();
  if (draft.pattern_option.length == 0) return;
  reporter.warning(draft.pattern_option, "this has no effect: the 'url' has no 'regex'",
                   "add a 'regex', or remove this line");
}

void read_url(CheckDraft& check, const Args& args) {
  Reporter& reporter = args.context().reporter;
  UrlDraft draft;
  HttpUrl& url = draft;
  url.location = args.location();
  read_body(args, draft);
  if (url.path.empty() && !mentions(args.context(), args.statement(), "path")) {
    reporter.warning(args.statement().range, "this 'url' has no 'path': / is asked for",
                     "add the path to ask for, such as 'path /'");
  }
  if (url.path.empty()) url.path.push_back('/');
  if (url.status_codes.empty()) url.status_codes.push_back({});
  finish_pattern(draft, reporter);
  check.as<HttpCheck>().urls.push_back(std::move(url));
}
void write_urls(const CheckView& view, Writer& out) {
  HttpUrl standard;
  standard.virtualhost = view.around.virtualhost;
  for (const HttpUrl& url : std::get<HttpCheck>(view.check).urls) {
    Writer body = body_of(out.block("url"), out.detail());
    write_words(Block::url, url, standard, body);
  }
}

void read_virtualhost(CheckDraft& draft, const Args& args) {
  draft.own.virtualhost = args.text(0);
}

void read_protocol(CheckDraft& draft, const Args& args) {
  constexpr std::array kProtocols = {HttpProtocol::http_1_0, HttpProtocol::http_1_0_close,
                                     HttpProtocol::http_1_1, HttpProtocol::http_1_0_close};
  draft.as<HttpCheck>().http_protocol = kProtocols[args.as<std::size_t>(0)];
}

void read_sni_name(CheckDraft& draft, const Args& args) {
  auto& http = draft.as<HttpCheck>();
  http.enable_sni = true;
  http.sni_name = args.has(0) ? args.text(0) : std::string();
}

void write_enable_sni(const CheckView& view, Writer& out) {
  const auto& http = std::get<HttpCheck>(view.check);
  out.boolean("enable_sni", http.enable_sni, !http.sni_name.empty());
}

// Its name is sent in any case: RFC 6066 §3 has it so.
consteval Keyword enable_sni() {
  return word("enable_sni", boolean(), fallback("false"), as_is(), kCheck<&HttpCheck::enable_sni>,
              writes<write_enable_sni>,
              doc("send the Host header's name in the TLS hello, as Holdfast does without it"));
}
consteval Keyword sni_name(Effect effect) {
  return word("sni_name", optional(text("name")), fallback("the Host header"), since("2.4"), effect,
              kCheck<&HttpCheck::sni_name>, reads<read_sni_name>,
              doc("send this name in the TLS hello"));
}

// Of both.
constexpr Keyword kGet[] = {
    word("virtualhost", text("host"), fallback("the server's"), reads<read_virtualhost>,
         doc("Host header of urls that name none")),
    word("http_protocol", choice("1.0 1.0C 1.1 1.0c"), fallback("1.0"),
         kCheck<&HttpCheck::http_protocol>, reads<read_protocol>,
         doc("version of the request; 1.0C asks for the connection to be closed")),
    word("fast_recovery", boolean(), fallback("false"), as_is(), kCheck<&HttpCheck::fast_recovery>,
         doc("all urls are asked one behind the other, as Holdfast does without it")),
    word("url", opens(Block::url), kRepeatable, reads<read_url>, writes<write_urls>,
         doc("one request; all have to pass")),
};

// HTTP_GET takes them, too, but says no hello.
constexpr Keyword kHttpGet[] = {enable_sni(), sni_name(as_is())};
constexpr Keyword kSslGet[] = {
    enable_sni(),
    sni_name(Effect::active),
    word("tls_compliant", boolean(), fallback("false"), kCheck<&HttpCheck::tls_compliant>,
         doc("the server must close TLS in order")),
};

constexpr std::string_view kRegexOptions =
    "allow_empty_class alt_bsux auto_callout caseless dollar_endonly dotall dupnames extended "
    "firstline match_unset_backref multiline never_ucp never_utf no_auto_capture no_auto_possess "
    "no_dotstar_anchor no_start_optimize ucp ungreedy utf never_backslash_c alt_circumflex "
    "alt_verbnames use_offset_limit";

constexpr Keyword kUrl[] = {
    word("path", text("path"), kRequired, value<&HttpUrl::path>,
         doc("what to ask for, from the first slash on")),
    word("status_code", repeated(of(ArgType::status_code)), fallback("200-299"),
         reads<read_status_codes>, writes<write_status_codes>,
         doc("acceptable codes: single ones and ranges")),
    word("digest", of(ArgType::digest), value<&HttpUrl::digest>, reads<read_digest>,
         doc("MD5 that the body must have, 32 hex digits")),
    word("virtualhost", text("host"), fallback("the checker's"), value<&HttpUrl::virtualhost>,
         doc("Host header")),
    word("regex", text("regular expression"), kPattern<&BodyPattern::regex>,
         doc("the reply, from its status line on, must match this regular expression (PCRE2)")),
    word("regex_no_match", with("regex"), kPattern<&BodyPattern::no_match>,
         doc("the reply must not match 'regex'")),
    word("regex_options", repeated(choice(kRegexOptions)), with("regex"),
         kPattern<&BodyPattern::options>, doc("options of PCRE2 for 'regex'")),
    word("regex_min_offset", integer(0, kLargestOffset), with("regex"),
         kPattern<&BodyPattern::min_offset>,
         doc("a match begins at this byte or behind it, counted from the status line")),
    word("regex_max_offset", integer(0, kLargestOffset), with("regex"),
         kPattern<&BodyPattern::max_offset>,
         doc("a match begins at this byte or before it, counted from the status line")),
    word(
        "regex_stack", integer(0, kLargestOffset), integer(0, kLargestOffset),
        not_kept("accepted, without effect: 'regex_stack' (memory for matching is not limited so)"),
        doc("memory for matching 'regex': at first, at most; bytes")),
    word("tls_compliant", boolean(), fallback("the checker's"), value<&HttpUrl::tls_compliant>,
         doc("the server must close TLS in order")),
};

}  // namespace

std::span<const Table> rows::http_checks() {
  static constexpr Table kTables[] = {{Block::http_get, kGet},
                                      {Block::http_get, kHttpGet},
                                      {Block::ssl_get, kGet},
                                      {Block::ssl_get, kSslGet},
                                      {Block::url, kUrl}};
  return kTables;
}

void build_http_check(BuildContext& context, const Statement& statement, CheckDraft& draft,
                      const CheckDefaults& inherited, RealServer& server) {
  const Keyword& keyword = Schema::instance()[statement.keyword];
  HttpCheck& http = draft.check.emplace<HttpCheck>();
  http.tls = keyword.opens == Block::ssl_get;
  http.location = context.reporter.locate(statement.range.offset);
  read_words(context, statement.first_child, draft);
  resolve(draft, inherited);
  http.connect = std::move(draft.options);
  http.enable_sni = http.enable_sni || !http.sni_name.empty();
  const std::string& virtualhost =
      draft.own.virtualhost.empty() ? inherited.virtualhost : draft.own.virtualhost;
  for (HttpUrl& url : http.urls) {
    if (url.virtualhost.empty()) url.virtualhost = virtualhost;
  }
  if (http.urls.empty()) {
    context.reporter.warning(
        statement.range,
        fmt::format(
            "this {} has no 'url' with a 'path': there is nothing to ask for, it is left out",
            keyword.name),
        "add a block such as: url { path / }");
  }
  server.checks.emplace_back(std::move(http));
}

}  // namespace holdfast::config
