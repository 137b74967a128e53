// HMAC [RFC 2104] over MD5 and SHA-256, whose digests are libmd's (see md5.hpp for why not
// OpenSSL's). Used by the VRRP core for authenticated adverts; keeps nothing after finish().
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <md5.h>
#include <sha2.h>
#include <span>

namespace holdfast::core {

struct Md5Digest {
  using Context = ::MD5_CTX;
  static constexpr std::size_t kBytes = MD5_DIGEST_LENGTH;
  static void begin(Context& context) { ::MD5Init(&context); }
  static void feed(Context& context, std::span<const std::uint8_t> bytes) {
    ::MD5Update(&context, bytes.data(), bytes.size());
  }
  static void finish(Context& context, std::uint8_t* out) { ::MD5Final(out, &context); }
};

struct Sha256Digest {
  using Context = ::SHA2_CTX;
  static constexpr std::size_t kBytes = SHA256_DIGEST_LENGTH;
  static void begin(Context& context) { ::SHA256Init(&context); }
  static void feed(Context& context, std::span<const std::uint8_t> bytes) {
    ::SHA256Update(&context, bytes.data(), bytes.size());
  }
  static void finish(Context& context, std::uint8_t* out) { ::SHA256Final(out, &context); }
};

template <class Digest>
class Hmac {
 public:
  using Result = std::array<std::uint8_t, Digest::kBytes>;

  explicit Hmac(std::span<const std::uint8_t> key) {
    if (key.size() > pad_.size()) {
      Digest::begin(context_);
      Digest::feed(context_, key);
      Digest::finish(context_, pad_.data());
    } else {
      std::copy(key.begin(), key.end(), pad_.begin());
    }
    begin_with(kInner);
  }
  /// The message in pieces, in order.
  void feed(std::span<const std::uint8_t> bytes) { Digest::feed(context_, bytes); }
  /// Nothing may be fed afterwards.
  [[nodiscard]] Result finish() {
    Result result{};
    Digest::finish(context_, result.data());
    begin_with(kOuter);
    Digest::feed(context_, result);
    Digest::finish(context_, result.data());
    pad_.fill(0);
    return result;
  }

 private:
  static constexpr std::uint8_t kInner = 0x36;
  static constexpr std::uint8_t kOuter = 0x5c;

  void begin_with(std::uint8_t mask) {
    std::array<std::uint8_t, 64> block = pad_;
    for (std::uint8_t& byte : block) byte ^= mask;
    Digest::begin(context_);
    Digest::feed(context_, block);
  }

  std::array<std::uint8_t, 64> pad_{};  // the key, filled up to the block of both digests
  typename Digest::Context context_;
};

using HmacMd5 = Hmac<Md5Digest>;
using HmacSha256 = Hmac<Sha256Digest>;

/// Takes the same time wherever the first difference is: what proves an origin must not be guessed
/// byte by byte. False when one is longer.
[[nodiscard]] inline bool equal_in_constant_time(std::span<const std::uint8_t> one,
                                                 std::span<const std::uint8_t> other) {
  if (one.size() != other.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < one.size(); ++i)
    difference |= static_cast<unsigned>(one[i] ^ other[i]);
  return difference == 0;
}

}  // namespace holdfast::core
