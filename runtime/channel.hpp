// The line between the watchdog and one child: an AF_UNIX SOCK_SEQPACKET pair carrying frames of
// one fixed shape, with at most one file descriptor riding along. The watchdog parses nothing else
// than these frames.
#pragma once

#include "core/result.hpp"
#include "runtime/unique_fd.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace holdfast::runtime {

/// `number` of a Frame means, per type:
enum class FrameType : std::uint8_t {
  prepare = 1,  ///< to the child: generation; fd = sealed snapshot
  commit,       ///< to the child: generation
  abort,        ///< to the child: generation
  stop,         ///< to the child: 0, or kStopForSuccessor
  hello,        ///< from the child: its pid
  heartbeat,    ///< from the child: sequence, from 1
  prepared,     ///< from the child: generation
  refused,      ///< from the child: generation; text = why
  committed,    ///< from the child: generation
  sibling,      ///< to the child: pid of the process in the other role; fd = its pidfd
  /// to the child: 0; fd = its connection to the process that runs scripts. To that process: 0;
  /// text = the child's role, fd = the other end.
  scripts,
  /// from the child: a signal that asks keepalived for a dump of what that process knows.
  dump,
  /// to the process that runs scripts: a HostScript; it runs that of the configuration that was
  /// sent last. From it: the same, when it has ended; text = how, empty: well.
  host_script,
};
/// keepalived: startup_script, shutdown_script.
enum class HostScript : std::uint8_t { startup, shutdown };

/// `number` of a stop after which another process of this role follows: what is static stays.
inline constexpr std::uint64_t kStopForSuccessor = 1;

/// A refused frame's reason is cut to this many bytes.
inline constexpr std::size_t kMaxFrameText = 4096;

struct Frame {
  FrameType type = FrameType::stop;
  std::uint64_t number = 0;
  std::string text;
  UniqueFd fd;
};

/// Wire form, host byte order (both ends are the same binary): magic u32, version u8, type u8, text
/// length u16, number u64, text.
[[nodiscard]] std::vector<std::uint8_t> encode_frame(const Frame& frame);
/// Refuses anything that is not exactly one well-formed frame. `fd` of the result is empty.
[[nodiscard]] core::Result<Frame> decode_frame(std::span<const std::uint8_t> bytes);

struct ChannelPair {
  UniqueFd parent;
  UniqueFd child;
};
/// Both ends close-on-exec and non-blocking.
[[nodiscard]] core::Result<ChannelPair> make_channel_pair();

/// One end on the loop. Closing it (destructor) is seen by the other side as EOF.
class Channel {
 public:
  /// Frames waiting because the other side does not read. At the bound send() fails: the peer
  /// hangs.
  static constexpr std::size_t kMaxOutbox = 64;

  Channel(boost::asio::io_context& io, UniqueFd end);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Starts reading. `on_closed` is called once, with a sentence: the other side is gone or sent
  /// nonsense. Neither callback runs after the destructor; both may destroy the Channel.
  void start(std::function<void(Frame)> on_frame, std::function<void(std::string)> on_closed);
  /// Takes what has arrived by now, without waiting for the loop's next turn: for who is told by
  /// somebody else about what was sent here before.
  void take_waiting();
  /// Never blocks. A heartbeat that does not fit is dropped silently: the next one says the same.
  [[nodiscard]] core::Result<void> send(Frame frame);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace holdfast::runtime
