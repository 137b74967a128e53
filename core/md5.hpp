// MD5 [RFC 1321], by libmd: the digests in people's files were made with it (keepalived's genhash),
// it is nothing to trust. OpenSSL's needs ten times the memory in each process, and is refused on a
// host in FIPS mode.
#pragma once

#include <cstdint>
#include <md5.h>
#include <span>
#include <string>

namespace holdfast::core {

class Md5 {
 public:
  Md5() { ::MD5Init(&context_); }
  void feed(std::span<const std::uint8_t> bytes) {
    ::MD5Update(&context_, bytes.data(), bytes.size());
  }
  /// 32 lower-case hex digits of all that was fed. Nothing may be fed afterwards.
  [[nodiscard]] std::string finish() {
    std::string digits(MD5_DIGEST_STRING_LENGTH, '\0');
    ::MD5End(&context_, digits.data());
    digits.pop_back();  // the byte that ends it
    return digits;
  }

 private:
  ::MD5_CTX context_;
};

}  // namespace holdfast::core
