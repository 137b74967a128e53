// What the control socket tells about services and servers, as JSON, made a few servers a turn of
// the loop. Read-only.
#pragma once

#include "checkers/core/admission.hpp"
#include "checkers/core/engine.hpp"
#include "checkers/core/reconciler.hpp"
#include "checkers/core/synchroniser.hpp"
#include "checkers/notifier.hpp"
#include "core/orders.hpp"
#include "runtime/control_socket.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>

namespace holdfast::checkers {

/// How often things happened since the process started.
struct Counters {
  std::uint64_t probes_started = 0;
  std::uint64_t probes_passed = 0;
  std::uint64_t probes_failed = 0;
  std::uint64_t probes_not_tried = 0;
  std::uint64_t server_transitions = 0;
  std::uint64_t quorum_transitions = 0;

  /// A probe has ended with this.
  void count(Result result);
};

/// The kernel's table as the keeper knows it.
struct TableState {
  const Reconciler& reconciler;
  const std::map<ipvs::ServiceKey, ipvs::ServiceCounters>& counters;
};

/// Entries of a group that are told; how many there are is told, too.
inline constexpr std::size_t kMaxEntriesTold = 64;

/// How the probes fare.
struct ProbeState {
  const Counters& counters;
  const Admission& admission;
};

/// The reply to {"command":"status"}. What belongs to one server is of one moment; the whole may be
/// of several turns, and begins anew when a reload comes in between.
class StatusDocument final : public runtime::ControlDocument {
 public:
  /// So many servers are told in one turn: about a millisecond.
  static constexpr std::size_t kMostServers = 64;

  /// What is told of; all of it outlives the document.
  struct Subject {
    const Engine& engine;
    TableState table;
    const Synchroniser& sync;
    const SwitchState& switches;
    ProbeState probes;
    const core::Orders& orders;
    const std::uint64_t& generation;  ///< Of the configuration; another one begins anew.
    const ScriptRecords& scripts;
  };

  explicit StatusDocument(const Subject& subject);
  runtime::ControlPiece next() override;

 private:
  [[nodiscard]] runtime::ControlPiece head();
  [[nodiscard]] runtime::ControlPiece some_servers();

  enum class Step : std::uint8_t { head, servers, over };
  Subject subject_;
  std::uint64_t generation_ = 0;  // of what was told so far
  Step step_ = Step::head;
  std::size_t service_ = 0;
  std::size_t server_ = 0;  // the next of that service
};

}  // namespace holdfast::checkers
