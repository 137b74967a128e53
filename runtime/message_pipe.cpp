#include "runtime/message_pipe.hpp"

#include "core/assertion.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace holdfast::runtime {
namespace {

using Length = std::uint32_t;  // in the order of this machine: both ends are on it

}  // namespace

struct MessagePipe::State : std::enable_shared_from_this<MessagePipe::State> {
  State(boost::asio::io_context& io, UniqueFd end, Callbacks calls)
      : socket(io, end.release()), callbacks(std::move(calls)) {}

  void wait_readable() {
    socket.async_wait(socket.wait_read,
                      [self = shared_from_this()](boost::system::error_code error) {
                        if (!error && !self->closed) self->read();
                      });
  }

  void read() {
    const ssize_t count = ::recv(socket.native_handle(), piece.get(), kMaxPerTurn, MSG_DONTWAIT);
    const int error = count < 0 ? errno : 0;
    if (count > 0) input.insert(input.end(), piece.get(), piece.get() + count);
    if (count == 0 || (error != 0 && error != EAGAIN && error != EINTR)) return close();
    take_messages();
    if (!closed) wait_readable();
  }

  void take_messages() {
    std::size_t at = 0;
    Length length = 0;
    while (!closed && input.size() - at >= sizeof length) {
      std::memcpy(&length, input.data() + at, sizeof length);
      if (length > kMaxMessage) return close();
      if (input.size() - at - sizeof length < length) break;
      const auto callback = callbacks.on_message;  // it may destroy the pipe
      callback({input.data() + at + sizeof length, length});
      at += sizeof length + length;
    }
    if (!closed) input.erase(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(at));
  }

  // All that is sent in one turn of the loop goes in one piece.
  void write_soon() {
    if (std::exchange(writing, true)) return;
    boost::asio::post(socket.get_executor(), [self = shared_from_this()] {
      self->writing = false;
      if (!self->closed) self->write();
    });
  }

  void wait_writable() {
    if (std::exchange(writing, true)) return;
    socket.async_wait(socket.wait_write,
                      [self = shared_from_this()](boost::system::error_code error) {
                        self->writing = false;
                        if (!error && !self->closed) self->write();
                      });
  }

  void write() {
    const std::size_t size = std::min(output.size() - sent, kMaxPerTurn);
    const ssize_t count =
        ::send(socket.native_handle(), output.data() + sent, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) sent += static_cast<std::size_t>(count);
    if (sent >= kMaxPerTurn || sent == output.size()) {
      output.erase(output.begin(), output.begin() + static_cast<std::ptrdiff_t>(sent));
      sent = 0;
    }
    // A broken connection is reported by the reading side.
    if (count < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS) return;
    if (!output.empty()) wait_writable();
    const auto callback = callbacks.on_room;
    if (callback && output.size() - sent < kMaxPerTurn) callback();
  }

  void close() {
    if (std::exchange(closed, true)) return;
    boost::system::error_code ignored;
    socket.close(ignored);
    const auto callback = std::exchange(callbacks, {}).on_closed;
    if (callback) callback();
  }

  boost::asio::posix::stream_descriptor socket;
  Callbacks callbacks;
  std::unique_ptr<std::uint8_t[]> piece =
      std::make_unique_for_overwrite<std::uint8_t[]>(kMaxPerTurn);
  std::vector<std::uint8_t> input;
  std::vector<std::uint8_t> output;
  std::size_t sent = 0;  // of output
  bool writing = false;
  bool closed = false;
};

core::Result<PipePair> make_pipe_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
    return core::fail_errno(errno, "cannot create a connection to the process that runs scripts");
  return PipePair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

MessagePipe::MessagePipe(boost::asio::io_context& io, UniqueFd end, Callbacks callbacks)
    : state_(std::make_shared<State>(io, std::move(end), std::move(callbacks))) {
  state_->wait_readable();
}

MessagePipe::~MessagePipe() {
  state_->callbacks = {};
  state_->close();
}

void MessagePipe::send(std::span<const std::uint8_t> message) {
  send_with_next(message);
  flush();
}

void MessagePipe::flush() {
  if (!state_->closed && !state_->output.empty()) state_->write_soon();
}

void MessagePipe::send_with_next(std::span<const std::uint8_t> message) {
  HOLDFAST_ASSERT(message.size() <= kMaxMessage, "the sender looks at the length");
  if (state_->closed) return;
  const auto length = static_cast<Length>(message.size());
  const auto* first = reinterpret_cast<const std::uint8_t*>(&length);
  state_->output.insert(state_->output.end(), first, first + sizeof length);
  state_->output.insert(state_->output.end(), message.begin(), message.end());
}

bool MessagePipe::has_room() const {
  return state_->output.size() - state_->sent < kMaxPerTurn;
}

}  // namespace holdfast::runtime
