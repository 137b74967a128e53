// What happens to the engine.
#pragma once

#include "checkers/core/health.hpp"
#include "checkers/core/outcome.hpp"
#include "checkers/core/settings.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <variant>

namespace holdfast::checkers {

/// Names a probe from its first StartProbe until its StopProbe or the end of the engine; never used
/// again.
enum class ProbeId : std::uint64_t {};

/// What a former process of this role knew about a check or a service; the record of the handover
/// page as a value.
struct Remembered {
  enum class Verdict : std::uint8_t { unknown, up, down };
  Verdict verdict = Verdict::unknown;
  std::uint32_t failures_in_row = 0;
  core::Instant since;
  std::optional<WeightClaim> weight{};
  bool operator==(const Remembered&) const = default;
};
/// By the keys of identity.hpp.
using Memory = std::unordered_map<std::uint64_t, Remembered>;

/// Time has passed.
struct Tick {};

/// A run that StartProbe asked for has ended. For a probe that is gone it is ignored.
struct ProbeFinished {
  ProbeId probe{};
  Outcome outcome;
};

/// The number in a tracked file is another one: who depends on it asks at once.
struct FileChanged {
  std::string file;
};

/// The first configuration, or the next one. `memory` counts only for what the engine does not know
/// itself.
struct Configure {
  Settings settings;
  Memory memory;
};

/// Those of the addresses of ha_suspend services that are on this host now.
struct AddressesHere {
  std::set<core::IpAddress> addresses;
};

/// What operators have asked for, all of it: these servers have this weight while they are up,
/// whatever their checks and the configuration say of it. A reload leaves it as it is.
struct Steered {
  std::map<core::Endpoint, std::uint32_t> weights;
};

/// Who is probed is probed now: one server, or (nullopt) all of them.
struct CheckNow {
  std::optional<core::Endpoint> server;
};

/// Leave in order: no more probes; the "down" notifications of omega services.
struct Stop {};

using Event = std::variant<Tick, ProbeFinished, FileChanged, Configure, AddressesHere, Steered,
                           CheckNow, Stop>;

}  // namespace holdfast::checkers
