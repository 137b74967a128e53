// Requests and dumps on one socket: many in flight in one datagram, answers matched by sequence
// number, a fence at the end. Used only by the reflector.
#pragma once

#include "core/result.hpp"
#include "netlink_reflector/core/codec.hpp"
#include "netlink_reflector/core/keeper.hpp"
#include "netlink_reflector/socket.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace holdfast::netlink {

class Requests {
 public:
  /// Requests in one datagram. Their answers (under 2 KiB of buffer each) fit even an unforced
  /// receive buffer.
  static constexpr std::size_t kMaxInFlight = 64;
  /// A dump that the kernel calls inconsistent is repeated, this often at most. Then the error is
  /// EINTR: every entry that came is true, but some may be missing.
  static constexpr int kMaxDumpAttempts = 5;

  explicit Requests(RouteSocket socket) : socket_(std::move(socket)) {}

  /// Sends all steps and returns one result each. rtnetlink answers inside sendmsg, so nothing here
  /// waits; an answer that is not there afterwards was lost for lack of memory and counts as
  /// ENOBUFS.
  [[nodiscard]] std::vector<StepResult> send(std::span<const Step> steps);
  /// The same for any requests: `append` adds one to a datagram.
  using Append = std::function<void(std::size_t at, std::uint32_t sequence, Bytes& datagram)>;
  [[nodiscard]] std::vector<StepResult> send(std::size_t count, const Append& append);

  /// Reads a table from the kernel: `encode` makes the request, `start` begins afresh (it may run
  /// again), `take` gets every entry. `what` is for people.
  [[nodiscard]] core::Result<void> dump(const std::function<Bytes(std::uint32_t)>& encode,
                                        const std::function<void()>& start,
                                        const std::function<void(const Payload&)>& take,
                                        std::string_view what = "links and addresses");

 private:
  void send_chunk(std::size_t count, const Append& append, std::vector<StepResult>& results);
  /// 0: complete; EINTR: interrupted by changes; else errno.
  [[nodiscard]] int read_dump(std::uint32_t sequence,
                              const std::function<void(const Payload&)>& take);

  RouteSocket socket_;
  std::uint32_t next_sequence_ = 1;
};

}  // namespace holdfast::netlink
