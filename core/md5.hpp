// MD5 (RFC 1321) of bytes that arrive in pieces. Called by the HTTP check, whose `digest` values
// are MD5: a short name for a page. It protects nothing, and must not be used where it would.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace holdfast::core {

class Md5 {
 public:
  void feed(std::span<const std::uint8_t> bytes);
  /// 32 lower-case hex digits of all that was fed. Nothing may be fed afterwards.
  [[nodiscard]] std::string finish();

 private:
  static constexpr std::size_t kBlockBytes = 64;
  void digest(std::span<const std::uint8_t, kBlockBytes> block);

  std::array<std::uint32_t, 4> state_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  std::array<std::uint8_t, kBlockBytes> block_{};
  std::uint64_t fed_ = 0;  // bytes; those beyond the last whole block are in block_
};

}  // namespace holdfast::core
