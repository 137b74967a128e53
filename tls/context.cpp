#include "tls/context.hpp"

#include "core/assertion.hpp"
#include "core/freed.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "tls/trouble.hpp"
#include <cstring>

namespace holdfast::tls {
namespace {

using Bytes = std::unique_ptr<BIO, core::Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, core::Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, core::Freed<EVP_PKEY_free>>;

/// Level 0 takes groups of 10,000 bits for a key exchange, a second of work for the one loop.
/// `bits`: of security, 152 for a group of 4096.
constexpr int kMostSecurityBits = 160;
int allow(const SSL*, const SSL_CTX*, int operation, int bits, int, void*, void*) {
  return operation == SSL_SECOP_TMP_DH && bits > kMostSecurityBits ? 0 : 1;
}

std::shared_ptr<SSL_CTX> fresh() {
  // What the host's openssl.cnf wants of its servers is no matter of ours.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  std::shared_ptr<SSL_CTX> made(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  HOLDFAST_ASSERT(made != nullptr, "there is memory for a TLS context");
  SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
  return made;
}

std::shared_ptr<SSL_CTX> fresh_lenient() {
  auto made = fresh();
  SSL_CTX_set_security_level(made.get(), 0);
  SSL_CTX_set_security_callback(made.get(), allow);
  SSL_CTX_set_min_proto_version(made.get(), TLS1_VERSION);
  SSL_CTX_set_cipher_list(made.get(), "ALL:@SECLEVEL=0");
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_NONE, nullptr);
  return made;
}

Bytes reader_of(const std::string& text) {
  Bytes bytes(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  HOLDFAST_ASSERT(bytes != nullptr, "there is memory for a BIO");
  return bytes;
}

/// Nobody is asked at a terminal: without a password there is none.
int give_password(char* to, int size, int, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  if (size <= 0 || text.size() > static_cast<std::size_t>(size)) return 0;
  std::memcpy(to, text.data(), text.size());
  return static_cast<int>(text.size());
}

Certificate next_certificate(BIO* bytes) {
  return Certificate(PEM_read_bio_X509(bytes, nullptr, nullptr, nullptr));
}

/// After the last one that could be read: whether a damaged one stands behind it.
core::Result<void> at_the_end(std::size_t count) {
  const unsigned long last = ERR_peek_last_error();
  if (ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE) return {};
  return core::fail("certificate {} of the file cannot be read: {}", count + 1,
                    take_trouble().words);
}

/// Into those that a chain is made of.
core::Result<void> add_authorities(SSL_CTX* context, const std::string& text) {
  const Bytes bytes = reader_of(text);
  std::size_t count = 0;
  while (const Certificate one = next_certificate(bytes.get())) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get());
    ++count;
  }
  const auto ended = at_the_end(count);
  const std::string why = take_trouble().words;
  if (ended && count == 0) return core::fail("there is no certificate in it: {}", why);
  return ended;
}

core::Result<void> show(SSL_CTX* context, const Identity& identity) {
  if (!identity.authorities.empty()) {
    if (auto added = add_authorities(context, identity.authorities); !added)
      return core::fail("the file of 'ca' cannot be used: {}", added.error().message);
  }
  if (identity.certificate.empty() && identity.key.empty()) return {};
  const Bytes certificates = reader_of(identity.certificate);
  const Certificate own = next_certificate(certificates.get());
  if (!own) return core::fail("the certificate cannot be used: {}", take_trouble().words);
  if (SSL_CTX_use_certificate(context, own.get()) != 1)
    return core::fail("the certificate cannot be used: {}", take_trouble().words);
  std::size_t count = 1;
  while (Certificate further = next_certificate(certificates.get())) {
    ++count;
    if (SSL_CTX_add0_chain_cert(context, further.get()) != 1)
      return core::fail("a certificate of the chain cannot be used: {}", take_trouble().words);
    static_cast<void>(further.release());  // the context's now
  }
  if (const auto ended = at_the_end(count); !ended) return ended.error();
  forget_trouble();  // the end of the text
  const Bytes key_text = reader_of(identity.key);
  const Key key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, give_password,
                                        const_cast<std::string*>(&identity.password)));
  if (!key && !identity.password.empty())
    return core::fail("the key cannot be read with this password: {}", take_trouble().words);
  if (!key) return core::fail("the key cannot be read: {}", take_trouble().words);
  // A key of another kind is refused by the second only.
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
    return core::fail("the key does not belong to the certificate: {}", take_trouble().words);
  return {};
}

}  // namespace

const Context& Context::lenient() {
  static const Context made(fresh_lenient(), false);
  return made;
}

core::Result<Context> Context::lenient(const Identity& identity) {
  forget_trouble();
  auto made = fresh_lenient();
  if (auto shown = show(made.get(), identity); !shown) return shown.error();
  return Context(std::move(made), false);
}

core::Result<Context> Context::strict(const std::string& authorities) {
  forget_trouble();
  auto made = fresh();
  SSL_CTX_set_min_proto_version(made.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER, nullptr);
  if (authorities.empty()) {
    SSL_CTX_set_default_verify_paths(made.get());
    return Context(std::move(made), true);
  }
  if (auto added = add_authorities(made.get(), authorities); !added) return added.error();
  // A certificate of one server may stand there for itself.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(made.get()), X509_V_FLAG_PARTIAL_CHAIN);
  return Context(std::move(made), true);
}

}  // namespace holdfast::tls
