// The Internet checksum of IP, VRRP and ICMP. RFC 1071.
#pragma once

#include <cstdint>
#include <span>

namespace holdfast::core {

/// One's complement sum over several pieces (an odd piece is padded with a zero byte at its end).
class ChecksumAccumulator {
 public:
  void add(std::span<const std::uint8_t> bytes);
  /// The value for the checksum field, in host order; 0 when the covered bytes already hold a right
  /// checksum.
  [[nodiscard]] std::uint16_t finish() const;

 private:
  std::uint64_t sum_ = 0;
};

/// Checksum of one piece. 0 means: the piece contains a right checksum.
[[nodiscard]] std::uint16_t internet_checksum(std::span<const std::uint8_t> bytes);

}  // namespace holdfast::core
