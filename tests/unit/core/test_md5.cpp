#include "core/md5.hpp"

#include <doctest/doctest.h>

#include <string_view>

using holdfast::core::Md5;

namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string md5(std::string_view text) {
  Md5 digest;
  digest.feed(bytes_of(text));
  return digest.finish();
}

}  // namespace

TEST_CASE("md5: the test suite of the RFC [RFC1321-A.5]") {
  CHECK(md5("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(md5("a") == "0cc175b9c0f1b6a831c399e269772661");
  CHECK(md5("abc") == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(md5("message digest") == "f96b697d7cb7938d525a2f31aaf161d0");
  CHECK(md5("abcdefghijklmnopqrstuvwxyz") == "c3fcd3d76192e4007dfb496cca67e13b");
  CHECK(md5("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") ==
        "d174ab98d277d9f5a5611c2c9f419d9f");
  CHECK(md5("1234567890123456789012345678901234567890123456789012345678901234567890"
            "1234567890") == "57edf4a22be3c955ac49da2e2107b67a");
}

TEST_CASE("md5: pieces of any size give the digest of the whole") {
  const std::string text(200, 'x');
  const std::string whole = md5(text);

  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    Md5 digest;
    for (std::size_t at = 0; at < text.size(); at += piece)
      digest.feed(bytes_of(std::string_view(text).substr(at, piece)));
    CHECK(digest.finish() == whole);
  }
}

TEST_CASE("md5: messages that end around a block's last bytes") {
  CHECK(md5(std::string(55, 'a')) == "ef1772b6dff9a122358552954ad0df65");
  CHECK(md5(std::string(56, 'a')) == "3b0c8ac703f828b04c6c197006d17218");
  CHECK(md5(std::string(63, 'a')) == "b06521f39153d618550606be297466d5");
  CHECK(md5(std::string(64, 'a')) == "014842d480b571495a4a0363793f7367");
}
