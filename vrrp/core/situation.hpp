// All that a director remembers, as plain values: what a recording begins with when it does not
// begin at the start. Made from and into a Router; counters are left out, because nothing is
// decided with them.
#pragma once

#include "vrrp/core/instance.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::vrrp {

/// What an instance knows besides its settings. Every member of Instance that later decisions or
/// their sentences depend on.
struct Situation {
  State state = Init{};
  Instant since{};
  std::string why;
  Leaving leaving = Leaving::no;
  std::optional<InterfaceStatus> interface;
  std::optional<IpAddress> last_source;
  core::ReasonSet faults;
  Verdicts verdicts;
  std::uint8_t resumed_priority = 0;
  int resumed_adds = 0;
  core::Rare<ResumeFromPage> resume;
  std::optional<Placement> placement;
  core::Rare<Setback> setback;
  core::Rare<SendTrouble> send_trouble;
  core::Rare<Steering> steering;
  std::optional<HeardMaster> heard_master;
  bool master_resigned = false;
  std::optional<HeardMaster> slowest_peer;
  core::Rare<Rival> rival;
  core::Rare<ListDifference> list_difference;
  Dialects dialects;
  PeerRemarks remarks;  ///< Without count and sentence.
  Instant became_master_at{};
  Instant last_advert_at{};
  core::Rare<ProofMemory> proofs;
  Duration utc_ahead{};

  bool operator==(const Situation&) const = default;
};

/// One instance, complete.
struct InstanceSituation {
  InstanceSettings settings;
  Situation situation;
  bool operator==(const InstanceSituation&) const = default;
};

/// One director, complete.
struct RouterSituation {
  bool running = false;
  bool stopping = false;
  bool stopped = false;
  Duration utc_ahead{};
  std::map<std::string, InterfaceStatus> interfaces;
  /// In the order of the configuration; those that a reload removed at the end.
  std::vector<InstanceSituation> instances;
  bool operator==(const RouterSituation&) const = default;
};

}  // namespace holdfast::vrrp
