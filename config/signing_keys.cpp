#include "config/signing_keys.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::config {
namespace {

constexpr std::string_view kHex = "hex:";
constexpr std::string_view kFile = "file:";
/// "hex:" and two digits a byte, with room for a line end.
constexpr std::size_t kLongestFile = 256;

int digit_of(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

core::Result<std::vector<std::uint8_t>> from_hex(std::string_view digits, unsigned id) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at < digits.size(); at += 2) {
    const int high = digit_of(digits[at]);
    const int low = at + 1 < digits.size() ? digit_of(digits[at + 1]) : -1;
    if (high < 0 || low < 0)
      return core::fail("key {}: behind hex: stand pairs of the digits 0-9 and a-f", id);
    bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return bytes;
}

// Never waits: what is no ordinary file (a pipe, a terminal) is refused.
core::Result<std::string> read_key_file(const std::string& path, unsigned id) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return core::fail_errno(errno, "key {}: cannot read {}", id, path);
  struct stat status {};
  std::string text(kLongestFile + 1, '\0');
  ssize_t count = -1;
  const bool is_file = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  if (is_file) count = ::read(fd, text.data(), text.size());
  const int error = errno;
  ::close(fd);
  if (!is_file) return core::fail("key {}: {} is no ordinary file", id, path);
  if (count < 0) return core::fail_errno(error, "key {}: cannot read {}", id, path);
  if (static_cast<std::size_t>(count) > kLongestFile)
    return core::fail("key {}: {} is longer than a key can be", id, path);
  text.resize(static_cast<std::size_t>(count));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace

core::Result<KeyBytes> bytes_of(const AuthHmac::Key& key) {
  const unsigned id = key.id;
  std::string text = key.value;
  if (text.starts_with(kFile)) {
    auto read = read_key_file(text.substr(kFile.size()), id);
    if (!read) return read.error();
    text = std::move(*read);
  }
  KeyBytes known{key.id, {text.begin(), text.end()}};
  if (text.starts_with(kHex)) {
    auto bytes = from_hex(std::string_view(text).substr(kHex.size()), id);
    if (!bytes) return bytes.error();
    known.bytes = std::move(*bytes);
  }
  const std::size_t size = known.bytes.size();
  if (size < kShortestKey || size > kLongestKey)
    return core::fail("key {}: it has {} bytes, keys have {} to {}", id, size, kShortestKey,
                      kLongestKey);
  return known;
}

core::Result<std::vector<KeyBytes>> bytes_of(const AuthHmac& hmac) {
  if (hmac.keys.empty()) return core::fail("auth_hmac has no key: add 'key 1 …'");
  std::vector<KeyBytes> all;
  for (const AuthHmac::Key& key : hmac.keys) {
    auto bytes = bytes_of(key);
    if (!bytes) return bytes.error();
    all.push_back(std::move(*bytes));
  }
  const unsigned active = active_key_of(hmac);
  const bool exists =
      std::any_of(all.begin(), all.end(), [&](const KeyBytes& each) { return each.id == active; });
  if (!exists) return core::fail("auth_hmac signs with key {}, which is none of its keys", active);
  return all;
}

std::uint8_t active_key_of(const AuthHmac& hmac) {
  if (hmac.active_key != 0 || hmac.keys.empty()) return hmac.active_key;
  return hmac.keys.front().id;
}

}  // namespace holdfast::config
