// What the builders of the checkers share. Each checker starts from its server, reads its own
// words, and then takes what it does not say itself from the server, the service, or keepalived.
#pragma once

#include "config/builders/builder.hpp"

namespace holdfast::config {

/// A checker while its words are read.
struct CheckDraft {
  ConnectOptions options;
  CheckDefaults own;
  Check check;
  std::vector<const Statement*> hosts;  ///< of SMTP_CHECK; built when its own words are known

  template <class T>
  [[nodiscard]] T& as() {
    return std::get<T>(check);
  }
};

using CheckSetters = Setters<CheckDraft>;

/// The words of rows::connecting() and rows::pacing().
[[nodiscard]] std::vector<CheckSetters::Row> connect_setters();
/// The words of rows::pacing() alone.
[[nodiscard]] std::vector<CheckSetters::Row> pace_setters();

/// What a checker does when nobody says anything. delay_loop is 60 seconds for all.
struct CheckFallback {
  std::uint32_t retry = 1;
  /// not set: delay_loop
  std::optional<core::Duration> delay_before_retry = std::chrono::seconds(1);
};
inline constexpr core::Duration kDefaultDelayLoop = std::chrono::seconds(60);
inline constexpr core::Duration kDefaultConnectTimeout = std::chrono::seconds(5);
[[nodiscard]] CheckFallback fallback_of(const Check& check);
/// Where a checker connects to and when it runs; nullptr for those that do neither.
[[nodiscard]] const ConnectOptions* options_of(const Check& check);

/// Fills `draft.options` from the checker, what it inherits, and the fallback, in this order.
void resolve(CheckDraft& draft, const CheckDefaults& inherited);

/// HTTP_GET and SSL_GET.
void build_http_check(BuildContext& context, const Statement& statement, CheckDraft draft,
                      const CheckDefaults& inherited, RealServer& server);
[[nodiscard]] bool http_checks_know(KeywordId id);

}  // namespace holdfast::config
