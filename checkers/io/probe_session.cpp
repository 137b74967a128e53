#include "checkers/io/probe_session.hpp"

#include "checkers/io/probe_socket.hpp"
#include "checkers/io/socket_address.hpp"
#include "checkers/io/socket_error.hpp"
#include "runtime/clock.hpp"
#include "runtime/unique_fd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace holdfast::checkers {
namespace {

/// What this host is called, for those that want to know whom they speak with.
std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

}  // namespace

ProbeSession::ProbeSession(boost::asio::io_context& io, ProbeDriver& driver, ProbeId id,
                           ProbeSettings settings, Question question)
    : socket_(io),
      timer_(io, [this] { on_deadline(); }),
      driver_(&driver),
      id_(id),
      settings_(std::move(settings)),
      question_(std::move(question)) {}

void ProbeSession::begin() {
  begun_at_ = runtime::now();
  connect();
}

void ProbeSession::cancel() {
  driver_ = nullptr;
  timer_.arm(std::nullopt);
  boost::system::error_code ignored;
  socket_.close(ignored);
}

ProbeSession::AnyDialogue ProbeSession::dialogue_for(const TcpProbe&) const {
  return TcpDialogue{};
}

ProbeSession::AnyDialogue ProbeSession::dialogue_for(const HttpProbe& http) const {
  const HttpUrl& url = http.urls[next_dialogue_];
  HttpDialogue plain(url, http.version, settings_.target);
  if (!url.tls) return plain;
  return TlsDialogue(*url.tls, std::move(plain));
}

ProbeSession::AnyDialogue ProbeSession::dialogue_for(const SmtpProbe& smtp) const {
  return SmtpDialogue(smtp.helo_name.empty() ? host_name() : smtp.helo_name);
}

// A connection is not forged as easily as a datagram: the number only tells messages apart.
ProbeSession::AnyDialogue ProbeSession::dialogue_for(const DnsProbe& dns) const {
  return DnsDialogue(dns, static_cast<std::uint16_t>(id_));
}

std::size_t ProbeSession::dialogue_count() const {
  const auto* http = std::get_if<HttpProbe>(&question_);
  return http ? http->urls.size() : 1;
}

void ProbeSession::connect() {
  deadline_ = runtime::now() + settings_.timeout;
  pausing_ = false;
  readings_ = 0;
  wakes_at_ = 1;
  timer_.arm(deadline_);
  dialogue_.emplace(
      std::visit([this](const auto& question) { return dialogue_for(question); }, question_));
  ++next_dialogue_;
  unsent_.clear();
  if (auto problem = open_socket()) return finish(std::move(*problem));

  const SocketAddress target(settings_.target);
  if (::connect(socket_.native_handle(), target.get(), target.size()) == 0) return on_connected();
  if (errno != EINPROGRESS) return finish(outcome_of_connection_error(errno));
  wait_for(Waiting::connection);
}

std::optional<Outcome> ProbeSession::open_socket() {
  auto opened = open_probe_socket(settings_, {SOCK_STREAM, 0});
  if (auto* problem = std::get_if<Outcome>(&opened)) return std::move(*problem);
  runtime::UniqueFd& fd = std::get<runtime::UniqueFd>(opened);
  boost::system::error_code ec;
  socket_.close(ec);
  socket_.assign(fd.get(), ec);
  if (ec) return outcome_of_local_error("watch the probe's socket", ec.value());
  static_cast<void>(fd.release());
  return std::nullopt;
}

void ProbeSession::wait_for(Waiting what) {
  waiting_ = what;
  const std::uint64_t number =
      ++wait_number_;  // an earlier wait, of a former connection perhaps, means nothing any more
  using boost::asio::posix::descriptor_base;
  const auto direction =
      what == Waiting::bytes ? descriptor_base::wait_read : descriptor_base::wait_write;
  socket_.async_wait(direction,
                     [self = shared_from_this(), number](const boost::system::error_code& ec) {
                       if (!ec && self->driver_ && number == self->wait_number_) self->on_ready();
                     });
}

