// What the notification pipes and the mail say about a service or a server: the texts. Called by
// checkers/runner.cpp.
#pragma once

#include "checkers/core/settings.hpp"
#include "runtime/tidings.hpp"

#include <optional>
#include <string>

namespace holdfast::checkers {

/// Who has changed, to what, and who is to hear of it.
struct Change {
  const ServiceSettings& service;
  const ServerSettings* server = nullptr;  ///< null: the service has won or lost its quorum
  bool up = false;
  std::string why{};  ///< what the check found, or nothing
  bool pipes = false;
  bool mail = false;
};

/// keepalived: lines `VS [address]:protocol:port UP` and `RS [address]:protocol:port
/// [address]:protocol:port DOWN`, without the zero byte that it puts behind them. nullopt: nobody
/// hears anything. The subject is the name that is ours: the lines of the TCP and the UDP service
/// of one group are the same, and so are those of one mark in both families.
[[nodiscard]] std::optional<runtime::Tidings> tidings_of(const Change& change);

}  // namespace holdfast::checkers
