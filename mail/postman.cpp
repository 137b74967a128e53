#include "mail/postman.hpp"

#include "runtime/clock.hpp"
#include "runtime/message_pipe.hpp"
#include "runtime/process.hpp"
#include "runtime/syscall_filter.hpp"
#include "runtime/unique_fd.hpp"

#include <fmt/format.h>

#include "mail/connection.hpp"
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

class Talk {
 public:
  Talk(runtime::UniqueFd fd, const Order& order, const OpenedKeys& keys,
       const std::function<void(const Report&)>& on_decided)
      : connection_(std::move(fd)),
        order_(order),
        keys_(keys),
        on_decided_(on_decided),
        talk_({order.helo, order.keys.protection, keys.login}, order.parcels) {}

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
        restart_clock();
        if (const int error = connection_.send(send->bytes, end_); error != 0)
          return break_off(error);
        restart_clock();
        continue;  // more may have come already
      }
      if (std::holds_alternative<Submission::Secure>(step)) {
        restart_clock();
        if (const std::string why = secure(); !why.empty()) return give_up(why);
        restart_clock();
        continue;
      }
      if (const int error = connection_.receive(received, is_closed, end_); error != 0)
        return break_off(error);
    }
  }

 private:
  // For a whole answer: a server that drips letters gets no more.
  void restart_clock() { end_ = runtime::now() + order_.patience; }

  std::string secure() {
    const std::string& name = order_.keys.name.empty() ? order_.relay : order_.keys.name;
    return connection_.secure(*keys_.context, name, end_);
  }

  std::string break_off(int error) {
    return give_up(error == ETIMEDOUT
                       ? fmt::format("the mail relay did not answer {} within {} s",
                                     talk_.waits_for(), order_.patience / std::chrono::seconds(1))
                       : fmt::format("the connection to the mail relay broke before {}: {}",
                                     talk_.waits_for(), text_of(error)));
  }

  std::string give_up(const std::string& why) {
    talk_.fail(why);
    report_decided();
    return why;
  }

  void report_decided() {
    for (; reported_ < talk_.decided(); ++reported_)
      on_decided_({static_cast<std::uint32_t>(reported_), talk_.deliveries()[reported_]});
  }

  Connection connection_;
  const Order& order_;
  const OpenedKeys& keys_;
  const std::function<void(const Report&)>& on_decided_;
  Submission talk_;
  core::Instant end_{};
  std::size_t reported_ = 0;
};

/// Nothing is: they are to be tried again.
void decide_all(const Order& order, const std::string& why,
                const std::function<void(const Report&)>& on_decided) {
  for (std::uint32_t i = 0; i < order.parcels.size(); ++i) on_decided({i, {.why = why}});
}

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

std::string carry(const Order& order, const OpenedKeys& keys,
                  const std::function<void(const Report&)>& on_decided) {
  runtime::UniqueFd connected;
  if (std::string why = connect_to_relay(order, connected); !why.empty()) {
    decide_all(order, why, on_decided);
    return why;
  }
  return Talk(std::move(connected), order, keys, on_decided).run();
}

// The order comes from who started this process; nothing of a stranger's is read before it is
// nobody.
int run_postman() {
  constexpr int kDesk = STDIN_FILENO;
  const int flags = ::fcntl(kDesk, F_GETFL);
  if (flags < 0 || ::fcntl(kDesk, F_SETFL, flags & ~O_NONBLOCK) != 0) return 1;
  const auto order = read_order(kDesk);
  if (!order) return 1;
  const auto report = [](const Report& one) { write_message(kDesk, encode(one)); };
  const auto keys = open_keys(order->keys);
  if (!keys) {
    decide_all(*order, keys.error().message, report);
    return 2;
  }
  become_nobody();
  return carry(*order, *keys, report).empty() ? 0 : 2;
}

}  // namespace holdfast::mail
