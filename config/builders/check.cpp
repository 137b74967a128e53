// The checkers of a real server → Check. HTTP_GET and SSL_GET are in build_http_check.cpp.
#include "config/builders/check.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

std::vector<CheckSetters::Row> joined(std::vector<CheckSetters::Row> rows,
                                      std::initializer_list<CheckSetters::Row> own) {
  rows.insert(rows.end(), own.begin(), own.end());
  return rows;
}

const CheckSetters& tcp_setters() {
  static const CheckSetters table(Block::tcp_check, connect_setters());
  return table;
}

const CheckSetters& ping_setters() {
  static const CheckSetters table(Block::ping_check, connect_setters());
  return table;
}

const CheckSetters& smtp_setters() {
  static const CheckSetters table(
      Block::smtp_check,
      joined(connect_setters(),
             {{"helo_name",
               [](CheckDraft& d, const Args& a) { d.as<SmtpCheck>().helo_name = a.text(0); }},
              {"host", [](CheckDraft& d, const Args& a) { d.hosts.push_back(&a.statement()); }}}));
  return table;
}

const CheckSetters& host_setters() {
  static const CheckSetters table(Block::smtp_host, connect_setters());
  return table;
}

const CheckSetters& dns_setters() {
  static const CheckSetters table(
      Block::dns_check,
      joined(connect_setters(),
             {{"type", [](CheckDraft& d, const Args& a) { d.as<DnsCheck>().type = a.text(0); }},
              {"name", [](CheckDraft& d, const Args& a) { d.as<DnsCheck>().name = a.text(0); }}}));
  return table;
}

void set_user(CheckDraft& draft, const Args& args) {
  Script& script = draft.as<MiscCheck>().script.ensure();
  script.user = args.text(0);
  script.group = args.has(1) ? args.text(1) : std::string();
}

void set_command(CheckDraft& draft, const Args& args) {
  Script& script = draft.as<MiscCheck>().script.ensure();
  script.argv = split_command(args.value(0).text);
  script.location = args.location();
}

const CheckSetters& misc_setters() {
  static const CheckSetters table(
      Block::misc_check,
      joined(
          pace_setters(),
          {{"misc_path", set_command},
           {"misc_timeout",
            [](CheckDraft& d, const Args& a) { d.as<MiscCheck>().timeout = a.duration(0); }},
           {"misc_dynamic", [](CheckDraft& d, const Args&) { d.as<MiscCheck>().dynamic = true; }},
           {"user", set_user}}));
  return table;
}

// Hex words as pairs of digits: every word begins a byte, and a digit left over is a byte of its
// own. keepalived: "Ab12f 3" is AB 12 0F 03.
std::string hex_pairs(const Args& args) {
  std::string pairs;
  for (std::size_t i = 0; i < args.size(); ++i) {
    std::string word;
    for (const char digit : args.value(i).text) {
      if (digit == ' ' || digit == '\t') {
        if (word.size() % 2 != 0) word.insert(word.size() - 1, 1, '0');
      } else {
        word += digit >= 'a' && digit <= 'z' ? static_cast<char>(digit - 'a' + 'A') : digit;
      }
    }
    if (word.size() % 2 != 0) word.insert(word.size() - 1, 1, '0');
    pairs += word;
  }
  return pairs;
}

std::uint8_t digit_value(char digit) {
  return static_cast<std::uint8_t>(digit <= '9' ? digit - '0' : digit - 'A' + 10);
}

void set_payload(CheckDraft& draft, const Args& args) {
  const std::string pairs = hex_pairs(args);
  std::vector<std::uint8_t>& payload = draft.as<UdpCheck>().payload;
  payload.clear();
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    payload.push_back(
        static_cast<std::uint8_t>(digit_value(pairs[i]) * 16 + digit_value(pairs[i + 1])));
  }
}

void set_reply(CheckDraft& draft, const Args& args) {
  draft.as<UdpCheck>().require_reply = true;
  draft.as<UdpCheck>().reply_pattern = hex_pairs(args);
}

const CheckSetters& udp_setters() {
  static const CheckSetters table(
      Block::udp_check,
      joined(connect_setters(), {{"payload", set_payload},
                                 {"require_reply", set_reply},
                                 {"min_reply_length",
                                  [](CheckDraft& d, const Args& a) {
                                    d.as<UdpCheck>().min_reply_length = a.as<std::uint16_t>(0);
                                  }},
                                 {"max_reply_length", [](CheckDraft& d, const Args& a) {
                                    d.as<UdpCheck>().max_reply_length = a.as<std::uint16_t>(0);
                                  }}}));
  return table;
}

const CheckSetters& bfd_setters() {
  static const CheckSetters table(
      Block::bfd_check,
      {{"name", [](CheckDraft& d, const Args& a) { d.as<BfdCheck>().name = a.text(0); }},
       {"alpha", [](CheckDraft& d, const Args& a) { d.as<BfdCheck>().alpha = a.flag(); }}});
  return table;
}

