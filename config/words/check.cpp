// The checkers of a real server but HTTP_GET and SSL_GET: their words, what each reads and writes,
// and how a checker is made of them.
#include "config/builders/check.hpp"

#include <fmt/format.h>

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::int64_t kLargestPacket = 65535;

void add_host(CheckDraft& draft, const Args& args) {
  draft.hosts.push_back(&args.statement());
}

void read_user(CheckDraft& draft, const Args& args) {
  Script& script = draft.as<MiscCheck>().script.ensure();
  script.user = args.text(0);
  script.group = args.has(1) ? args.text(1) : std::string();
}
void write_user(const CheckView& view, Writer& out) {
  const Script& script = *std::get<MiscCheck>(view.check).script;
  if (script.user.empty()) return;
  std::vector<std::string> words{script.user};
  if (!script.group.empty()) words.push_back(script.group);
  out.statement("user", std::move(words));
}

void read_command(CheckDraft& draft, const Args& args) {
  Script& script = draft.as<MiscCheck>().script.ensure();
  script.argv = split_command(args.value(0).text);
  script.location = args.location();
}
void write_command(const CheckView& view, Writer& out) {
  out.statement("misc_path", {join_command(std::get<MiscCheck>(view.check).script->argv)});
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

void read_payload(CheckDraft& draft, const Args& args) {
  const std::string pairs = hex_pairs(args);
  std::vector<std::uint8_t>& payload = draft.as<UdpCheck>().payload;
  payload.clear();
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    payload.push_back(
        static_cast<std::uint8_t>(digit_value(pairs[i]) * 16 + digit_value(pairs[i + 1])));
  }
}
void write_payload(const CheckView& view, Writer& out) {
  std::string payload;
  for (const std::uint8_t byte : std::get<UdpCheck>(view.check).payload)
    payload += fmt::format("{:02X}", byte);
  out.text("payload", payload);
}

void read_reply(CheckDraft& draft, const Args& args) {
  draft.as<UdpCheck>().require_reply = true;
  draft.as<UdpCheck>().reply_pattern = hex_pairs(args);
}
void write_reply(const CheckView& view, Writer& out) {
  const auto& udp = std::get<UdpCheck>(view.check);
  if (!udp.require_reply) return;
  out.statement("require_reply", udp.reply_pattern.empty() ? std::vector<std::string>{}
                                                           : std::vector{udp.reply_pattern});
}

void write_bfd_alpha(const CheckView& view, Writer& out) {
  out.boolean("alpha", std::get<BfdCheck>(view.check).alpha, view.around.server.alpha);
}

void read_weight_of_file(CheckDraft& draft, const Args& args) {
  draft.as<FileCheck>().weight = args.as<std::int32_t>(0);
  draft.as<FileCheck>().reverse = args.has(1) && args.number(1) == 0;
}
void write_weight_of_file(const CheckView& view, Writer& out) {
  const auto& file = std::get<FileCheck>(view.check);
  if (!file.weight) return;
  std::vector<std::string> words{fmt::format("{}", *file.weight)};
  if (file.reverse) words.emplace_back("reverse");
  out.statement("weight", std::move(words));
}

constexpr Keyword kSmtpCheck[] = {
    word("helo_name", text("name"), fallback("smtp_helo_name of global_defs"),
         kCheck<&SmtpCheck::helo_name>, doc("name in the HELO command")),
    word("host", opens(Block::smtp_host),
         notice("'host' is an old way to name targets: write an SMTP_CHECK for each"), kRepeatable,
         kDeprecated, reads<add_host>,
         doc("a target of its own; the SMTP_CHECK then only says what its hosts have in common")),
};

constexpr Keyword kDnsCheck[] = {
    word("type", choice("A NS CNAME SOA MX TXT AAAA RRSIG DNSKEY"), fallback("SOA"),
         kCheck<&DnsCheck::type>, doc("type of record to ask for")),
    word("name", text("name"), fallback("."), kCheck<&DnsCheck::name>, doc("name to ask for")),
};

constexpr Keyword kMiscCheck[] = {
    word("misc_path", of(ArgType::script), kRequired, reads<read_command>, writes<write_command>,
         doc("command that is run; exit code 0 is a success")),
    word("misc_timeout", positive_pace(), fallback("delay_loop"), kCheck<&MiscCheck::timeout>,
         doc("the command is ended after this time, seconds")),
    word("misc_dynamic", kCheck<&MiscCheck::dynamic>,
         doc("exit codes 2 to 255 are successes with a weight of the code less 2")),
    word("user", text("user"), optional(text("group")), fallback("script_user of global_defs"),
         reads<read_user>, writes<write_user>, doc("who runs the command")),
};

