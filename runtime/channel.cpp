#include "runtime/channel.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace holdfast::runtime {
namespace {

constexpr std::size_t kMaxFrameBytes = 16 + kMaxFrameText;
/// Frames taken in one wake-up; the rest waits for the next turn of the loop.
constexpr int kMaxDrainFrames = 64;

/// Room for one descriptor, aligned as the kernel wants it.
union ControlBuffer {
  cmsghdr header;
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
};

ssize_t send_frame(int socket, std::vector<std::uint8_t>& bytes, int fd) {
  iovec piece{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  ControlBuffer control{};
  if (fd >= 0) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  return ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

struct Received {
  ssize_t size = 0;
  int error = 0;
  bool cut = false;
  UniqueFd fd;
};

Received receive_frame(int socket, std::array<std::uint8_t, kMaxFrameBytes>& buffer) {
  iovec piece{buffer.data(), buffer.size()};
  ControlBuffer control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  Received received;
  received.size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (received.size < 0) {
    received.error = errno;
    return received;
  }
  received.cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    received.fd.reset(fd);
  }
  return received;
}

}  // namespace

core::Result<ChannelPair> make_channel_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return core::fail_errno(errno, "cannot create the channel to a child process");
  }
  return ChannelPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

struct Channel::State : std::enable_shared_from_this<Channel::State> {
  State(boost::asio::io_context& io, UniqueFd end) : socket(io, end.release()) {}

  void wait_readable() {
    socket.async_wait(socket.wait_read,
                      [self = shared_from_this()](boost::system::error_code error) {
                        if (error || self->closed) return;
                        self->drain();
                        if (!self->closed) self->wait_readable();
                      });
  }

  void drain() {
    for (int count = 0; count < kMaxDrainFrames && !closed; ++count) {
      Received received = receive_frame(socket.native_handle(), buffer);
      if (received.size < 0 && received.error == EINTR) continue;
      if (received.size < 0 && received.error == EAGAIN) break;
      if (received.size < 0)
        return close(core::fail_errno(received.error, "cannot read the channel").message);
      if (received.size == 0) return close("the other side closed the channel");
      if (received.cut) return close("a channel frame was cut");
      auto frame = decode_frame({buffer.data(), static_cast<std::size_t>(received.size)});
      if (!frame) return close(frame.error().message);
      frame->fd = std::move(received.fd);
      const auto callback = on_frame;  // the callback may destroy the Channel
      callback(std::move(*frame));
    }
  }

  void flush() {
    while (!outbox.empty()) {
      auto& [bytes, fd] = outbox.front();
      if (send_frame(socket.native_handle(), bytes, fd.get()) < 0) {
        if (errno == EINTR) continue;
        // EPIPE is reported by the reading side, as EOF. Anything else (no memory, too many
        // descriptors on their way) may pass: the next send() tries again.
        if (errno == EAGAIN) wait_writable();
        return;
      }
      outbox.pop_front();
    }
  }

  void wait_writable() {
    if (waiting_to_write) return;
    waiting_to_write = true;
    socket.async_wait(socket.wait_write,
                      [self = shared_from_this()](boost::system::error_code error) {
                        self->waiting_to_write = false;
                        if (!error && !self->closed) self->flush();
                      });
  }

  void close(std::string why) {
    if (std::exchange(closed, true)) return;
    boost::system::error_code ignored;
    socket.close(ignored);
    const auto callback = std::exchange(on_closed, {});
    on_frame = {};
    if (callback) callback(std::move(why));
  }

  boost::asio::posix::stream_descriptor socket;
  std::array<std::uint8_t, kMaxFrameBytes> buffer{};
  std::deque<std::pair<std::vector<std::uint8_t>, UniqueFd>> outbox;
  std::function<void(Frame)> on_frame;
  std::function<void(std::string)> on_closed;
  bool closed = false;
  bool waiting_to_write = false;
};

Channel::Channel(boost::asio::io_context& io, UniqueFd end)
    : state_(std::make_shared<State>(io, std::move(end))) {}

Channel::~Channel() {
  state_->on_closed = {};
  state_->close({});
}

void Channel::start(std::function<void(Frame)> on_frame,
                    std::function<void(std::string)> on_closed) {
  state_->on_frame = std::move(on_frame);
  state_->on_closed = std::move(on_closed);
  state_->wait_readable();
}

void Channel::take_waiting() {
  const auto state = state_;  // a callback may destroy the Channel
  if (!state->closed) state->drain();
}

core::Result<void> Channel::send(Frame frame) {
  if (state_->closed) return core::fail("the channel is closed");
  if (!state_->waiting_to_write) state_->flush();
  if (!state_->outbox.empty()) {
    if (frame.type == FrameType::heartbeat) return {};
    if (state_->outbox.size() >= kMaxOutbox) {
      return core::fail("the other side of the channel has not read {} frames", kMaxOutbox);
    }
  }
  state_->outbox.emplace_back(encode_frame(frame), std::move(frame.fd));
  state_->flush();
  return {};
}

}  // namespace holdfast::runtime
