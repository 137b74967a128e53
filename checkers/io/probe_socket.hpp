// The socket of a probe, bound as its settings want it.
#pragma once

#include "checkers/core/outcome.hpp"
#include "checkers/core/settings.hpp"
#include "runtime/unique_fd.hpp"

#include <sys/socket.h>
#include <variant>

namespace holdfast::checkers {

struct SocketKind {
  int type = SOCK_STREAM;
  int protocol = 0;
};

/// Not connected, non-blocking; or why there is none, which is never the server's fault.
[[nodiscard]] std::variant<runtime::UniqueFd, Outcome> open_probe_socket(
    const ProbeSettings& settings, SocketKind kind);

}  // namespace holdfast::checkers
