#include "core/base64.hpp"

#include <doctest/doctest.h>

using namespace holdfast::core;

TEST_CASE("base64: the examples of RFC 4648 section 10, both ways") {
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    CHECK(to_base64(bytes) == text);
    CHECK(from_base64(text) == bytes);
  }
}

TEST_CASE("base64: every byte comes back") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (std::size_t length = 250; length <= all.size(); ++length)
    CHECK(from_base64(to_base64(all.substr(0, length))) == all.substr(0, length));
}

TEST_CASE("base64: what is not written that way is refused") {
  for (const char* text : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "====", "Zg==Zg==", "Zm9v\n", "Zm 9"})
    CHECK_MESSAGE(!from_base64(text), text);
}
