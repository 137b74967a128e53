#include "vrrp/io/process_connector.hpp"

#include "runtime/unique_fd.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace holdfast::vrrp {
namespace {

/// Of a host that starts thousands of processes at once.
constexpr int kReceiveBuffer = 1 << 20;
constexpr std::size_t kMostBytes = 4096;

using Buffer = std::array<char, kMostBytes>;

core::Result<void> ask(int fd) {
  constexpr proc_cn_mcast_op kListen = PROC_CN_MCAST_LISTEN;
  std::array<char, NLMSG_LENGTH(sizeof(cn_msg) + sizeof kListen)> request{};
  nlmsghdr header{};
  header.nlmsg_len = request.size();
  header.nlmsg_type = NLMSG_DONE;
  cn_msg connector{};
  connector.id = {CN_IDX_PROC, CN_VAL_PROC};
  connector.len = sizeof kListen;
  std::memcpy(request.data(), &header, sizeof header);
  std::memcpy(request.data() + NLMSG_HDRLEN, &connector, sizeof connector);
  std::memcpy(request.data() + NLMSG_HDRLEN + sizeof connector, &kListen, sizeof kListen);
  if (::send(fd, request.data(), request.size(), 0) < 0)
    return core::fail_errno(errno, "no connector");
  return {};
}

/// 0: nothing is there; negative: errno. What does not come from the kernel is passed over.
ssize_t receive(int fd, Buffer& buffer) {
  while (true) {
    sockaddr_nl sender{};
    socklen_t length = sizeof sender;
    const ssize_t count = ::recvfrom(fd, buffer.data(), buffer.size(), MSG_DONTWAIT,
                                     reinterpret_cast<sockaddr*>(&sender), &length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == EAGAIN ? 0 : -errno;
    if (sender.nl_pid == 0) return count;
  }
}

/// nullptr: it is none.
bool event_of(const Buffer& buffer, ssize_t count, proc_event& event) {
  constexpr std::size_t kBefore = NLMSG_HDRLEN + sizeof(cn_msg);
  const auto length = static_cast<std::size_t>(count);
  if (length < kBefore + offsetof(proc_event, event_data)) return false;
  event = {};
  std::memcpy(&event, buffer.data() + kBefore, std::min(length - kBefore, sizeof event));
  return true;
}

// The kernel answers while it takes the request; where it does not care for the namespace it says
// nothing.
core::Result<void> await_answer(int fd) {
  Buffer buffer;
  for (int messages = 0; messages < ProcessConnector::kMostPerTurn; ++messages) {
    const ssize_t count = receive(fd, buffer);
    if (count <= 0) break;
    proc_event event{};
    if (!event_of(buffer, count, event) || event.what != proc_event::PROC_EVENT_NONE) continue;
    const auto error = static_cast<int>(event.event_data.ack.err);
    if (error == 0) return {};
    return core::fail_errno(error, "the connector refuses");
  }
  return core::fail("the kernel does not answer in this namespace");
}

}  // namespace

struct ProcessConnector::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& io, int fd, Callbacks calls)
      : socket(io, fd), callbacks(std::move(calls)) {}

  void wait() {
    socket.async_wait(socket.wait_read,
                      [self = shared_from_this()](boost::system::error_code error) {
                        if (!error && self->socket.is_open()) self->read();
                      });
  }

  void read() {
    Buffer buffer;
    for (int messages = 0; messages < kMostPerTurn && socket.is_open(); ++messages) {
      const ssize_t count = receive(socket.native_handle(), buffer);
      if (count == 0) break;
      if (count < 0) {
        callbacks.on_lost();
        break;
      }
      proc_event event{};
      if (event_of(buffer, count, event)) tell(event);
    }
    if (socket.is_open()) wait();
  }

  // Threads come and go with the same messages as processes.
  void tell(const proc_event& event) const {
    const auto& data = event.event_data;
    switch (event.what) {
      case proc_event::PROC_EVENT_FORK:
        if (data.fork.child_pid == data.fork.child_tgid)
          callbacks.on_forked(data.fork.parent_tgid, data.fork.child_tgid);
        return;
      case proc_event::PROC_EVENT_EXEC:
        return callbacks.on_changed(data.exec.process_tgid);
      case proc_event::PROC_EVENT_COMM:
        if (data.comm.process_pid == data.comm.process_tgid)
          callbacks.on_changed(data.comm.process_tgid);
        return;
      case proc_event::PROC_EVENT_EXIT:
        if (data.exit.process_pid == data.exit.process_tgid)
          callbacks.on_ended(data.exit.process_tgid);
        return;
      case proc_event::PROC_EVENT_NONE:
      case proc_event::PROC_EVENT_UID:
      case proc_event::PROC_EVENT_GID:
      case proc_event::PROC_EVENT_SID:
      case proc_event::PROC_EVENT_PTRACE:
      case proc_event::PROC_EVENT_COREDUMP:
        return;
    }
  }

  void close() {
    boost::system::error_code ignored;
    socket.close(ignored);
  }

  boost::asio::posix::stream_descriptor socket;
  Callbacks callbacks;
};

core::Result<std::unique_ptr<ProcessConnector>> ProcessConnector::open(boost::asio::io_context& io,
                                                                       Callbacks callbacks) {
  runtime::UniqueFd fd(
      ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR));
  if (!fd) return core::fail_errno(errno, "no connector");
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = CN_IDX_PROC;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return core::fail_errno(errno, "no connector");
  if (auto asked = ask(fd.get()); !asked) return asked.error();
  if (auto answered = await_answer(fd.get()); !answered) return answered.error();
  auto state = std::make_shared<State>(io, fd.release(), std::move(callbacks));
  state->wait();
  return std::unique_ptr<ProcessConnector>(new ProcessConnector(std::move(state)));
}

ProcessConnector::ProcessConnector(std::shared_ptr<State> state) : state_(std::move(state)) {}

ProcessConnector::~ProcessConnector() {
  state_->close();
}

}  // namespace holdfast::vrrp
