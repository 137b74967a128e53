// SSL_GET without a network: OpenSSL's server over memory is the other side. What it sends is fed
// whole and byte by byte.
#include "checkers/core/tls.hpp"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <string>

using namespace holdfast;
using namespace holdfast::checkers;

namespace {

constexpr const char* kReply = "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello";

SSL_CTX* make_context(int version) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context, version);
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return context;
}

struct Authority {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;
  ~Authority() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }

  /// nullptr: signed by itself.
  explicit Authority(const char* name, const Authority* above, bool is_authority = true) {
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), name[0]);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    const Authority& signer = above == nullptr ? *this : *above;
    X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate));
    X509_set_pubkey(certificate, key);
    if (is_authority) {
      X509_EXTENSION* extension =
          X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
      X509_add_ext(certificate, extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(certificate, signer.key, EVP_sha256());
  }

  static std::string text_of(BIO* bio) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
  }
  [[nodiscard]] std::string certificate_text() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    return text_of(bio);
  }
  [[nodiscard]] std::string key_text(std::string password = {}) const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, password.empty() ? nullptr : EVP_aes_128_cbc(),
                             reinterpret_cast<unsigned char*>(password.data()),
                             static_cast<int>(password.size()), nullptr, nullptr);
    return text_of(bio);
  }
};

/// Answers the first complete request with kReply and what else it is told to do.
class Server {
 public:
  enum class End { nothing, in_order, cut_off };

  explicit Server(int version = TLS1_3_VERSION) : context_(make_context(version)) {
    session_ = SSL_new(context_);
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(session_, in_, out_);
    SSL_set_accept_state(session_);
  }
  ~Server() {
    SSL_free(session_);
    SSL_CTX_free(context_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// From now on it wants a certificate that this one vouches for.
  void demand(const Authority& root) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), root.certificate);
    SSL_set_verify(session_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }

  End end = End::nothing;
  std::string reply = kReply;
  std::string request;
  std::string name;  // of the hello
  bool closes = false;

  /// Takes what the client sent; returns what goes back.
  std::string answer(std::string_view bytes) {
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    std::array<char, 4096> plain;
    const int got = SSL_read(session_, plain.data(), static_cast<int>(plain.size()));
    if (const char* told = SSL_get_servername(session_, TLSEXT_NAMETYPE_host_name)) name = told;
    if (got > 0) request.append(plain.data(), static_cast<std::size_t>(got));
    if (!request.ends_with("\r\n\r\n") || closes) return take();
    SSL_write(session_, reply.data(), static_cast<int>(reply.size()));
    if (end == End::in_order) SSL_shutdown(session_);
    closes = end != End::nothing;
    return take();
  }

 private:
  std::string take() {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out_, &bytes);
    std::string result(bytes, static_cast<std::size_t>(size));
    BIO_reset(out_);
    return result;
  }

  SSL_CTX* context_;
  SSL* session_ = nullptr;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
};

HttpUrl url(const TlsSettings& settings) {
  return {.path = "/health", .virtualhost = "www.example", .tls = settings};
}

/// nullopt: it still waits.
std::optional<Outcome> play(Server& server, const TlsSettings& settings, std::size_t piece) {
  const core::Endpoint target{core::IpAddress::v4({192, 0, 2, 1}), 443};
  TlsDialogue client(settings, HttpDialogue(url(settings), HttpVersion::http_1_0, target));
  Step step = client.advance({}, false);
  while (true) {
    if (const auto* verdict = std::get_if<Verdict>(&step)) return verdict->outcome;
    if (const auto* send = std::get_if<Send>(&step)) {
      const std::string back = server.answer(send->bytes);
      step = client.advance({}, false);
      for (std::size_t at = 0; at < back.size() && std::holds_alternative<NeedMore>(step);
           at += piece)
        step = client.advance(std::string_view(back).substr(at, piece), false);
      continue;
    }
    if (!server.closes) return std::nullopt;
    server.closes = false;
    step = client.advance({}, true);
    REQUIRE(std::holds_alternative<Verdict>(step));
  }
}

}  // namespace

