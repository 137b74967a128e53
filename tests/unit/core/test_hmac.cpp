#include "core/hmac.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

using namespace holdfast::core;

namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

template <class Mac>
std::string hex(std::string_view key, std::string_view message) {
  Mac mac(bytes_of(key));
  mac.feed(bytes_of(message));
  std::string digits;
  for (const std::uint8_t byte : mac.finish()) digits += fmt::format("{:02x}", byte);
  return digits;
}

}  // namespace

TEST_CASE("hmac: MD5, the test cases of the RFC [RFC2202-2]") {
  CHECK(hex<HmacMd5>(std::string(16, '\x0b'), "Hi There") == "9294727a3638bb1c13f48ef8158bfc9d");
  CHECK(hex<HmacMd5>("Jefe", "what do ya want for nothing?") == "750c783e6ab0b503eaa86e310a5db738");
  CHECK(hex<HmacMd5>(std::string(16, '\xaa'), std::string(50, '\xdd')) ==
        "56be34521d144c88dbb8c733f0e8b3f6");
  CHECK(hex<HmacMd5>(std::string(80, '\xaa'),
                     "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
}

TEST_CASE("hmac: SHA-256, the test cases of the RFC [RFC4231-4]") {
  CHECK(hex<HmacSha256>(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hex<HmacSha256>("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex<HmacSha256>(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  CHECK(hex<HmacSha256>(std::string(131, '\xaa'),
                        "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("hmac: a message in pieces has the same proof, and proofs are compared as a whole") {
  HmacSha256 pieces(bytes_of("key"));
  pieces.feed(bytes_of("in "));
  pieces.feed(bytes_of(""));
  pieces.feed(bytes_of("pieces"));
  HmacSha256 whole(bytes_of("key"));
  whole.feed(bytes_of("in pieces"));
  CHECK(pieces.finish() == whole.finish());

  CHECK(equal_in_constant_time(bytes_of("same"), bytes_of("same")));
  CHECK_FALSE(equal_in_constant_time(bytes_of("same"), bytes_of("samf")));
  CHECK_FALSE(equal_in_constant_time(bytes_of("same"), bytes_of("sam")));
}