void ProbeSession::on_ready() {
  switch (waiting_) {
    case Waiting::connection: {
      int error = 0;
      socklen_t size = sizeof(error);
      ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) return finish(outcome_of_connection_error(error));
      return on_connected();
    }
    case Waiting::room:
      return write();
    case Waiting::bytes:
      return read();
    case Waiting::nothing:
      return;
  }
}

void ProbeSession::on_connected() {
  if (advance({}, false)) wait_for(Waiting::bytes);
}

void ProbeSession::on_deadline() {
  if (!driver_) return;
  const auto keep_alive = shared_from_this();
  if (std::exchange(pausing_, false) && runtime::now() < deadline_) {
    timer_.arm(deadline_);
    return read();
  }
  // Receive before you judge: an answer may lie in the socket while this process was not running.
  wake_at(1);
  const core::Duration late = runtime::now() - deadline_;
  ::pollfd ready{socket_.native_handle(),
                 static_cast<short>(waiting_ == Waiting::bytes ? POLLIN : POLLOUT), 0};
  if (::poll(&ready, 1, 0) == 1) on_ready();
  if (!driver_ || runtime::now() < deadline_)
    return;  // it ended, or the next connection has its own deadline

  if (late > kLateJudgement) return finish(paused_for(late));
  finish(failed(
      Cause::timeout,
      fmt::format(
          "no {} within {} ms", waiting_ == Waiting::connection ? "connection" : "complete answer",
          std::chrono::duration_cast<std::chrono::milliseconds>(settings_.timeout).count())));
}

void ProbeSession::read() {
  std::array<char, 16384> buffer;
  bool brought_something = false;
  for (int i = 0; i < kMaxReadsPerWakeUp; ++i) {
    const ssize_t got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (got < 0) return finish(outcome_of_connection_error(errno));
    brought_something = true;
    if (!advance({buffer.data(), static_cast<std::size_t>(got)}, got == 0)) return;
    if (got == 0) return finish(failed(Cause::closed_early, "the server closed the connection"));
  }
  if (brought_something && ++readings_ > kEagerReadings) return pause_reading();
  wake_at(1);
  wait_for(Waiting::bytes);
}

void ProbeSession::pause_reading() {
  wake_at(kReadPauseBytes);
  pausing_ = true;
  timer_.arm(std::min(deadline_, runtime::now() + kReadPause));
}

void ProbeSession::wake_at(int bytes) {
  if (std::exchange(wakes_at_, bytes) == bytes) return;
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
}

void ProbeSession::write() {
  while (!unsent_.empty()) {
    const ssize_t sent =
        ::send(socket_.native_handle(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return wait_for(Waiting::room);
    if (sent < 0) return finish(outcome_of_connection_error(errno));
    unsent_.erase(0, static_cast<std::size_t>(sent));
  }
  if (advance({}, false)) wait_for(Waiting::bytes);
}

bool ProbeSession::advance(std::string_view received, bool peer_closed) {
  Step step = std::visit([&](auto& dialogue) { return dialogue.advance(received, peer_closed); },
                         *dialogue_);
  if (auto* verdict = std::get_if<Verdict>(&step)) {
    connection_finished(std::move(verdict->outcome));
    return false;
  }
  if (const auto* send = std::get_if<Send>(&step)) {
    unsent_ = send->bytes;
    write();
    return false;
  }
  return true;
}

void ProbeSession::connection_finished(Outcome outcome) {
  if (outcome.result != Result::passed || next_dialogue_ == dialogue_count())
    return finish(std::move(outcome));
  connect();
}

void ProbeSession::finish(Outcome outcome) {
  if (!driver_) return;
  outcome.took = runtime::now() - begun_at_;
  ProbeDriver* driver = driver_;
  const auto keep_alive = shared_from_this();
  cancel();
  driver->finished(id_, std::move(outcome));
}

}  // namespace holdfast::checkers
