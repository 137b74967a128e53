// The client's side of one connection, over memory: ciphertext is fed and taken, plain text read
// and written. Used by the checks (checkers/core/tls) and by the mail (mail/postman), who move the
// bytes.
#pragma once

#include "tls/context.hpp"
#include "tls/trouble.hpp"
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::tls {

class Client {
 public:
  /// `name`: what the hello says (RFC 6066 §3; an address is no name and is not said), and whose
  /// certificate it has to be, where the context verifies. Empty: neither.
  Client(const Context& context, const std::string& name);
  Client(Client&& other) noexcept;
  Client& operator=(Client&& other) noexcept;
  ~Client();

  void feed(std::string_view ciphertext);
  /// What is to be sent to the other side, perhaps nothing.
  [[nodiscard]] std::string take_outgoing();

  enum class Progress : unsigned char { done, waits, failed };
  [[nodiscard]] Progress shake_hands();
  [[nodiscard]] bool write(std::string_view plain);

  /// `waits`: nothing is there yet. `closed`: the other side closed in order (RFC 8446 §6.1).
  enum class Heard : unsigned char { some, waits, closed, failed };
  struct Reading {
    Heard heard = Heard::waits;
    std::size_t size = 0;
  };
  [[nodiscard]] Reading read(std::span<char> plain);

  /// Behind `failed`, once.
  [[nodiscard]] Trouble take_trouble() const;
  /// Why the certificate is not believed, in OpenSSL's words; empty: that is not the trouble.
  [[nodiscard]] std::string certificate_trouble() const;

 private:
  struct Session;
  std::unique_ptr<Session> session_;
};

}  // namespace holdfast::tls