constexpr Keyword kUdpCheck[] = {
    word("payload", repeated(of(ArgType::hex)), reads<read_payload>, writes<write_payload>,
         doc("bytes to send, hexadecimal; without it the bytes are random")),
    word("require_reply", optional(repeated(Arg{.type = ArgType::hex, .words = "X"})),
         reads<read_reply>, writes<write_reply>,
         doc("an answer is needed, and has to begin with these bytes; X is any half byte")),
    word("min_reply_length", integer(0, kLargestPacket), fallback("0"),
         kCheck<&UdpCheck::min_reply_length>, doc("shortest answer, bytes")),
    word("max_reply_length", integer(0, kLargestPacket), fallback("255"),
         kCheck<&UdpCheck::max_reply_length>, doc("longest answer, bytes")),
};

constexpr Keyword kBfdCheck[] = {
    word("name", text("name of a bfd_instance"), kRequired, kCheck<&BfdCheck::name>,
         doc("session")),
    word("alpha", boolean(), fallback("the server's"), kCheck<&BfdCheck::alpha>,
         writes<write_bfd_alpha>, doc("counts as failed until the session is up")),
};

constexpr Keyword kFileCheck[] = {
    word("track_file", text("name of a track_file"), kRequired, kCheck<&FileCheck::track_file>,
         doc("file whose number is added to the weight")),
    word("weight", integer(-2'147'483'647, 2'147'483'647), optional(choice("reverse noreverse")),
         fallback("the track_file's"), reads<read_weight_of_file>, writes<write_weight_of_file>,
         doc("the number is multiplied by this first")),
    word("dynamic",
         not_kept("accepted, without effect: 'dynamic' (a FILE_CHECK always changes the weight)"),
         doc("left over from keepalived 2.2")),
};

// One checker under construction: where it stands, and what it starts from.
struct Site {
  BuildContext& context;
  const Statement& statement;
  const CheckDefaults& inherited;
  RealServer& server;

  [[nodiscard]] SourceLocation location() const {
    return context.reporter.locate(statement.range.offset);
  }
  // Reads the words of a T.
  template <class T>
  void read(CheckDraft& draft) const {
    draft.check.emplace<T>().location = location();
    read_words(context, statement.first_child, draft);
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
void build_connecting(const Site& site, CheckDraft& draft) {
  site.read<T>(draft);
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

void build_smtp(const Site& site, CheckDraft& draft) {
  site.read<SmtpCheck>(draft);
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
    read_words(site.context, host->first_child, one);
    add(one, inherited);
  }
}

void build_misc(const Site& site, CheckDraft& draft) {
  site.read<MiscCheck>(draft);
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

void build_udp(const Site& site, CheckDraft& draft) {
  site.read<UdpCheck>(draft);
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

void build_bfd(const Site& site, CheckDraft& draft) {
  draft.check.emplace<BfdCheck>().alpha = draft.options.alpha;
  draft.as<BfdCheck>().location = site.location();
  read_words(site.context, site.statement.first_child, draft);
  if (site.require(!draft.as<BfdCheck>().name.empty(), "name"))
    site.server.checks.push_back(std::move(draft.check));
}

void build_file(const Site& site, CheckDraft& draft) {
  site.read<FileCheck>(draft);
  if (site.require(!draft.as<FileCheck>().track_file.empty(), "track_file"))
    site.server.checks.push_back(std::move(draft.check));
}

}  // namespace

std::span<const Table> rows::checks() {
  static constexpr Table kTables[] = {
      {Block::smtp_check, kSmtpCheck}, {Block::dns_check, kDnsCheck},
      {Block::misc_check, kMiscCheck}, {Block::udp_check, kUdpCheck},
      {Block::bfd_check, kBfdCheck},   {Block::file_check, kFileCheck},
  };
  return kTables;
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
    build_connecting<TcpCheck>(site, draft);
  else if (type == "HTTP_GET" || type == "SSL_GET")
    build_http_check(context, statement, draft, defaults, server);
  else if (type == "SMTP_CHECK")
    build_smtp(site, draft);
  else if (type == "DNS_CHECK")
    build_connecting<DnsCheck>(site, draft);
  else if (type == "MISC_CHECK")
    build_misc(site, draft);
  else if (type == "UDP_CHECK")
    build_udp(site, draft);
  else if (type == "PING_CHECK")
    build_connecting<PingCheck>(site, draft);
  else if (type == "BFD_CHECK")
    build_bfd(site, draft);
  else
    build_file(site, draft);
}

}  // namespace holdfast::config
