#include "watchdog/io/loader_reply.hpp"

#include <array>

namespace holdfast::watchdog {

namespace {

constexpr std::string_view kMagic = "HFL1";
constexpr std::size_t kHeadBytes = 7;  // magic, usable, roles, exit code

std::optional<ExitCode> known_code(unsigned char byte) {
  for (const ExitCode code :
       {ExitCode::ok, ExitCode::fatal, ExitCode::bad_config, ExitCode::no_permission,
        ExitCode::test_failed, ExitCode::no_config_file})
    if (to_int(code) == byte) return code;
  return std::nullopt;
}

}  // namespace

std::string encode_reply(const LoaderFinished& reply) {
  std::string bytes(kMagic);
  bytes += static_cast<char>(reply.usable ? 1 : 0);
  bytes += static_cast<char>(reply.roles.bits());
  bytes += static_cast<char>(to_int(reply.exit_code));
  bytes += reply.diagnostics.substr(0, kMaxDiagnosticBytes);
  return bytes;
}

std::optional<LoaderFinished> decode_reply(std::string_view bytes) {
  if (bytes.size() < kHeadBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  const auto usable = static_cast<unsigned char>(bytes[4]);
  const auto roles = static_cast<unsigned char>(bytes[5]);
  const auto code = known_code(static_cast<unsigned char>(bytes[6]));
  if (usable > 1 || RoleSet(roles).bits() != roles || !code) return std::nullopt;
  if (usable == 0 && *code == ExitCode::ok) return std::nullopt;
  return LoaderFinished{.usable = usable == 1,
                        .roles = RoleSet(roles),
                        .diagnostics = std::string(bytes.substr(kHeadBytes, kMaxDiagnosticBytes)),
                        .exit_code = *code};
}

}  // namespace holdfast::watchdog
