#include "core/md5.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>

namespace holdfast::core {
namespace {

/// RFC 1321 §3.4: the integer part of 2^32 × |sin(i + 1)|.
constexpr std::array<std::uint32_t, 64> kSines{
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

/// By round, then by step within each four.
constexpr std::array<std::array<int, 4>, 4> kRotations{
    {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};

/// Where the length of the message stands in the last block.
constexpr std::size_t kLengthAt = 56;

std::uint32_t little_endian(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at]) | static_cast<std::uint32_t>(bytes[at + 1]) << 8 |
         static_cast<std::uint32_t>(bytes[at + 2]) << 16 |
         static_cast<std::uint32_t>(bytes[at + 3]) << 24;
}

/// The function of a round, and which word of the block its step takes.
struct Mixed {
  std::uint32_t value;
  std::size_t word;
};
Mixed mix(std::size_t step, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  if (step < 16) return {(b & c) | (~b & d), step};
  if (step < 32) return {(b & d) | (c & ~d), (5 * step + 1) % 16};
  if (step < 48) return {b ^ c ^ d, (3 * step + 5) % 16};
  return {c ^ (b | ~d), 7 * step % 16};
}

}  // namespace

void Md5::digest(std::span<const std::uint8_t, kBlockBytes> block) {
  auto [a, b, c, d] = state_;
  for (std::size_t step = 0; step < kSines.size(); ++step) {
    const Mixed mixed = mix(step, b, c, d);
    const std::uint32_t sum = a + mixed.value + kSines[step] + little_endian(block, 4 * mixed.word);
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kRotations[step / 16][step % 4]);
  }
  state_[0] += a;
  state_[1] += b;
  state_[2] += c;
  state_[3] += d;
}

void Md5::feed(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const std::size_t filled = fed_ % kBlockBytes;
    const std::size_t taken = std::min(kBlockBytes - filled, bytes.size());
    std::copy_n(bytes.begin(), taken, block_.begin() + static_cast<std::ptrdiff_t>(filled));
    fed_ += taken;
    bytes = bytes.subspan(taken);
    if (fed_ % kBlockBytes == 0) digest(block_);
  }
}

std::string Md5::finish() {
  std::array<std::uint8_t, 8> length{};
  for (std::size_t at = 0; at < length.size(); ++at)
    length[at] = static_cast<std::uint8_t>(fed_ * 8 >> 8 * at);
  constexpr std::array<std::uint8_t, kBlockBytes> kPadding{0x80};
  const std::size_t filled = fed_ % kBlockBytes;
  feed(std::span(kPadding).first((filled < kLengthAt ? kLengthAt : kBlockBytes + kLengthAt) -
                                 filled));
  feed(length);
  std::string text;
  for (const std::uint32_t word : state_) text += fmt::format("{:08x}", __builtin_bswap32(word));
  return text;
}

}  // namespace holdfast::core
