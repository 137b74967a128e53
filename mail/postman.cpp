#include "mail/postman.hpp"

#include "runtime/clock.hpp"
#include "runtime/message_pipe.hpp"
#include "runtime/process.hpp"
#include "runtime/syscall_filter.hpp"
#include "runtime/unique_fd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <memory>
#include <netdb.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace holdfast::mail {
namespace {

/// The account that owns nothing: the kernel's own number for "nobody that I know".
constexpr uid_t kNobody = 65'534;
constexpr std::size_t kMostOrderBytes = runtime::MessagePipe::kMaxMessage;

std::string text_of(int error) {
  return std::system_category().message(error);
}

/// Until the moment, in milliseconds for poll(2).
int left_until(core::Instant end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - runtime::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

/// 0, or an errno; ETIMEDOUT when the time is over.
int wait_for(int fd, short events, core::Instant end) {
  while (true) {
    pollfd one{fd, events, 0};
    const int count = ::poll(&one, 1, left_until(end));
    if (count > 0) return 0;
    if (count == 0 && runtime::now() >= end) return ETIMEDOUT;
    if (count < 0 && errno != EINTR) return errno;
  }
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

/// An errno; 0: the socket is connected.
int connect_to(const addrinfo& address, core::Duration patience, runtime::UniqueFd& connected) {
  runtime::UniqueFd fd(
      ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!fd) return errno;
  const auto end = runtime::now() + patience;
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return errno;
    if (const int error = wait_for(fd.get(), POLLOUT, end); error != 0) return error;
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
    if (error != 0) return error;
  }
  connected = std::move(fd);
  return 0;
}

/// Empty, or why there is no connection.
std::string connect_to_relay(const Order& order, runtime::UniqueFd& connected) {
  const addrinfo wanted{.ai_flags = AI_ADDRCONFIG,
                        .ai_family = AF_UNSPEC,
                        .ai_socktype = SOCK_STREAM,
                        .ai_protocol = IPPROTO_TCP,
                        .ai_addrlen = 0,
                        .ai_addr = nullptr,
                        .ai_canonname = nullptr,
                        .ai_next = nullptr};
  addrinfo numeric = wanted;
  numeric.ai_flags = AI_NUMERICHOST;  // needs no address of the same family on this host
  const std::string port = fmt::format("{}", order.port);
  addrinfo* list = nullptr;
  int failed = ::getaddrinfo(order.relay.c_str(), port.c_str(), &numeric, &list);
  if (failed != 0) failed = ::getaddrinfo(order.relay.c_str(), port.c_str(), &wanted, &list);
  if (failed != 0)
    return fmt::format("the mail relay {} cannot be found: {}", order.relay,
                       failed == EAI_SYSTEM ? text_of(errno) : ::gai_strerror(failed));
  const Addresses addresses(list);
  int error = 0;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    error = connect_to(*one, order.patience, connected);
    if (error == 0) return {};
  }
  return fmt::format("the mail relay {} port {} cannot be reached: {}", order.relay, order.port,
                     text_of(error));
}

/// 0, or an errno.
int send_all(int fd, std::string_view bytes, core::Duration patience) {
  const auto end = runtime::now() + patience;
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
    if (count > 0 || (count < 0 && errno == EINTR)) continue;
    if (errno != EAGAIN) return errno;
    if (const int error = wait_for(fd, POLLOUT, end); error != 0) return error;
  }
  return 0;
}

class Talk {
 public:
  Talk(int fd, const Order& order, const std::function<void(const Report&)>& on_decided)
      : fd_(fd), order_(order), on_decided_(on_decided), talk_(order.helo, order.parcels) {}

  std::string run() {
    std::string received;
    bool is_closed = false;
    restart_clock();
    while (true) {
      const auto step = talk_.advance(received, is_closed);
      received.clear();
      report_decided();
      if (std::holds_alternative<Submission::Over>(step)) return {};
      if (const auto* send = std::get_if<Submission::Send>(&step)) {
        if (const int error = send_all(fd_, send->bytes, order_.patience); error != 0)
          return break_off(error);
        restart_clock();
        continue;  // more may have come already
      }
      if (const int error = receive(received, is_closed); error != 0) return break_off(error);
    }
  }

