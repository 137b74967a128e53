// The checkers → words.
#include "config/builders/check.hpp"

#include "config/schema/decode.hpp"
#include "config/write/service.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

// One of the values that checkers inherit, as all checkers of a service have it.
template <class T>
class Common {
 public:
  void add(const T& value, const T& fallback) {
    if (!value_) value_ = value;
    same_ = same_ && *value_ == value;
    needed_ = needed_ || value != fallback;
  }
  [[nodiscard]] std::optional<T> get() const { return same_ && needed_ ? value_ : std::nullopt; }

 private:
  std::optional<T> value_;
  bool same_ = true;
  bool needed_ = false;
};

core::Duration default_delay_before_retry(const Check& check, const ConnectOptions& options) {
  return fallback_of(check).delay_before_retry.value_or(options.delay_loop);
}

void write_pace(Writer& writer, const Check& check, const ConnectOptions& options,
                const CheckSurroundings& around) {
  const CheckDefaults& common = around.common;
  writer.number("retry", options.retry, common.retry.value_or(fallback_of(check).retry));
  writer.seconds("delay_loop", options.delay_loop, common.delay_loop.value_or(kDefaultDelayLoop));
  writer.seconds("delay_before_retry", options.delay_before_retry,
                 common.delay_before_retry.value_or(default_delay_before_retry(check, options)));
  writer.seconds("warmup", options.warmup, common.warmup.value_or(options.delay_loop));
  writer.boolean("alpha", options.alpha, around.server.alpha);
  writer.boolean("log_all_failures", options.log_all_failures,
                 around.globals.checker_log_all_failures);
}

void write_target(Writer& writer, const ConnectOptions& options, const CheckSurroundings& around) {
  const bool all = writer.detail() == Detail::all;
  if (all || options.connect_ip != around.server.address)
    writer.address("connect_ip", options.connect_ip);
  if (options.connect_port != 0)
    writer.number("connect_port", options.connect_port, around.server.port);
  const Binding binding = options.binding ? *options.binding : Binding{};
  writer.address("bindto", binding.bindto);
  if (binding.bind_port != 0) writer.number("bind_port", binding.bind_port, 0);
  writer.text("bind_if", binding.bind_if);
  writer.number("fwmark", binding.fwmark, 0);
  writer.seconds("connect_timeout", options.connect_timeout,
                 around.common.connect_timeout.value_or(kDefaultConnectTimeout));
}

void write_pattern(Writer& writer, const BodyPattern& pattern) {
  writer.text("regex", pattern.regex);
  writer.flag("regex_no_match", pattern.no_match);
  if (!pattern.options.empty()) writer.statement("regex_options", pattern.options);
  if (pattern.min_offset)
    writer.statement("regex_min_offset", {fmt::format("{}", *pattern.min_offset)});
  if (pattern.max_offset)
    writer.statement("regex_max_offset", {fmt::format("{}", *pattern.max_offset)});
}

void write_url(Node& made, const HttpUrl& url, const std::string& virtualhost, Detail detail) {
  Writer writer = body_of(made, detail);
  writer.text("path", url.path);
  std::vector<std::string> codes;
  for (const StatusRange& range : url.status_codes) {
    codes.push_back(range.first == range.last ? fmt::format("{}", range.first)
                                              : fmt::format("{}-{}", range.first, range.last));
  }
  if (detail == Detail::all || url.status_codes != std::vector<StatusRange>{{}})
    writer.statement("status_code", std::move(codes));
  writer.text("digest", url.digest);
  writer.text("virtualhost", url.virtualhost, virtualhost);
  if (url.pattern) write_pattern(writer, *url.pattern);
  if (url.tls_compliant) writer.boolean("tls_compliant", *url.tls_compliant, !*url.tls_compliant);
}

void write_words(Writer& writer, const TcpCheck&, const CheckSurroundings&) {
  static_cast<void>(writer);
}

void write_words(Writer& writer, const PingCheck&, const CheckSurroundings&) {
  static_cast<void>(writer);
}

void write_words(Writer& writer, const HttpCheck& check, const CheckSurroundings& around) {
  writer.text("http_protocol", to_string(check.http_protocol), "1.0");
  writer.text("sni_name", check.sni_name);
  writer.boolean("enable_sni", check.enable_sni, !check.sni_name.empty());
  writer.boolean("fast_recovery", check.fast_recovery, false);
  if (check.tls) writer.boolean("tls_compliant", check.tls_compliant, false);
  for (const HttpUrl& url : check.urls)
    write_url(writer.block("url"), url, around.virtualhost, writer.detail());
}

