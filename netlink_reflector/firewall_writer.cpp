#include "netlink_reflector/firewall_writer.hpp"

#include "core/assertion.hpp"
#include "runtime/clock.hpp"
#include "runtime/signals.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <mutex>
#include <optional>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <utility>

namespace holdfast::netlink {
namespace {

/// A whole table of some 100,000 addresses goes in one piece.
constexpr int kBufferBytes = 16 << 20;
/// Answers are short: what was asked is not sent back.
constexpr std::size_t kAnswerBytes = std::size_t{8} << 10;

/// The socket still works without these, so a refusal is not an error.
void set_quietly(int fd, int level, int option, int value) {
  (void)setsockopt(fd, level, option, &value, sizeof value);
}

// nf_tables has done everything, and has answered, when the call that sends returns.
FirewallAnswer carry(int fd, const Bytes& transaction) {
  FirewallAnswer answer;
  while (::send(fd, transaction.data(), transaction.size(), 0) < 0) {
    if (errno == EINTR) continue;
    answer.error = errno;
    return answer;
  }
  std::array<std::uint8_t, kAnswerBytes> buffer;
  while (true) {
    const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    read_firewall_answer(std::span(buffer.data(), static_cast<std::size_t>(count)), answer);
  }
  if (!answer.is_told) answer.error = EIO;
  return answer;
}

}  // namespace

core::Result<FirewallSocket> open_firewall_socket(Listens listens) {
  runtime::UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!fd) return core::fail_errno(errno, "cannot open a socket of nf_tables");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  socklen_t length = sizeof address;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    return core::fail_errno(errno, "cannot bind a socket of nf_tables");
  const int group = NFNLGRP_NFTABLES;
  if (listens == Listens::yes &&
      ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
    return core::fail_errno(errno, "cannot listen to the changes of nf_tables");
  set_quietly(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, 1);
  set_quietly(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, 1);
  if (listens == Listens::no) set_quietly(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, kBufferBytes);
  return FirewallSocket{std::move(fd), address.nl_pid};
}

struct FirewallWriter::Shared {
  explicit Shared(boost::asio::io_context& loop) : io(loop) {}

  boost::asio::io_context& io;
  runtime::UniqueFd socket;
  std::uint32_t port = 0;
  std::thread thread;
  std::mutex mutex;
  std::condition_variable changed;
  // Below the mutex:
  std::optional<Bytes> work;
  std::optional<FirewallAnswer> answer;
  bool ends = false;
  // The loop's:
  bool is_busy = false;
  Done done;

  /// In the loop: tells of the end, once.
  void collect() {
    std::optional<FirewallAnswer> ended;
    {
      const std::lock_guard lock(mutex);
      ended = std::exchange(answer, std::nullopt);
    }
    if (!ended || !done) return;
    is_busy = false;
    done(*ended);
  }
};

core::Result<std::unique_ptr<FirewallWriter>> FirewallWriter::start(boost::asio::io_context& io,
                                                                    Done done) {
  auto socket = open_firewall_socket(Listens::no);
  if (!socket) return socket.error();
  auto shared = std::make_shared<Shared>(io);
  shared->socket = std::move(socket->fd);
  shared->port = socket->port;
  shared->done = std::move(done);
  auto body = [state = shared.get(), weak = std::weak_ptr(shared)] {
    std::unique_lock lock(state->mutex);
    while (true) {
      state->changed.wait(lock, [&] { return state->work || state->ends; });
      if (!state->work) return;
      const Bytes transaction = std::move(*std::exchange(state->work, std::nullopt));
      lock.unlock();
      FirewallAnswer answer = carry(state->socket.get(), transaction);
      lock.lock();
      state->answer = std::move(answer);
      state->changed.notify_all();
      boost::asio::post(state->io, [weak] {
        if (const auto alive = weak.lock()) alive->collect();
      });
    }
  };
  try {
    const runtime::SignalsBlocked blocked;  // they are for the loop
    shared->thread = std::thread(std::move(body));
  } catch (const std::system_error& error) {
    return core::fail("no thread can be had: {}", error.what());
  }
  return std::unique_ptr<FirewallWriter>(new FirewallWriter(std::move(shared)));
}

FirewallWriter::~FirewallWriter() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->ends = true;
    shared_->changed.notify_all();
  }
  shared_->thread.join();
  shared_->done = nullptr;
}

void FirewallWriter::submit(Bytes transaction) {
  HOLDFAST_ASSERT(!shared_->is_busy, "one transaction at a time");
  shared_->is_busy = true;
  const std::lock_guard lock(shared_->mutex);
  shared_->work = std::move(transaction);
  shared_->changed.notify_all();
}

bool FirewallWriter::is_busy() const {
  return shared_->is_busy;
}

bool FirewallWriter::wait(core::Instant until) {
  if (!shared_->is_busy) return true;
  {
    std::unique_lock lock(shared_->mutex);
    const auto left = until - runtime::now();
    if (!shared_->changed.wait_for(lock, left, [this] { return shared_->answer.has_value(); }))
      return false;
  }
  shared_->collect();
  return true;
}

std::uint32_t FirewallWriter::port() const {
  return shared_->port;
}

}  // namespace holdfast::netlink