 private:
  // For a whole answer: a server that drips letters gets no more.
  void restart_clock() { end_ = runtime::now() + order_.patience; }

  int receive(std::string& received, bool& is_closed) {
    if (const int error = wait_for(fd_, POLLIN, end_); error != 0) return error;
    if (runtime::now() >= end_) return ETIMEDOUT;
    std::array<char, 4096> buffer{};
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count > 0) received.assign(buffer.data(), static_cast<std::size_t>(count));
    is_closed = count == 0;
    return count < 0 && errno != EAGAIN && errno != EINTR ? errno : 0;
  }

  std::string break_off(int error) {
    const std::string why =
        error == ETIMEDOUT
            ? fmt::format("the mail relay did not answer {} within {} s", talk_.waits_for(),
                          order_.patience / std::chrono::seconds(1))
            : fmt::format("the connection to the mail relay broke before {}: {}", talk_.waits_for(),
                          text_of(error));
    talk_.fail(why);
    report_decided();
    return why;
  }

  void report_decided() {
    for (; reported_ < talk_.decided(); ++reported_)
      on_decided_({static_cast<std::uint32_t>(reported_), talk_.deliveries()[reported_]});
  }

  int fd_;
  const Order& order_;
  const std::function<void(const Report&)>& on_decided_;
  Submission talk_;
  core::Instant end_{};
  std::size_t reported_ = 0;
};

// ---- the process ----

/// What it has by its start is of no use for a letter. Each step counts by itself.
void become_nobody() {
  static_cast<void>(runtime::give_up_programs());
  // A container's root without CAP_SETUID stays root, without capabilities.
  [[maybe_unused]] const bool is_nobody = ::geteuid() == 0 && ::setgroups(0, nullptr) == 0 &&
                                          ::setresgid(kNobody, kNobody, kNobody) == 0 &&
                                          ::setresuid(kNobody, kNobody, kNobody) == 0;
  static_cast<void>(runtime::give_up_capabilities_of_this_thread());
  static_cast<void>(runtime::filter_syscalls(runtime::FilterFor::files));
}

bool read_exactly(int fd, std::uint8_t* to, std::size_t size) {
  while (size > 0) {
    const ssize_t count = ::read(fd, to, size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    to += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

/// As runtime/message_pipe.hpp has them: the length, then the message.
std::optional<Order> read_order(int fd) {
  std::uint32_t length = 0;
  if (!read_exactly(fd, reinterpret_cast<std::uint8_t*>(&length), sizeof length))
    return std::nullopt;
  if (length > kMostOrderBytes) return std::nullopt;
  std::vector<std::uint8_t> bytes(length);
  if (!read_exactly(fd, bytes.data(), bytes.size())) return std::nullopt;
  return decode_order(bytes);
}

bool write_message(int fd, std::span<const std::uint8_t> message) {
  const auto length = static_cast<std::uint32_t>(message.size());
  std::vector<std::uint8_t> bytes(sizeof length + message.size());
  std::memcpy(bytes.data(), &length, sizeof length);
  std::memcpy(bytes.data() + sizeof length, message.data(), message.size());
  return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

std::string carry(const Order& order, const std::function<void(const Report&)>& on_decided) {
  runtime::UniqueFd connected;
  if (std::string why = connect_to_relay(order, connected); !why.empty()) {
    for (std::uint32_t i = 0; i < order.parcels.size(); ++i) on_decided({i, {.why = why}});
    return why;
  }
  return Talk(connected.get(), order, on_decided).run();
}

int run_postman() {
  constexpr int kDesk = STDIN_FILENO;
  become_nobody();
  const int flags = ::fcntl(kDesk, F_GETFL);
  if (flags < 0 || ::fcntl(kDesk, F_SETFL, flags & ~O_NONBLOCK) != 0) return 1;
  const auto order = read_order(kDesk);
  if (!order) return 1;
  const std::string why =
      carry(*order, [](const Report& report) { write_message(kDesk, encode(report)); });
  return why.empty() ? 0 : 2;
}

}  // namespace holdfast::mail
