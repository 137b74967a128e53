// HTTP_GET and SSL_GET → HttpCheck.
#include "config/builders/check.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

struct UrlDraft {
  HttpUrl url;
  BodyPattern pattern;
  TextRange pattern_option;  // the last word that needs `regex`
};

void set_status_codes(UrlDraft& draft, const Args& args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    draft.url.status_codes.push_back({static_cast<std::uint16_t>(args.value(i).number),
                                      static_cast<std::uint16_t>(args.value(i).last)});
  }
}

void set_digest(UrlDraft& draft, const Args& args) {
  draft.url.digest = args.text(0);
  for (char& digit : draft.url.digest) {
    if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
  }
}

void set_pattern_options(UrlDraft& draft, const Args& args) {
  for (std::size_t i = 0; i < args.size(); ++i) draft.pattern.options.push_back(args.text(i));
  draft.pattern_option = args.statement().range;
}

const Setters<UrlDraft>& url_setters() {
  static const Setters<UrlDraft> table(
      Block::url,
      {{"path", [](UrlDraft& d, const Args& a) { d.url.path = a.text(0); }},
       {"status_code", set_status_codes},
       {"digest", set_digest},
       {"virtualhost", [](UrlDraft& d, const Args& a) { d.url.virtualhost = a.text(0); }},
       {"regex", [](UrlDraft& d, const Args& a) { d.pattern.regex = a.text(0); }},
       {"regex_no_match",
        [](UrlDraft& d, const Args& a) {
          d.pattern.no_match = true;
          d.pattern_option = a.statement().range;
        }},
       {"regex_options", set_pattern_options},
       {"regex_min_offset",
        [](UrlDraft& d, const Args& a) {
          d.pattern.min_offset = a.as<std::uint32_t>(0);
          d.pattern_option = a.statement().range;
        }},
       {"regex_max_offset",
        [](UrlDraft& d, const Args& a) {
          d.pattern.max_offset = a.as<std::uint32_t>(0);
          d.pattern_option = a.statement().range;
        }},
       {"tls_compliant", [](UrlDraft& d, const Args& a) { d.url.tls_compliant = a.flag(); }}});
  return table;
}

void finish_pattern(UrlDraft& draft, Reporter& reporter) {
  if (!draft.pattern.regex.empty()) {
    draft.url.pattern = std::move(draft.pattern);
  } else if (draft.pattern_option.length != 0) {
    reporter.warning(draft.pattern_option, "this has no effect: the 'url' has no 'regex'",
                     "add a 'regex', or remove this line");
  }
}

void read_url(CheckDraft& check, const Args& args) {
  Reporter& reporter = args.context().reporter;
  UrlDraft draft;
  HttpUrl& url = draft.url;
  url.location = args.location();
  url_setters().apply(args.context(), args.statement().first_child, draft);
  if (url.path.empty() && !mentions(args.context(), args.statement(), "path")) {
    reporter.warning(args.statement().range, "this 'url' has no 'path': / is asked for",
                     "add the path to ask for, such as 'path /'");
  }
  if (url.path.empty()) url.path.push_back('/');
  if (url.status_codes.empty()) url.status_codes.push_back({});
  finish_pattern(draft, reporter);
  check.as<HttpCheck>().urls.push_back(std::move(url));
}

void set_sni_name(CheckDraft& draft, const Args& args) {
  auto& http = draft.as<HttpCheck>();
  http.enable_sni = true;
  http.sni_name = args.has(0) ? args.text(0) : std::string();
}

std::vector<CheckSetters::Row> http_rows() {
  constexpr auto set_protocol = [](CheckDraft& d, const Args& a) {
    constexpr std::array kProtocols = {HttpProtocol::http_1_0, HttpProtocol::http_1_0_close,
                                       HttpProtocol::http_1_1, HttpProtocol::http_1_0_close};
    d.as<HttpCheck>().http_protocol = kProtocols[a.as<std::size_t>(0)];
  };
  std::vector<CheckSetters::Row> rows = connect_setters();
  const std::initializer_list<CheckSetters::Row> own = {
      {"virtualhost", [](CheckDraft& d, const Args& a) { d.own.virtualhost = a.text(0); }},
      {"http_protocol", set_protocol},
      {"enable_sni", [](CheckDraft& d, const Args& a) { d.as<HttpCheck>().enable_sni = a.flag(); }},
      {"sni_name", set_sni_name},
      {"fast_recovery",
       [](CheckDraft& d, const Args& a) { d.as<HttpCheck>().fast_recovery = a.flag(); }},
      {"url", read_url}};
  rows.insert(rows.end(), own.begin(), own.end());
  return rows;
}

const CheckSetters& http_setters() {
  static const CheckSetters table(Block::http_get, http_rows());
  return table;
}

const CheckSetters& ssl_setters() {
  static const CheckSetters table = [] {
    std::vector<CheckSetters::Row> rows = http_rows();
    rows.emplace_back("tls_compliant", [](CheckDraft& d, const Args& a) {
      d.as<HttpCheck>().tls_compliant = a.flag();
    });
    return CheckSetters(Block::ssl_get, rows);
  }();
  return table;
}

}  // namespace

void build_http_check(BuildContext& context, const Statement& statement, CheckDraft draft,
                      const CheckDefaults& inherited, RealServer& server) {
  const Keyword& keyword = Schema::instance()[statement.keyword];
  HttpCheck& http = draft.check.emplace<HttpCheck>();
  http.tls = keyword.opens == Block::ssl_get;
  http.location = context.reporter.locate(statement.range.offset);
  (http.tls ? ssl_setters() : http_setters()).apply(context, statement.first_child, draft);
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

bool http_checks_know(KeywordId id) {
  return http_setters().knows(id) || ssl_setters().knows(id) || url_setters().knows(id);
}

}  // namespace holdfast::config