const CheckSetters& file_setters() {
  static const CheckSetters table(
      Block::file_check,
      {{"track_file",
        [](CheckDraft& d, const Args& a) { d.as<FileCheck>().track_file = a.text(0); }},
       {"weight", [](CheckDraft& d, const Args& a) {
          d.as<FileCheck>().weight = a.as<std::int32_t>(0);
          d.as<FileCheck>().reverse = a.has(1) && a.number(1) == 0;
        }}});
  return table;
}

// One checker under construction: where it stands, and what it starts from.
struct Site {
  BuildContext& context;
  const Statement& statement;
  const CheckDefaults& inherited;
  RealServer& server;

  [[nodiscard]] SourceLocation location() const {
    return context.reporter.locate(statement.range.offset);
  }
  // Reads the words of a T that all are in one table.
  template <class T>
  [[nodiscard]] CheckDraft read(CheckDraft draft, const CheckSetters& setters) const {
    draft.check.emplace<T>().location = location();
    setters.apply(context, statement.first_child, draft);
    return draft;
  }
  // False after an error: the word that the checker cannot do without is not there. A word that is
  // there with a wrong value has been reported.
  [[nodiscard]] bool require(bool present, std::string_view word) const {
    if (!present && !mentions(context, statement, word)) {
      context.reporter.error(
          statement.range,
          fmt::format("this {} has no '{}'", Schema::instance()[statement.keyword].name, word));
    }
    return present;
  }
};

template <class T>
void build_connecting(const Site& site, CheckDraft draft, const CheckSetters& setters) {
  draft = site.read<T>(std::move(draft), setters);
  resolve(draft, site.inherited);
  draft.as<T>().connect = std::move(draft.options);
  site.server.checks.push_back(std::move(draft.check));
}

CheckDefaults over(const CheckDefaults& own, const CheckDefaults& inherited) {
  CheckDefaults merged = inherited;
  if (own.delay_loop) merged.delay_loop = own.delay_loop;
  if (own.delay_before_retry) merged.delay_before_retry = own.delay_before_retry;
  if (own.connect_timeout) merged.connect_timeout = own.connect_timeout;
  if (own.warmup) merged.warmup = own.warmup;
  if (own.retry) merged.retry = own.retry;
  return merged;
}

void build_smtp(const Site& site, CheckDraft draft) {
  draft = site.read<SmtpCheck>(std::move(draft), smtp_setters());
  const auto add = [&site](CheckDraft& one, const CheckDefaults& inherited) {
    resolve(one, inherited);
    one.as<SmtpCheck>().connect = std::move(one.options);
    site.server.checks.push_back(std::move(one.check));
  };
  if (draft.hosts.empty()) {
    add(draft, site.inherited);
    return;
  }
  const CheckDefaults inherited = over(draft.own, site.inherited);
  for (const Statement* host : draft.hosts) {
    CheckDraft one;
    one.options = draft.options;
    one.check = draft.check;
    one.as<SmtpCheck>().location = site.context.reporter.locate(host->range.offset);
    host_setters().apply(site.context, host->first_child, one);
    add(one, inherited);
  }
}

void build_misc(const Site& site, CheckDraft start) {
  CheckDraft draft = site.read<MiscCheck>(std::move(start), misc_setters());
  auto& misc = draft.as<MiscCheck>();
  if (!site.require(misc.script && !misc.script->argv.empty(), "misc_path")) return;
  resolve(draft, site.inherited);
  // A command has no target.
  draft.options.connect_ip = {};
  draft.options.connect_port = 0;
  draft.options.connect_timeout = kDefaultConnectTimeout;
  misc.pace = std::move(draft.options);
  site.server.checks.push_back(std::move(draft.check));
}

void build_udp(const Site& site, CheckDraft start) {
  CheckDraft draft = site.read<UdpCheck>(std::move(start), udp_setters());
  auto& udp = draft.as<UdpCheck>();
  if (udp.min_reply_length > udp.max_reply_length) {
    site.context.reporter.warning(
        site.statement.range,
        fmt::format("'min_reply_length' {} is above 'max_reply_length' {}: no answer would do; {} "
                    "is taken for both",
                    udp.min_reply_length, udp.max_reply_length, udp.min_reply_length));
    udp.max_reply_length = udp.min_reply_length;
  }
  resolve(draft, site.inherited);
  udp.connect = std::move(draft.options);
  site.server.checks.push_back(std::move(draft.check));
}

void build_bfd(const Site& site, CheckDraft draft) {
  draft.check.emplace<BfdCheck>().alpha = draft.options.alpha;
  draft.as<BfdCheck>().location = site.location();
  bfd_setters().apply(site.context, site.statement.first_child, draft);
  if (site.require(!draft.as<BfdCheck>().name.empty(), "name"))
    site.server.checks.push_back(std::move(draft.check));
}

void build_file(const Site& site, CheckDraft start) {
  CheckDraft draft = site.read<FileCheck>(std::move(start), file_setters());
  if (site.require(!draft.as<FileCheck>().track_file.empty(), "track_file"))
    site.server.checks.push_back(std::move(draft.check));
}

}  // namespace

