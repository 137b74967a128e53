// The checkers → words.
#include "config/builders/check.hpp"

#include "config/schema/decode.hpp"
#include "config/text.hpp"
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

// What a checker has that says nothing itself.
ConnectOptions standard_options(const Check& check, const ConnectOptions& options,
                                const CheckSurroundings& around) {
  const CheckDefaults& common = around.common;
  ConnectOptions standard;
  standard.connect_ip = around.server.address;
  standard.connect_port = around.server.port;
  standard.alpha = around.server.alpha;
  standard.log_all_failures = around.globals.checker_log_all_failures;
  standard.retry = common.retry.value_or(fallback_of(check).retry);
  standard.delay_loop = common.delay_loop.value_or(kDefaultDelayLoop);
  standard.connect_timeout = common.connect_timeout.value_or(kDefaultConnectTimeout);
  standard.delay_before_retry =
      common.delay_before_retry.value_or(default_delay_before_retry(check, options));
  standard.warmup = common.warmup.value_or(options.delay_loop);
  return standard;
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
  const ConnectOptions* own = options_of(check);
  const ConnectOptions options = own == nullptr ? ConnectOptions() : *own;
  const CheckView view{check, options, standard_options(check, options, around), around};
  write_words(*Schema::instance()[made.keyword].opens, view, view, body);
}

}  // namespace holdfast::config
