// TLS below a dialogue: ciphertext in, next step out. The client's side of OpenSSL over memory, so
// that no socket is needed. Certificates are not verified (as in keepalived): the check asks
// whether the server answers, and is as lenient about versions and key lengths as OpenSSL can be.
// One of ours is shown to servers that ask for it, if there is one.
#pragma once

#include "checkers/core/dialogue_http.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::checkers {

/// With `close: in_order`, what comes behind the reply until the server closes TLS is thrown away;
/// more than this is a failure.
inline constexpr std::size_t kMaxTlsTrailingBytes = 64 * 1024;

/// RFC 6066 §3: of a Host header the name for the hello, without its port; an address is none.
[[nodiscard]] std::string host_name(const std::string& host);

class TlsDialogue {
 public:
  /// `inner` speaks through TLS.
  TlsDialogue(TlsSettings settings, HttpDialogue inner);
  TlsDialogue(TlsDialogue&& other) noexcept;
  TlsDialogue& operator=(TlsDialogue&& other) noexcept;
  ~TlsDialogue();

  [[nodiscard]] Step advance(std::string_view received, bool peer_closed);
  [[nodiscard]] const HttpDialogue& inner() const { return inner_; }

 private:
  struct Connection;

  [[nodiscard]] std::optional<Step> shake_hands(bool peer_closed);
  [[nodiscard]] Step talk(Step inner, bool peer_closed);
  [[nodiscard]] std::optional<Step> conclude(Verdict verdict);
  [[nodiscard]] Step wait_or_send(bool peer_closed);
  [[nodiscard]] Verdict trouble(std::string_view what) const;

  TlsSettings settings_;
  std::unique_ptr<Connection> connection_;  // made when there is one: dead servers cost nothing
  HttpDialogue inner_;
};

}  // namespace holdfast::checkers
