#include "checkers/io/socket_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace holdfast::checkers {

Outcome outcome_of_connection_error(int system_errno) {
  const std::string text = std::generic_category().message(system_errno);
  switch (system_errno) {
    case ECONNREFUSED:
      return failed(Cause::refused, "connection refused");
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
      return failed(Cause::reset, "connection reset by the server");
    case ETIMEDOUT:
      return failed(Cause::timeout, "no answer: the kernel gave up");
    case ENETUNREACH:
      return failed(Cause::network_unreachable,
                    "network unreachable: the director has no route to the server");
    case EHOSTUNREACH:
    case EHOSTDOWN:
      return failed(Cause::host_unreachable,
                    "host unreachable: no route, or nobody answers to its address there");
    case EADDRNOTAVAIL:  // every port of this source towards this target is in use
    case EAGAIN:
    case EADDRINUSE:
    case ENOBUFS:
    case ENOMEM:
      return outcome_of_local_error("connect", system_errno);
    default:
      // Routes of type prohibit and blackhole (EACCES, EINVAL), ICMP errors of other kinds: traffic
      // of clients would fare no better than ours.
      return failed(Cause::host_unreachable, fmt::format("cannot reach the server: {}", text));
  }
}

Outcome outcome_of_datagram_error(int system_errno) {
  if (system_errno == ECONNREFUSED)
    return failed(Cause::refused, "refused: nobody listens on the server's port");
  return outcome_of_connection_error(system_errno);
}

Outcome paused_for(core::Duration late) {
  return not_tried(
      fmt::format("the director was paused for {} ms during the probe",
                  std::chrono::duration_cast<std::chrono::milliseconds>(late).count()));
}

Outcome outcome_of_local_error(const std::string& what, int system_errno) {
  return not_tried(fmt::format("the director cannot {}: {}", what,
                               std::generic_category().message(system_errno)));
}

}  // namespace holdfast::checkers
