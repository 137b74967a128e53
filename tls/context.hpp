// What connections over TLS share: what they ask of the other side, and what they show it. Made of
// texts, so that whoever makes one decides where they come from. OpenSSL stays below this room.
#pragma once

#include "core/result.hpp"

#include <memory>
#include <string>

struct ssl_ctx_st;

namespace holdfast::tls {

/// Of our side. PEM texts (RFC 7468), not paths.
struct Identity {
  std::string certificate{};  ///< first ours, then those that lead to its authority
  std::string key{};
  std::string password{};     ///< of the key; empty: it needs none
  std::string authorities{};  ///< shown behind the certificate where they lead to its root
  bool operator==(const Identity&) const = default;
};

/// A handle: copies share one.
class Context {
 public:
  /// Asks for an answer, not for who gives it: no certificate is verified, and versions and keys
  /// are taken as old and as short as OpenSSL can. Always the same one.
  [[nodiscard]] static const Context& lenient();
  /// The same, but shows an identity where the other side asks for one.
  [[nodiscard]] static core::Result<Context> lenient(const Identity& identity);
  /// Verifies: TLS 1.2 at least, and a certificate that `authorities` (PEM; empty: those of this
  /// host) vouch for.
  [[nodiscard]] static core::Result<Context> strict(const std::string& authorities);

  [[nodiscard]] ssl_ctx_st* get() const { return made_.get(); }
  [[nodiscard]] bool verifies() const { return verifies_; }

 private:
  Context(std::shared_ptr<ssl_ctx_st> made, bool verifies)
      : made_(std::move(made)), verifies_(verifies) {}

  std::shared_ptr<ssl_ctx_st> made_;
  bool verifies_;
};

}  // namespace holdfast::tls