void write_words(Writer& writer, const SmtpCheck& check, const CheckSurroundings&) {
  writer.text("helo_name", check.helo_name);
}

void write_words(Writer& writer, const DnsCheck& check, const CheckSurroundings&) {
  writer.text("type", check.type, "SOA");
  writer.text("name", check.name, ".");
}

void write_words(Writer& writer, const MiscCheck& check, const CheckSurroundings&) {
  writer.statement("misc_path", {join_command(check.script->argv)});
  if (!check.script->user.empty()) {
    std::vector<std::string> user{check.script->user};
    if (!check.script->group.empty()) user.push_back(check.script->group);
    writer.statement("user", std::move(user));
  }
  if (check.timeout.count() != 0) writer.statement("misc_timeout", {seconds_text(check.timeout)});
  writer.flag("misc_dynamic", check.dynamic);
}

void write_words(Writer& writer, const UdpCheck& check, const CheckSurroundings&) {
  std::string payload;
  for (const std::uint8_t byte : check.payload) payload += fmt::format("{:02X}", byte);
  writer.text("payload", payload);
  if (check.require_reply) {
    writer.statement("require_reply", check.reply_pattern.empty()
                                          ? std::vector<std::string>{}
                                          : std::vector{check.reply_pattern});
  }
  writer.number("min_reply_length", check.min_reply_length, 0);
  writer.number("max_reply_length", check.max_reply_length, 255);
}

void write_words(Writer& writer, const BfdCheck& check, const CheckSurroundings& around) {
  writer.text("name", check.name);
  writer.boolean("alpha", check.alpha, around.server.alpha);
}

void write_words(Writer& writer, const FileCheck& check, const CheckSurroundings&) {
  writer.text("track_file", check.track_file);
  if (!check.weight) return;
  std::vector<std::string> weight{fmt::format("{}", *check.weight)};
  if (check.reverse) weight.emplace_back("reverse");
  writer.statement("weight", std::move(weight));
}

}  // namespace

CheckDefaults common_values(const VirtualServer& service, Detail detail) {
  if (detail == Detail::all) return {};
  Common<core::Duration> delay_loop;
  Common<core::Duration> delay_before_retry;
  Common<core::Duration> connect_timeout;
  Common<core::Duration> warmup;
  Common<std::uint32_t> retry;
  for (const RealServer& server : service.real_servers) {
    for (const Check& check : server.checks) {
      const ConnectOptions* options = options_of(check);
      if (options == nullptr) continue;
      delay_loop.add(options->delay_loop, kDefaultDelayLoop);
      delay_before_retry.add(options->delay_before_retry,
                             default_delay_before_retry(check, *options));
      warmup.add(options->warmup, options->delay_loop);
      retry.add(options->retry, fallback_of(check).retry);
      if (!std::holds_alternative<MiscCheck>(check))
        connect_timeout.add(options->connect_timeout, kDefaultConnectTimeout);
    }
  }
  CheckDefaults common;
  common.delay_loop = delay_loop.get();
  common.delay_before_retry = delay_before_retry.get();
  common.connect_timeout = connect_timeout.get();
  common.warmup = warmup.get();
  common.retry = retry.get();
  return common;
}

void write_common_values(Writer& writer, const CheckDefaults& common) {
  const auto seconds = [&](std::string_view word, const std::optional<core::Duration>& value) {
    if (value) writer.statement(word, {seconds_text(*value)});
  };
  seconds("delay_loop", common.delay_loop);
  seconds("delay_before_retry", common.delay_before_retry);
  seconds("connect_timeout", common.connect_timeout);
  seconds("warmup", common.warmup);
  if (common.retry) writer.statement("retry", {fmt::format("{}", *common.retry)});
}

void write_check(Writer& writer, const Check& check, const CheckSurroundings& around) {
  Node& made = writer.block(type_name(check));
  Writer body = body_of(made, writer.detail());
  const ConnectOptions* options = options_of(check);
  if (options != nullptr) {
    if (!std::holds_alternative<MiscCheck>(check)) write_target(body, *options, around);
    write_pace(body, check, *options, around);
  }
  std::visit([&](const auto& one) { write_words(body, one, around); }, check);
}

}  // namespace holdfast::config
