// What the running checkers would do: a copy of engine and table keeper is stepped through
// something that has not happened, with a time of its own. Probes find what they found last, the
// kernel does as it is told. Used by `holdfastctl plan` and `what-if`, in a thread beside the loop;
// the process itself does not notice.
#pragma once

#include "checkers/core/engine.hpp"
#include "checkers/core/reconciler.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::checkers {

/// The running process as a value.
struct CheckersCopy {
  Engine engine;
  Reconciler reconciler;
  core::Instant now;
  /// False: nobody waits for the rehearsal any more, and it ends early. Empty: somebody does.
  std::function<bool()> is_wanted = {};
};

/// An action with names in place of indices, which hold until the next configuration only.
struct ServerDeed {
  bool up = false;
  std::string why;
};
struct QuorumDeed {
  bool up = false;
  std::uint64_t weight = 0;
};
struct ScriptDeed {
  NotifyKind kind = NotifyKind::server_up;
  Script script;
};
struct Deed {
  core::Instant at;
  std::string subject;  ///< what its service or server is called
  std::variant<ServerDeed, QuorumDeed, ScriptDeed, ipvs::Step> what;
};

class Rehearsal {
 public:
  static constexpr std::size_t kMostSteps = 500'000;
  /// More than these are counted, not kept.
  static constexpr std::size_t kMostDeeds = 10'000;

  explicit Rehearsal(CheckersCopy copy);

  void reload(Settings settings);
  enum class Supposed : std::uint8_t { yes, no_such_server, no_check };
  /// From now on every check of this server fails, after its timeout, or succeeds.
  [[nodiscard]] Supposed suppose(const core::Endpoint& server, Result result);
  /// Lets time pass.
  void run(core::Duration time);

  [[nodiscard]] const Engine& engine() const { return engine_; }
  [[nodiscard]] core::Instant began_at() const { return began_at_; }
  [[nodiscard]] const std::vector<Deed>& deeds() const { return deeds_; }
  [[nodiscard]] std::size_t left_off() const { return left_off_; }
  [[nodiscard]] bool ended_early() const {
    return steps_ > kMostSteps || (is_wanted_ && !is_wanted_());
  }
  /// Why the kernel's table cannot be changed now; nullopt: it can.
  [[nodiscard]] const std::optional<std::string>& table_error() const { return table_error_; }

 private:
  struct Finishing {
    core::Instant at;
    Outcome outcome;
  };

  void step(const Event& event);
  void act(const StartProbe& start);
  void act(const StopProbe& stop);
  void act(const CheckChanged&) {}
  void act(const CheckTroubled&) {}
  void act(const ServerChanged& changed);
  void act(const QuorumChanged& changed);
  void act(const TableChanged& changed);
  void act(const Notify& notify);
  void act(const Remember&) {}
  void act(const Forget&) {}
  void begin_probe(ProbeId probe);

  void step_table(const TableEvent& event);
  /// What the kernel answers; nullopt: a report, which asks for nothing.
  [[nodiscard]] std::optional<TableEvent> answer_to(const TableAction& action);
  [[nodiscard]] TableEvent applied(const table_action::Apply& apply);
  void flush_table();
  void keep(std::string subject, decltype(Deed::what) what);

  Engine engine_;
  Reconciler reconciler_;
  core::Instant began_at_;
  core::Instant now_;
  ipvs::Table kernel_;
  std::optional<std::string> table_error_;
  std::map<ProbeId, Result> supposed_;
  std::map<ProbeId, Finishing> finishing_;
  std::set<ipvs::ServiceKey> changed_;
  std::vector<Deed> deeds_;
  std::size_t left_off_ = 0;
  std::size_t steps_ = 0;
  std::function<bool()> is_wanted_;
};

}  // namespace holdfast::checkers