std::vector<CheckSetters::Row> pace_setters() {
  using D = CheckDraft;
  return {
      {"retry", [](D& d, const Args& a) { d.own.retry = a.as<std::uint32_t>(0); }},
      {"delay_before_retry", [](D& d, const Args& a) { d.own.delay_before_retry = a.duration(0); }},
      {"warmup", [](D& d, const Args& a) { d.own.warmup = a.duration(0); }},
      {"delay_loop", [](D& d, const Args& a) { d.own.delay_loop = a.duration(0); }},
      {"alpha", [](D& d, const Args& a) { d.options.alpha = a.flag(); }},
      {"log_all_failures", [](D& d, const Args& a) { d.options.log_all_failures = a.flag(); }}};
}

std::vector<CheckSetters::Row> connect_setters() {
  using D = CheckDraft;
  return joined(
      pace_setters(),
      {{"connect_ip", [](D& d, const Args& a) { d.options.connect_ip = a.value(0).address; }},
       {"connect_port",
        [](D& d, const Args& a) { d.options.connect_port = a.as<std::uint16_t>(0); }},
       {"bindto",
        [](D& d, const Args& a) { d.options.binding.ensure().bindto = a.value(0).address; }},
       {"bind_port",
        [](D& d, const Args& a) { d.options.binding.ensure().bind_port = a.as<std::uint16_t>(0); }},
       {"bind_if", [](D& d, const Args& a) { d.options.binding.ensure().bind_if = a.text(0); }},
       {"fwmark",
        [](D& d, const Args& a) { d.options.binding.ensure().fwmark = a.as<std::uint32_t>(0); }},
       {"connect_timeout", [](D& d, const Args& a) { d.own.connect_timeout = a.duration(0); }}});
}

CheckFallback fallback_of(const Check& check) {
  using std::chrono::seconds;
  if (std::holds_alternative<HttpCheck>(check))
    return {.retry = 1, .delay_before_retry = seconds(3)};
  if (std::holds_alternative<DnsCheck>(check))
    return {.retry = 3, .delay_before_retry = std::nullopt};
  if (std::holds_alternative<MiscCheck>(check))
    return {.retry = 0, .delay_before_retry = seconds(1)};
  return {};
}

const ConnectOptions* options_of(const Check& check) {
  return std::visit(
      [](const auto& one) -> const ConnectOptions* {
        if constexpr (requires { one.connect; })
          return &one.connect;
        else if constexpr (requires { one.pace; })
          return &one.pace;
        else
          return nullptr;
      },
      check);
}

void resolve(CheckDraft& draft, const CheckDefaults& inherited) {
  const auto pick = [](const auto& own, const auto& given, auto last) {
    return own ? *own : given.value_or(last);
  };
  const CheckFallback fallback = fallback_of(draft.check);
  ConnectOptions& options = draft.options;
  options.retry = pick(draft.own.retry, inherited.retry, fallback.retry);
  options.delay_loop = pick(draft.own.delay_loop, inherited.delay_loop, kDefaultDelayLoop);
  options.connect_timeout =
      pick(draft.own.connect_timeout, inherited.connect_timeout, kDefaultConnectTimeout);
  options.delay_before_retry = pick(draft.own.delay_before_retry, inherited.delay_before_retry,
                                    fallback.delay_before_retry.value_or(options.delay_loop));
  options.warmup = pick(draft.own.warmup, inherited.warmup, options.delay_loop);
  // `fwmark 0` is as good as nothing.
  if (options.binding && *options.binding == Binding{}) options.binding.reset();
}

void build_check(BuildContext& context, const Statement& statement, const CheckDefaults& defaults,
                 RealServer& server) {
  const Site site{context, statement, defaults, server};
  CheckDraft draft;
  draft.options.connect_ip = server.address;
  draft.options.connect_port = server.port;
  draft.options.alpha = server.alpha;
  draft.options.log_all_failures = context.model.globals.checker_log_all_failures;
  const std::string_view type = Schema::instance()[statement.keyword].name;
  if (type == "TCP_CHECK")
    build_connecting<TcpCheck>(site, std::move(draft), tcp_setters());
  else if (type == "HTTP_GET" || type == "SSL_GET")
    build_http_check(context, statement, std::move(draft), defaults, server);
  else if (type == "SMTP_CHECK")
    build_smtp(site, std::move(draft));
  else if (type == "DNS_CHECK")
    build_connecting<DnsCheck>(site, std::move(draft), dns_setters());
  else if (type == "MISC_CHECK")
    build_misc(site, std::move(draft));
  else if (type == "UDP_CHECK")
    build_udp(site, std::move(draft));
  else if (type == "PING_CHECK")
    build_connecting<PingCheck>(site, std::move(draft), ping_setters());
  else if (type == "BFD_CHECK")
    build_bfd(site, std::move(draft));
  else
    build_file(site, std::move(draft));
}

bool checks_know(KeywordId id) {
  for (const CheckSetters* table :
       {&tcp_setters(), &ping_setters(), &smtp_setters(), &host_setters(), &dns_setters(),
        &misc_setters(), &udp_setters(), &bfd_setters(), &file_setters()})
    if (table->knows(id)) return true;
  return http_checks_know(id);
}

}  // namespace holdfast::config
