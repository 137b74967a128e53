// TCP_CHECK and HTTP_GET → Check.
#include "config/builder.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

using std::chrono::seconds;

constexpr core::Duration kDelayLoop = seconds(60);
constexpr core::Duration kConnectTimeout = seconds(5);
constexpr core::Duration kDelayBeforeRetry = seconds(1);
constexpr core::Duration kDelayBeforeRetryHttp = seconds(3);

// The part of a checker that every connecting checker has: what it says itself, over what it
// inherits.
struct ConnectDraft {
  ConnectOptions options;
  CheckDefaults own;
};

struct HttpDraft : ConnectDraft {
  HttpCheck http;
};

struct UrlDraft {
  HttpUrl url;
};

// Each table of a connecting checker begins with these; T is a draft derived from ConnectDraft.
template <class T>
std::vector<std::pair<std::string_view, typename Setters<T>::Apply>> connect_setters() {
  return {
      {"connect_ip", [](T& d, const Args& a) { d.options.connect_ip = a.value(0).address; }},
      {"connect_port",
       [](T& d, const Args& a) { d.options.connect_port = a.template as<std::uint16_t>(0); }},
      {"bindto", [](T& d, const Args& a) { d.options.bindto = a.value(0).address; }},
      {"bind_port",
       [](T& d, const Args& a) { d.options.bind_port = a.template as<std::uint16_t>(0); }},
      {"connect_timeout", [](T& d, const Args& a) { d.own.connect_timeout = a.duration(0); }},
      {"retry", [](T& d, const Args& a) { d.own.retry = a.template as<std::uint32_t>(0); }},
      {"delay_before_retry", [](T& d, const Args& a) { d.own.delay_before_retry = a.duration(0); }},
      {"warmup", [](T& d, const Args& a) { d.own.warmup = a.duration(0); }},
      {"delay_loop", [](T& d, const Args& a) { d.own.delay_loop = a.duration(0); }},
      {"alpha", [](T& d, const Args& a) { d.options.alpha = a.flag(); }}};
}

const Setters<ConnectDraft>& tcp_setters() {
  static const Setters<ConnectDraft> table(Block::tcp_check, connect_setters<ConnectDraft>());
  return table;
}

const Setters<UrlDraft>& url_setters() {
  static const Setters<UrlDraft> table(
      Block::url,
      {{"path", [](UrlDraft& d, const Args& a) { d.url.path = a.text(0); }},
       {"status_code",
        [](UrlDraft& d, const Args& a) {
          for (std::size_t i = 0; i < a.size(); ++i) {
            d.url.status_codes.push_back({static_cast<std::uint16_t>(a.value(i).number),
                                          static_cast<std::uint16_t>(a.value(i).last)});
          }
        }},
       {"digest",
        [](UrlDraft& d, const Args& a) {
          d.url.digest = a.text(0);
          for (char& digit : d.url.digest) {
            if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
          }
        }},
       {"virtualhost", [](UrlDraft& d, const Args& a) { d.url.virtualhost = a.text(0); }}});
  return table;
}

void read_url(HttpDraft& draft, const Args& args) {
  UrlDraft url;
  url.url.location = args.location();
  url_setters().apply(args.context(), args.statement().first_child, url);
  if (url.url.path.empty() && !mentions(args.context(), args.statement(), "path")) {
    args.context().reporter.error(args.statement().range, "this 'url' has no 'path'",
                                  "add the path to ask for, such as 'path /'");
  }
  if (url.url.path.empty()) url.url.path.push_back('/');
  if (url.url.status_codes.empty()) url.url.status_codes.push_back({});
  draft.http.urls.push_back(std::move(url.url));
}

const Setters<HttpDraft>& http_setters() {
  static const Setters<HttpDraft> table = [] {
    auto list = connect_setters<HttpDraft>();
    list.push_back(
        {"virtualhost", [](HttpDraft& d, const Args& a) { d.own.virtualhost = a.text(0); }});
    list.push_back({"http_protocol", [](HttpDraft& d, const Args& a) {
                      constexpr std::array kProtocols = {
                          HttpProtocol::http_1_0, HttpProtocol::http_1_0_close,
                          HttpProtocol::http_1_1, HttpProtocol::http_1_0_close};
                      d.http.http_protocol = kProtocols[a.as<std::size_t>(0)];
                    }});
    list.push_back({"url", read_url});
    return Setters<HttpDraft>(Block::http_get, list);
  }();
  return table;
}

// checker > real server > virtual server > keepalived's own defaults.
void resolve(ConnectDraft& draft, const CheckDefaults& inherited,
             core::Duration delay_before_retry) {
  const auto pick = [](const auto& own, const auto& given, auto fallback) {
    return own ? *own : given.value_or(fallback);
  };
  ConnectOptions& options = draft.options;
  options.retry = pick(draft.own.retry, inherited.retry, 1U);
  options.delay_loop = pick(draft.own.delay_loop, inherited.delay_loop, kDelayLoop);
  options.connect_timeout =
      pick(draft.own.connect_timeout, inherited.connect_timeout, kConnectTimeout);
  options.delay_before_retry =
      pick(draft.own.delay_before_retry, inherited.delay_before_retry, delay_before_retry);
  options.warmup = pick(draft.own.warmup, inherited.warmup, options.delay_loop);
}

void start(ConnectDraft& draft, const RealServer& server) {
  draft.options.connect_ip = server.address;
  draft.options.connect_port = server.port;
  draft.options.alpha = server.alpha;
}

void build_tcp(BuildContext& context, const Statement& statement, const CheckDefaults& defaults,
               RealServer& server) {
  ConnectDraft draft;
  start(draft, server);
  tcp_setters().apply(context, statement.first_child, draft);
  resolve(draft, defaults, kDelayBeforeRetry);
  server.checks.emplace_back(
      TcpCheck{draft.options, context.reporter.locate(statement.range.offset)});
}

void build_http(BuildContext& context, const Statement& statement, const CheckDefaults& defaults,
                RealServer& server) {
  HttpDraft draft;
  start(draft, server);
  draft.http.location = context.reporter.locate(statement.range.offset);
  http_setters().apply(context, statement.first_child, draft);
  resolve(draft, defaults, kDelayBeforeRetryHttp);
  draft.http.connect = draft.options;
  const std::string& virtualhost =
      draft.own.virtualhost.empty() ? defaults.virtualhost : draft.own.virtualhost;
  for (HttpUrl& url : draft.http.urls) {
    if (url.virtualhost.empty()) url.virtualhost = virtualhost;
  }
  if (draft.http.urls.empty()) {
    context.reporter.error(statement.range,
                           "this HTTP_GET has no 'url' with a 'path': there is nothing to ask for",
                           "add a block such as: url { path / }");
  }
  server.checks.emplace_back(std::move(draft.http));
}

}  // namespace

void build_check(BuildContext& context, const Statement& statement, const CheckDefaults& defaults,
                 RealServer& server) {
  if (Schema::instance()[statement.keyword].opens == Block::http_get) {
    build_http(context, statement, defaults, server);
  } else {
    build_tcp(context, statement, defaults, server);
  }
}

bool checks_know(KeywordId id) {
  return tcp_setters().knows(id) || http_setters().knows(id) || url_setters().knows(id);
}

}  // namespace holdfast::config
