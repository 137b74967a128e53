#include "watchdog/io/loader_reply.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace holdfast::watchdog {

namespace {

constexpr std::string_view kMagic = "HFL6";
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kMaskDigits = 3;
constexpr std::size_t kLimitDigits = 10;
constexpr std::size_t kMaxNameBytes = 255;
// magic, usable, roles, exit code, flags
constexpr std::size_t kFixedBytes = 8;

constexpr unsigned kHasReloadFile = 1;
constexpr unsigned kHasCheckLog = 2;
constexpr unsigned kRepeat = 4;
constexpr unsigned kAllFlags = kHasReloadFile | kHasCheckLog | kRepeat;

/// The texts in the order in which they follow the head, with the longest that is taken.
constexpr std::array kBounds{kMaxPathBytes,   kMaxPathBytes,     kMaxPathBytes,       kMaxPathBytes,
                             kMaxChangeBytes, kMaxSentenceBytes, kMaxDiagnosticBytes, kMaskDigits,
                             kLimitDigits,    kLimitDigits,      kMaxNameBytes};
constexpr std::size_t kHeadBytes = kFixedBytes + kBounds.size() * kLengthBytes;
using Texts = std::array<std::string, kBounds.size()>;

std::optional<ExitCode> known_code(unsigned char byte) {
  for (const ExitCode code :
       {ExitCode::ok, ExitCode::fatal, ExitCode::bad_config, ExitCode::no_permission,
        ExitCode::test_failed, ExitCode::no_config_file})
    if (to_int(code) == byte) return code;
  return std::nullopt;
}

bool can_be_opened(std::string_view path) {
  return path.size() <= kMaxPathBytes && path.find('\0') == path.npos;
}

void append_length(std::string& bytes, std::size_t length) {
  for (unsigned shift = 0; shift < kLengthBytes * 8; shift += 8)
    bytes += static_cast<char>((length >> shift) & 0xFF);
}

std::size_t length_at(std::string_view bytes, std::size_t offset) {
  std::size_t length = 0;
  for (std::size_t byte = 0; byte < kLengthBytes; ++byte)
    length |= std::size_t{static_cast<unsigned char>(bytes[offset + byte])} << (8 * byte);
  return length;
}

std::optional<Texts> texts_of(std::string_view bytes) {
  Texts texts;
  std::size_t at = kHeadBytes;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::size_t length = length_at(bytes, kFixedBytes + i * kLengthBytes);
    if (length > kBounds[i] || length > bytes.size() - at) return std::nullopt;
    texts[i] = bytes.substr(at, length);
    at += length;
  }
  if (at != bytes.size()) return std::nullopt;
  return texts;
}

std::string digits_of(std::optional<std::uint32_t> number) {
  return number ? std::to_string(*number) : std::string();
}

/// False: not a number. Empty: there is none.
template <class Number>
bool read_digits(const std::string& digits, int base, std::optional<Number>& number) {
  if (digits.empty()) return true;
  const char* const end = digits.data() + digits.size();
  const auto [behind, error] = std::from_chars(digits.data(), end, number.emplace(), base);
  return error == std::errc{} && behind == end;
}

}  // namespace

std::string encode_reply(const LoaderReply& reply) {
  const LoaderFinished& finished = reply.finished;
  const Directives& directives = reply.directives;
  const auto path = [](const std::string& one) { return can_be_opened(one) ? one : std::string(); };
  const Texts texts{path(directives.reload_time_file),
                    path(directives.reload_file.value_or("")),
                    path(directives.check_log.value_or("")),
                    path(directives.router_id),
                    finished.changes.substr(0, kMaxChangeBytes),
                    finished.refused_unless_forced.substr(0, kMaxSentenceBytes),
                    finished.diagnostics.substr(0, kMaxDiagnosticBytes),
                    directives.umask ? fmt::format("{:o}", *directives.umask & 0777U) : "",
                    digits_of(directives.startup_limit_ms),
                    digits_of(directives.shutdown_limit_ms),
                    directives.net_namespace.substr(0, kMaxNameBytes)};
  const unsigned flags = (directives.reload_file ? kHasReloadFile : 0) |
                         (directives.check_log ? kHasCheckLog : 0) |
                         (directives.reload_repeat ? kRepeat : 0);
  std::string bytes(kMagic);
  bytes += static_cast<char>(finished.usable ? 1 : 0);
  bytes += static_cast<char>(finished.roles.bits());
  bytes += static_cast<char>(to_int(finished.exit_code));
  bytes += static_cast<char>(flags);
  for (const std::string& text : texts) append_length(bytes, text.size());
  for (const std::string& text : texts) bytes += text;
  return bytes;
}

std::optional<LoaderReply> decode_reply(std::string_view bytes) {
  if (bytes.size() < kHeadBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  const auto usable = static_cast<unsigned char>(bytes[4]);
  const auto roles = static_cast<unsigned char>(bytes[5]);
  const auto code = known_code(static_cast<unsigned char>(bytes[6]));
  const auto flags = static_cast<unsigned char>(bytes[7]);
  if (usable > 1 || RoleSet(roles).bits() != roles || !code || flags > kAllFlags)
    return std::nullopt;
  if (usable == 0 && *code == ExitCode::ok) return std::nullopt;
  auto texts = texts_of(bytes);
  if (!texts) return std::nullopt;
  for (std::size_t i = 0; i < 4; ++i)
    if (!can_be_opened((*texts)[i])) return std::nullopt;
  LoaderReply reply;
  if (!read_digits((*texts)[7], 8, reply.directives.umask) ||
      !read_digits((*texts)[8], 10, reply.directives.startup_limit_ms) ||
      !read_digits((*texts)[9], 10, reply.directives.shutdown_limit_ms))
    return std::nullopt;
  reply.directives.net_namespace = std::move((*texts)[10]);
  reply.directives.reload_time_file = std::move((*texts)[0]);
  reply.directives.reload_repeat = (flags & kRepeat) != 0;
  if ((flags & kHasReloadFile) != 0) reply.directives.reload_file = std::move((*texts)[1]);
  if ((flags & kHasCheckLog) != 0) reply.directives.check_log = std::move((*texts)[2]);
  reply.directives.router_id = std::move((*texts)[3]);
  reply.finished = {.usable = usable == 1,
                    .roles = RoleSet(roles),
                    .diagnostics = std::move((*texts)[6]),
                    .exit_code = *code,
                    .changes = std::move((*texts)[4]),
                    .refused_unless_forced = std::move((*texts)[5])};
  return reply;
}

}  // namespace holdfast::watchdog
