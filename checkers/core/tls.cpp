#include "checkers/core/tls.hpp"

#include "core/assertion.hpp"
#include "core/freed.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>

namespace holdfast::checkers {
namespace {

using Context = std::unique_ptr<SSL_CTX, core::Freed<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, core::Freed<SSL_free>>;

/// Level 0 takes groups of 10,000 bits for a key exchange, a second of work for the one loop.
/// `bits`: of security, 152 for a group of 4096.
constexpr int kMostSecurityBits = 160;
int allow(const SSL*, const SSL_CTX*, int operation, int bits, int, void*, void*) {
  return operation == SSL_SECOP_TMP_DH && bits > kMostSecurityBits ? 0 : 1;
}

/// One for all: it holds no secrets and no state of a connection.
SSL_CTX* context() {
  static const Context made = [] {
    // What the host's openssl.cnf wants of its servers is no matter of a probe.
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
    Context fresh(SSL_CTX_new(TLS_client_method()));
    HOLDFAST_ASSERT(fresh != nullptr, "there is memory for a TLS context");
    SSL_CTX_set_security_level(fresh.get(), 0);
    SSL_CTX_set_security_callback(fresh.get(), allow);
    SSL_CTX_set_min_proto_version(fresh.get(), TLS1_VERSION);
    SSL_CTX_set_cipher_list(fresh.get(), "ALL:@SECLEVEL=0");
    SSL_CTX_set_verify(fresh.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_session_cache_mode(fresh.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(fresh.get(), SSL_MODE_RELEASE_BUFFERS);
    return fresh;
  }();
  return made.get();
}

struct Reason {
  std::string words = "unknown error";  ///< OpenSSL's: "wrong version number"
  bool is_alert = false;                ///< the server said it (RFC 8446 §6)
};

/// The first error that OpenSSL has noted.
Reason take_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* words = code == 0 ? nullptr : ERR_reason_error_string(code);
  if (words == nullptr) return {};
  return {words, ERR_GET_REASON(code) >= SSL_AD_REASON_OFFSET};
}

}  // namespace

struct TlsDialogue::Connection {
  explicit Connection(const TlsSettings& settings)
      : session(SSL_new(context())), has_name(!settings.name.empty()), close(settings.close) {
    HOLDFAST_ASSERT(session != nullptr, "there is memory for a TLS session");
    from_server = BIO_new(BIO_s_mem());
    to_server = BIO_new(BIO_s_mem());
    HOLDFAST_ASSERT(from_server != nullptr && to_server != nullptr, "there is memory for a BIO");
    BIO_set_mem_eof_return(from_server, -1);             // empty means: wait
    SSL_set_bio(session.get(), from_server, to_server);  // owns them now
    // What SSL_set_tlsext_host_name says with a cast of C.
    if (has_name)
      SSL_ctrl(session.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(settings.name.c_str()));
    SSL_set_connect_state(session.get());
  }

  Session session;
  BIO* from_server;
  BIO* to_server;
  bool has_name;
  TlsClose close;
  bool is_open = false;  // the handshake is done
  std::string outgoing;  // a Send points to it
  std::size_t trailing = 0;
  std::optional<Verdict> verdict;  // waits for the server to close in order
};

TlsDialogue::TlsDialogue(TlsSettings settings, HttpDialogue inner)
    : settings_(std::move(settings)), inner_(std::move(inner)) {}
TlsDialogue::TlsDialogue(TlsDialogue&& other) noexcept = default;
TlsDialogue& TlsDialogue::operator=(TlsDialogue&& other) noexcept = default;
TlsDialogue::~TlsDialogue() = default;

Step TlsDialogue::advance(std::string_view received, bool peer_closed) {
  if (!connection_) connection_ = std::make_unique<Connection>(settings_);
  Connection& tls = *connection_;
  ERR_clear_error();
  if (!received.empty())
    BIO_write(tls.from_server, received.data(), static_cast<int>(received.size()));
  if (!tls.is_open) {
    if (auto step = shake_hands(peer_closed)) return std::move(*step);
    tls.is_open = true;
    return talk(inner_.advance({}, false), peer_closed);
  }
  return talk(NeedMore{}, peer_closed);
}

std::optional<Step> TlsDialogue::shake_hands(bool peer_closed) {
  const int result = SSL_do_handshake(connection_->session.get());
  if (result == 1) return std::nullopt;
  if (SSL_get_error(connection_->session.get(), result) == SSL_ERROR_WANT_READ)
    return wait_or_send(peer_closed);
  return trouble("the handshake failed");
}

/// What the inner dialogue wants, and then what has come in for it, until one of them has to wait.
Step TlsDialogue::talk(Step inner, bool peer_closed) {
  Connection& tls = *connection_;
  std::array<char, 16384> plain;
  while (true) {
    if (auto* verdict = std::get_if<Verdict>(&inner)) {
      if (auto step = conclude(std::move(*verdict))) return std::move(*step);
    } else if (const auto* send = std::get_if<Send>(&inner)) {
      const int size = static_cast<int>(send->bytes.size());
      if (SSL_write(tls.session.get(), send->bytes.data(), size) != size)
        return trouble("nothing can be sent");
    }
    const int got = SSL_read(tls.session.get(), plain.data(), static_cast<int>(plain.size()));
    if (got > 0) {
      const std::string_view text(plain.data(), static_cast<std::size_t>(got));
      if (tls.verdict) {
        tls.trailing += text.size();
        if (tls.trailing > kMaxTlsTrailingBytes)
          return Verdict{failed(Cause::malformed_reply, "the server goes on behind its reply")};
        inner = NeedMore{};
      } else {
        inner = inner_.advance(text, false);
      }
      continue;
    }
    const int error = SSL_get_error(tls.session.get(), got);
    if (error == SSL_ERROR_WANT_READ && !peer_closed) return wait_or_send(false);
    const bool in_order = error == SSL_ERROR_ZERO_RETURN;
    if (!in_order && error != SSL_ERROR_WANT_READ) return trouble("the reply cannot be read");
    if (tls.verdict && in_order) return *tls.verdict;
    if (tls.verdict || (!in_order && tls.close == TlsClose::in_order))
      return Verdict{failed(Cause::tls, "the server closed the connection without closing TLS")};
    inner = inner_.advance({}, true);
    if (!std::holds_alternative<Verdict>(inner))
      return Verdict{failed(Cause::closed_early, "the server closed the connection")};
    return inner;
  }
}

/// nullopt: the server is yet to close in order.
std::optional<Step> TlsDialogue::conclude(Verdict verdict) {
  if (verdict.outcome.result != Result::passed || connection_->close == TlsClose::as_it_likes)
    return verdict;
  connection_->verdict = std::move(verdict);
  return std::nullopt;
}

Step TlsDialogue::wait_or_send(bool peer_closed) {
  Connection& tls = *connection_;
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(tls.to_server, &bytes);
  if (size > 0) {
    tls.outgoing.assign(bytes, static_cast<std::size_t>(size));
    BIO_reset(tls.to_server);
    return Send{tls.outgoing};
  }
  if (peer_closed)
    return Verdict{
        failed(Cause::closed_early, "the server closed the connection in the handshake")};
  return NeedMore{};
}

Verdict TlsDialogue::trouble(std::string_view what) const {
  const Reason reason = take_reason();
  std::string sentence = fmt::format("TLS: {}: {}", what, reason.words);
  if (reason.is_alert && !connection_->has_name)
    sentence += " (no server name was sent; 'virtualhost' or 'sni_name' gives one)";
  return Verdict{failed(Cause::tls, std::move(sentence))};
}

}  // namespace holdfast::checkers