TEST_CASE("TLS: a complete reply passes, in every version and in pieces of any size") {
  for (const int version : {TLS1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, std::size_t{100'000}}) {
      CAPTURE(version);
      CAPTURE(piece);
      Server server(version);
      const auto outcome = play(server, {.name = "www.example"}, piece);
      REQUIRE(outcome.has_value());
      CHECK(outcome->result == Result::passed);
      CHECK(server.name == "www.example");
      CHECK(server.request.find("GET /health HTTP/1.0\r\n") == 0);
      CHECK(server.request.find("Host: www.example\r\n") != std::string::npos);
    }
  }
}

TEST_CASE("TLS: without a name none is sent") {
  Server server;
  CHECK(play(server, {}, 100)->result == Result::passed);
  CHECK(server.name.empty());
}

TEST_CASE("TLS: who must close in order fails when he does not, and passes when he does") {
  const TlsSettings strict{.close = TlsClose::in_order};
  Server orderly, hasty, silent;
  orderly.end = Server::End::in_order;
  hasty.end = Server::End::cut_off;

  CHECK(play(orderly, strict, 1)->result == Result::passed);
  CHECK(play(hasty, strict, 1)->reason == "the server closed the connection without closing TLS");
  CHECK(!play(silent, strict, 1));
}

TEST_CASE("TLS: a reply that ends with the connection needs no close of TLS") {
  for (const auto end : {Server::End::in_order, Server::End::cut_off}) {
    Server server;
    server.reply = "HTTP/1.0 200 OK\r\n\r\nhello";
    server.end = end;
    CHECK(play(server, {}, 1)->result == Result::passed);
  }
}

TEST_CASE("TLS: a half reply fails, however the connection ends") {
  for (const auto end : {Server::End::in_order, Server::End::cut_off}) {
    Server server;
    server.reply = "HTTP/1.0 200 OK\r\nContent-Length: 50\r\n\r\nhello";
    server.end = end;
    CHECK(play(server, {}, 1)->result == Result::failed);
  }
}

TEST_CASE("TLS: a server that does not speak it is told") {
  const core::Endpoint target{core::IpAddress::v4({192, 0, 2, 1}), 443};
  TlsDialogue client({}, HttpDialogue(url({}), HttpVersion::http_1_0, target));
  CHECK(std::holds_alternative<Send>(client.advance({}, false)));
  const Step step = client.advance("HTTP/1.1 400 Bad Request\r\n\r\n", false);
  REQUIRE(std::holds_alternative<Verdict>(step));
  const Outcome& outcome = std::get<Verdict>(step).outcome;
  CHECK(outcome.cause == Cause::tls);
  CHECK(outcome.reason == "TLS: the handshake failed: wrong version number");
}

TEST_CASE("TLS: a connection that ends within the handshake") {
  const core::Endpoint target{core::IpAddress::v4({192, 0, 2, 1}), 443};
  TlsDialogue client({}, HttpDialogue(url({}), HttpVersion::http_1_0, target));
  CHECK(std::holds_alternative<Send>(client.advance({}, false)));
  CHECK(client.advance({}, false) == Step{NeedMore{}});
  CHECK(client.advance({}, true) ==
        Step{Verdict{
            failed(Cause::closed_early, "the server closed the connection in the handshake")}});
}

namespace {

TlsSettings showing(const tls::Identity& identity) {
  TlsShown shown{.identity = identity};
  if (auto made = tls::Context::lenient(identity); made)
    shown.context = std::move(*made);
  else
    shown.problem = made.error().message;
  return {.shown = core::Shared<TlsShown>(std::move(shown))};
}

}  // namespace

TEST_CASE("TLS: a certificate is shown to who demands one, with those that lead to its root") {
  const Authority root("root", nullptr);
  const Authority middle("middle", &root);
  const Authority leaf("leaf", &middle, false);
  const auto outcome_of = [&](const TlsSettings& settings) {
    Server server(TLS1_2_VERSION);  // where a refusal is part of the handshake
    server.demand(root);
    return play(server, settings, 100);
  };

  CHECK(outcome_of(showing({.certificate = leaf.certificate_text() + middle.certificate_text(),
                            .key = leaf.key_text()}))
            ->result == Result::passed);
  // As OpenSSL completes keepalived's from the file of `ca`.
  CHECK(outcome_of(showing({.certificate = leaf.certificate_text(),
                            .key = leaf.key_text("word"),
                            .password = "word",
                            .authorities = middle.certificate_text() + root.certificate_text()}))
            ->result == Result::passed);
  const auto without_middle =
      outcome_of(showing({.certificate = leaf.certificate_text(), .key = leaf.key_text()}));
  CHECK(without_middle->result == Result::failed);
  CHECK(without_middle->reason.starts_with("TLS: the handshake failed:"));
  CHECK(outcome_of({})->result == Result::failed);
}

TEST_CASE("TLS: what cannot be shown is our trouble, said without the password") {
  const Authority one("one", nullptr);
  const Authority other("other", nullptr);
  const auto reason_of = [&](const tls::Identity& identity) {
    Server server;
    const auto outcome = play(server, showing(identity), 100);
    CHECK(outcome->result == Result::not_tried);
    CHECK(outcome->reason.find("Hush") == std::string::npos);
    return outcome->reason;
  };

  CHECK(reason_of({.certificate = "nothing", .key = one.key_text()}) ==
        "the certificate cannot be used: no start line");
  CHECK(reason_of({.certificate = one.certificate_text(), .key = other.key_text()}) ==
        "the key does not belong to the certificate: key values mismatch");
  CHECK(reason_of({.certificate = one.certificate_text(),
                   .key = one.key_text("word"),
                   .password = "Hush-Hush"})
            .starts_with("the key cannot be read with this password: "));
  CHECK(reason_of({.certificate = one.certificate_text(), .key = one.key_text("word")})
            .starts_with("the key cannot be read: "));
  CHECK(reason_of({.authorities = "nothing"}) ==
        "the file of 'ca' cannot be used: there is no certificate in it: no start line");
}

TEST_CASE("TLS: a damaged certificate in the middle of a file is named, not left out") {
  const Authority one("one", nullptr);
  const Authority two("two", nullptr);
  std::string damaged = one.certificate_text();
  damaged[damaged.size() / 2] = '*';
  const std::string three = two.certificate_text() + damaged + one.certificate_text();
  const auto problem_of = [](const auto& made) {
    return made ? std::string() : made.error().message;
  };

  CHECK(problem_of(tls::Context::strict(three))
            .starts_with("certificate 2 of the file cannot be read: "));
  CHECK(problem_of(tls::Context::strict(two.certificate_text() + one.certificate_text() + "\n#\n"))
            .empty());
  CHECK(problem_of(tls::Context::lenient({.certificate = three, .key = two.key_text()}))
            .starts_with("certificate 2 of the file cannot be read: "));
  CHECK(problem_of(tls::Context::lenient({.authorities = three}))
            .starts_with("the file of 'ca' cannot be used: certificate 2 of the file"));
}

TEST_CASE("TLS: of a Host header the name") {
  CHECK(host_name("www.example:8443") == "www.example");
  CHECK(host_name("www.example") == "www.example");
  for (const char* address : {"192.0.2.1", "192.0.2.1:443", "[2001:db8::1]:443", "2001:db8::1", ""})
    CHECK(host_name(address).empty());
}
