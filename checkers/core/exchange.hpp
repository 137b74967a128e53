// How a question by datagram looks to the driver that sends it: one request, then whatever comes
// in, datagram by datagram. No socket, no clock. The stream's counterpart is dialogue.hpp.
#pragma once

#include "checkers/core/dialogue.hpp"
#include "core/time.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace holdfast::checkers {

/// The answer does not fit: ask again by TCP.
struct AskByStream {
  bool operator==(const AskByStream&) const = default;
};
/// NeedMore: that was no answer to this question.
using Hearing = std::variant<NeedMore, AskByStream, Verdict>;

/// "no answer within 2000 ms".
[[nodiscard]] std::string silence_text(core::Duration waited);

/// UDP_CHECK.
class UdpExchange {
 public:
  /// Silence is a success only when it lasted longer than the three requests of ARP or of neighbour
  /// discovery, one second apart, after which the kernel knows that nobody is there.
  static constexpr core::Duration kTellingSilence = std::chrono::milliseconds(3200);

  /// `filling`: sent when there is no payload.
  UdpExchange(const UdpProbe& probe, std::string filling);

  [[nodiscard]] const std::string& request() const { return request_; }
  [[nodiscard]] Hearing hear(std::string_view datagram) const;
  [[nodiscard]] core::Duration patience(core::Duration timeout) const;
  [[nodiscard]] Outcome on_silence(core::Duration waited) const;

 private:
  [[nodiscard]] bool matches(std::string_view datagram) const;

  UdpProbe probe_;
  std::string request_;
};

/// PING_CHECK: RFC 792, RFC 4443 §4.
class PingExchange {
 public:
  /// Whether the kernel sees to the identifier (a datagram socket) or we do (a raw one).
  enum class Identifier : std::uint8_t { ours, of_the_kernel };

  PingExchange(core::Family family, Identifier who, std::uint16_t identifier, std::string token);

  [[nodiscard]] const std::string& request() const { return request_; }
  /// `datagram` begins with the ICMP header.
  [[nodiscard]] Hearing hear(std::string_view datagram) const;
  [[nodiscard]] core::Duration patience(core::Duration timeout) const { return timeout; }
  [[nodiscard]] Outcome on_silence(core::Duration waited) const;

 private:
  core::Family family_;
  Identifier who_;
  std::string request_;
};

}  // namespace holdfast::checkers
