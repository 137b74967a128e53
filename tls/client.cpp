#include "tls/client.hpp"

#include "core/assertion.hpp"
#include "core/freed.hpp"
#include "core/ip_address.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace holdfast::tls {

struct Client::Session {
  Context context;
  std::unique_ptr<SSL, core::Freed<SSL_free>> ssl;
  BIO* from_peer;
  BIO* to_peer;
};

Client::Client(const Context& context, const std::string& name) {
  std::unique_ptr<SSL, core::Freed<SSL_free>> ssl(SSL_new(context.get()));
  HOLDFAST_ASSERT(ssl != nullptr, "there is memory for a TLS session");
  BIO* from_peer = BIO_new(BIO_s_mem());
  BIO* to_peer = BIO_new(BIO_s_mem());
  HOLDFAST_ASSERT(from_peer != nullptr && to_peer != nullptr, "there is memory for a BIO");
  BIO_set_mem_eof_return(from_peer, -1);       // empty means: wait
  SSL_set_bio(ssl.get(), from_peer, to_peer);  // owns them now
  const bool is_address = core::IpAddress::parse(name).has_value();
  // What SSL_set_tlsext_host_name says with a cast of C.
  if (!name.empty() && !is_address)
    SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(name.c_str()));
  if (context.verifies() && !name.empty()) {
    const int set = is_address
                        ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), name.c_str())
                        : SSL_set1_host(ssl.get(), name.c_str());
    HOLDFAST_ASSERT(set == 1, "there is memory for a name");
  }
  SSL_set_connect_state(ssl.get());
  session_ = std::make_unique<Session>(Session{context, std::move(ssl), from_peer, to_peer});
}

Client::Client(Client&& other) noexcept = default;
Client& Client::operator=(Client&& other) noexcept = default;
Client::~Client() = default;

void Client::feed(std::string_view ciphertext) {
  if (ciphertext.empty()) return;
  BIO_write(session_->from_peer, ciphertext.data(), static_cast<int>(ciphertext.size()));
}

std::string Client::take_outgoing() {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(session_->to_peer, &bytes);
  if (size <= 0) return {};
  std::string outgoing(bytes, static_cast<std::size_t>(size));
  BIO_reset(session_->to_peer);
  return outgoing;
}

Client::Progress Client::shake_hands() {
  forget_trouble();
  const int result = SSL_do_handshake(session_->ssl.get());
  if (result == 1) return Progress::done;
  return SSL_get_error(session_->ssl.get(), result) == SSL_ERROR_WANT_READ ? Progress::waits
                                                                           : Progress::failed;
}

bool Client::write(std::string_view plain) {
  forget_trouble();
  if (plain.empty()) return true;
  const int size = static_cast<int>(plain.size());
  return SSL_write(session_->ssl.get(), plain.data(), size) == size;
}

Client::Reading Client::read(std::span<char> plain) {
  forget_trouble();
  const int got = SSL_read(session_->ssl.get(), plain.data(), static_cast<int>(plain.size()));
  if (got > 0) return {Heard::some, static_cast<std::size_t>(got)};
  switch (SSL_get_error(session_->ssl.get(), got)) {
    case SSL_ERROR_WANT_READ:
      return {Heard::waits};
    case SSL_ERROR_ZERO_RETURN:
      return {Heard::closed};
    default:
      return {Heard::failed};
  }
}

Trouble Client::take_trouble() const {
  return tls::take_trouble();
}

std::string Client::certificate_trouble() const {
  const long result = SSL_get_verify_result(session_->ssl.get());
  if (!session_->context.verifies() || result == X509_V_OK) return {};
  return X509_verify_cert_error_string(result);
}

}  // namespace holdfast::tls
