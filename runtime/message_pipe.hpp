// Messages of bounded size over a stream socket between two processes of this binary. Never waits,
// and does a bounded piece of work each time the loop comes by. Used for scripts.
#pragma once

#include "core/result.hpp"
#include "runtime/unique_fd.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace holdfast::runtime {

struct PipePair {
  UniqueFd one;
  UniqueFd other;
};
/// Both ends close-on-exec and non-blocking.
[[nodiscard]] core::Result<PipePair> make_pipe_pair();

/// One end on the loop. Closing it (destructor) is seen by the other side.
class MessagePipe {
 public:
  /// A longer one ends the connection: the other side is broken.
  static constexpr std::size_t kMaxMessage = std::size_t{256} << 10;
  /// Read, or written, in one turn of the loop.
  static constexpr std::size_t kMaxPerTurn = std::size_t{64} << 10;

  struct Callbacks {
    std::function<void(std::span<const std::uint8_t>)> on_message;
    /// Once: the other side is gone, or sent nonsense.
    std::function<void()> on_closed;
    /// What was to be sent has been sent, or nearly so.
    std::function<void()> on_room = {};
  };

  /// None of the callbacks runs after the destructor; all may destroy the pipe.
  MessagePipe(boost::asio::io_context& io, UniqueFd end, Callbacks callbacks);
  ~MessagePipe();
  MessagePipe(const MessagePipe&) = delete;
  MessagePipe& operator=(const MessagePipe&) = delete;

  /// Never writes at once: the loop does, in pieces. At most kMaxMessage bytes.
  void send(std::span<const std::uint8_t> message);
  /// No hurry: goes with the next one that is sent, or with flush().
  void send_with_next(std::span<const std::uint8_t> message);
  void flush();
  /// Less than a turn's worth waits to be written.
  [[nodiscard]] bool has_room() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace holdfast::runtime
