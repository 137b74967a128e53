// What the builders of the checkers share. Each checker starts from its server, reads its own
// words, and then takes what it does not say itself from the server, the service, or keepalived.
#pragma once

#include "config/words/meaning.hpp"
#include "config/write/service.hpp"

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

/// A checker while it is written. `standard`: what it would have if it said nothing.
struct CheckView {
  const Check& check;
  const ConnectOptions& options;
  ConnectOptions standard;
  const CheckSurroundings& around;
};

template <auto... kPath>
void write_option(const void* object, const void*, const Keyword& row, Writer& out) {
  const auto& view = *static_cast<const CheckView*>(object);
  write_value(out, row, rows::detail::follow<kPath...>(view.options),
              rows::detail::follow<kPath...>(view.standard));
}
template <auto... kPath>
void read_option(CheckDraft& draft, const Args& args) {
  read_value(rows::detail::follow<kPath...>(draft.options), args);
}
template <auto kOwn>
void read_own(CheckDraft& draft, const Args& args) {
  read_value(draft.own.*kOwn, args);
}
/// A member of ConnectOptions.
template <auto... kPath>
inline constexpr rows::Bound kOption{rows::reads<read_option<kPath...>>.read,
                                     write_option<kPath...>};
/// One that the server, the service and keepalived have an opinion about, too.
template <auto kMember, auto kOwn>
inline constexpr rows::Bound kPaced{rows::reads<read_own<kOwn>>.read, write_option<kMember>};

/// A member of one kind of checker.
template <auto kMember>
void read_check(CheckDraft& draft, const Args& args) {
  using T = typename rows::detail::ObjectOf<kMember>::Object;
  read_value(draft.as<T>().*kMember, args);
}
template <auto kMember>
void write_check_word(const void* object, const void*, const Keyword& row, Writer& out) {
  using T = typename rows::detail::ObjectOf<kMember>::Object;
  const auto& view = *static_cast<const CheckView*>(object);
  write_value(out, row, std::get<T>(view.check).*kMember, T{}.*kMember);
}
template <auto kMember>
inline constexpr rows::Bound kCheck{rows::reads<read_check<kMember>>.read,
                                    write_check_word<kMember>};

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
void build_http_check(BuildContext& context, const Statement& statement, CheckDraft& draft,
                      const CheckDefaults& inherited, RealServer& server);

}  // namespace holdfast::config
