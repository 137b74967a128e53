// What the engine wants done, in this order. Indices point into Engine::settings() and hold until
// the next Configure.
#pragma once

#include "checkers/core/event.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::checkers {

/// Who goes first where not all can be asked at once. `serving`: a server that counts on this probe
/// gets traffic. `fallen`: it is down already, or has not come up yet.
enum class Lane : std::uint8_t { serving, fallen };

/// Run the probe once (Engine::probe_settings) and answer with ProbeFinished. Not asked again
/// before that answer.
struct StartProbe {
  ProbeId probe{};
  Lane lane = Lane::serving;
  bool operator==(const StartProbe&) const = default;
};
/// Nobody wants the answer any more.
struct StopProbe {
  ProbeId probe{};
  bool operator==(const StopProbe&) const = default;
};

/// A check's opinion changed, or its first outcome confirmed it.
struct CheckChanged {
  std::size_t service = 0, server = 0, check = 0;
  bool up = false;
  std::string why;
  bool operator==(const CheckChanged&) const = default;
};
/// An up server failed once more but has retries left; or the director could not try.
struct CheckTroubled {
  std::size_t service = 0, server = 0, check = 0;
  std::uint32_t failures_in_row = 0;
  std::string why;
  bool operator==(const CheckTroubled&) const = default;
};
struct ServerChanged {
  std::size_t service = 0, server = 0;
  bool up = false;
  std::string why;
  bool operator==(const ServerChanged&) const = default;
};
/// A server that is up has another weight, because of what a check says.
struct WeightChanged {
  std::size_t service = 0, server = 0;
  std::uint32_t before = 0, now = 0;
  std::string why;
  bool operator==(const WeightChanged&) const = default;
};
struct QuorumChanged {
  std::size_t service = 0;
  bool up = false;
  std::uint64_t weight = 0;
  bool operator==(const QuorumChanged&) const = default;
};

/// The desired entry of this service (Engine::desired) is another one, or is gone.
struct TableChanged {
  ipvs::ServiceKey service;
  bool operator==(const TableChanged&) const = default;
};

enum class NotifyKind : std::uint8_t { server_up, server_down, quorum_up, quorum_down };
/// Tell what has become of a server, if there is one, else of the service: by the operator's
/// script, for whose former state what still runs is ended; by mail and by the pipes, where they
/// are wanted.
struct Notify {
  NotifyKind kind = NotifyKind::server_up;
  std::size_t service = 0;
  std::optional<std::size_t> server;
  core::Rare<Script> script{};
  bool operator==(const Notify&) const = default;
};

/// For the successor after a crash: keep, or forget, this record.
struct Remember {
  std::uint64_t key = 0;
  Remembered record;
  bool operator==(const Remember&) const = default;
};
struct Forget {
  std::uint64_t key = 0;
  bool operator==(const Forget&) const = default;
};

using Action = std::variant<StartProbe, StopProbe, CheckChanged, CheckTroubled, ServerChanged,
                            WeightChanged, QuorumChanged, TableChanged, Notify, Remember, Forget>;
using Actions = std::vector<Action>;

}  // namespace holdfast::checkers
