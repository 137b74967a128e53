#include "mail/connection.hpp"

#include "runtime/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>

namespace holdfast::mail {
namespace {

/// Until the moment, in milliseconds for poll(2).
int left_until(core::Instant end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - runtime::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

}  // namespace

int wait_for(int fd, short events, core::Instant end) {
  while (true) {
    pollfd one{fd, events, 0};
    const int count = ::poll(&one, 1, left_until(end));
    if (count > 0) return 0;
    if (count == 0 && runtime::now() >= end) return ETIMEDOUT;
    if (count < 0 && errno != EINTR) return errno;
  }
}

int Connection::send_raw(std::string_view bytes, core::Instant end) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
    if (count > 0 || (count < 0 && errno == EINTR)) continue;
    if (errno != EAGAIN) return errno;
    if (const int error = wait_for(fd_.get(), POLLOUT, end); error != 0) return error;
  }
  return 0;
}

int Connection::receive_raw(std::string& received, bool& is_closed, core::Instant end) {
  if (const int error = wait_for(fd_.get(), POLLIN, end); error != 0) return error;
  if (runtime::now() >= end) return ETIMEDOUT;
  std::array<char, 4096> buffer{};
  const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count > 0) received.assign(buffer.data(), static_cast<std::size_t>(count));
  is_closed = count == 0;
  return count < 0 && errno != EAGAIN && errno != EINTR ? errno : 0;
}

std::string Connection::refused(const std::string& name) {
  const std::string certificate = tls_->certificate_trouble();
  const tls::Trouble trouble = tls_->take_trouble();
  if (certificate.empty())
    return fmt::format("TLS with the mail relay failed: {}: nothing is sent in clear text",
                       trouble.words);
  return fmt::format(
      "the certificate of the mail relay is not believed for {}: {} (smtp_ca names its authority, "
      "smtp_tls_name another name): nothing is sent",
      name, certificate);
}

std::string Connection::secure(const tls::Context& context, const std::string& name,
                               core::Instant end) {
  constexpr std::string_view kFailed = "TLS with the mail relay failed";
  tls_.emplace(context, name);
  while (true) {
    const auto progress = tls_->shake_hands();
    // Also behind a failure: an alert tells the other side.
    const int error = send_raw(tls_->take_outgoing(), end);
    if (progress == tls::Client::Progress::failed) return refused(name);
    if (error != 0) return fmt::format("{}: {}", kFailed, std::system_category().message(error));
    if (progress == tls::Client::Progress::done) return {};
    std::string received;
    bool is_closed = false;
    const int lost = receive_raw(received, is_closed, end);
    if (lost == ETIMEDOUT) return fmt::format("{}: it did not answer in time", kFailed);
    if (lost != 0) return fmt::format("{}: {}", kFailed, std::system_category().message(lost));
    if (is_closed) return fmt::format("{}: it closed the connection in the handshake", kFailed);
    tls_->feed(received);
  }
}

int Connection::send(std::string_view bytes, core::Instant end) {
  if (!tls_) return send_raw(bytes, end);
  if (!tls_->write(bytes)) return EPROTO;
  return send_raw(tls_->take_outgoing(), end);
}

/// False: TLS is broken.
bool Connection::read_plain(std::string& received, bool& is_closed) {
  std::array<char, 4096> plain{};
  const auto [heard, size] = tls_->read(plain);
  if (heard == tls::Client::Heard::some) received.assign(plain.data(), size);
  is_closed = is_closed || heard == tls::Client::Heard::closed;
  return heard != tls::Client::Heard::failed;
}

int Connection::receive(std::string& received, bool& is_closed, core::Instant end) {
  if (!tls_) return receive_raw(received, is_closed, end);
  // Several readings may be in what came last.
  if (!read_plain(received, is_closed)) return EPROTO;
  if (!received.empty() || is_closed) return 0;
  std::string ciphertext;
  if (const int error = receive_raw(ciphertext, is_closed, end); error != 0) return error;
  tls_->feed(ciphertext);
  return 0;
}

}  // namespace holdfast::mail
