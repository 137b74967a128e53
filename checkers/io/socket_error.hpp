// What the errno of a probe's socket says about the server, or about ourselves.
#pragma once

#include "checkers/core/outcome.hpp"

namespace holdfast::checkers {

/// From connect(), SO_ERROR, send() and recv().
[[nodiscard]] Outcome outcome_of_connection_error(int system_errno);
/// From connect(), send() and recv() of a datagram socket: what ICMP said, or our own troubles.
[[nodiscard]] Outcome outcome_of_datagram_error(int system_errno);
/// A deadline was noticed so late that it says nothing about the server.
[[nodiscard]] Outcome paused_for(core::Duration late);
/// From socket(), bind() and setsockopt(): never the server's fault. `what`: "bind the probe to
/// 192.0.2.9:0".
[[nodiscard]] Outcome outcome_of_local_error(const std::string& what, int system_errno);

}  // namespace holdfast::checkers
