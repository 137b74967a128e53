// Moves the bytes of every probe: connects, feeds the dialogue, keeps the deadline, says what came
// of it. One object per process. What a dialogue means is in checkers/core; this file knows sockets
// and nothing else.
#pragma once

#include "checkers/core/admission.hpp"
#include "checkers/core/event.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <unordered_map>

namespace holdfast::checkers {

/// Connections begun in one turn of the loop. When thousands of probes are due at once the others
/// begin in the next turns, and what has come in meanwhile is heard in between.
inline constexpr std::size_t kStartsPerTurn = 64;

/// A deadline noticed this much too late says that this process was stopped or starved, not that
/// the server is slow.
inline constexpr core::Duration kLateJudgement = std::chrono::seconds(1);

class ProbeDriver {
 public:
  /// `limit`: connections open at one time (probe_limit()); further probes wait, and waiting does
  /// not count as time taken. `on_finished` runs once for each start(), from the loop; never after
  /// stop() or the destructor.
  ProbeDriver(boost::asio::io_context& io, std::size_t limit,
              std::function<void(ProbeId, Outcome)> on_finished);
  ~ProbeDriver();
  ProbeDriver(const ProbeDriver&) = delete;
  ProbeDriver& operator=(const ProbeDriver&) = delete;

  void start(ProbeId id, Lane lane, const ProbeSettings& settings);
  void stop(ProbeId id);

  [[nodiscard]] const Admission& admission() const { return admission_; }

 private:
  friend class ProbeSession;

  void finished(ProbeId id, Outcome outcome);
  void admit_soon();
  void admit();

  boost::asio::io_context& io_;
  std::function<void(ProbeId, Outcome)> on_finished_;
  Admission admission_;
  std::unordered_map<ProbeId, std::shared_ptr<class ProbeSession>> sessions_;
  std::unordered_map<ProbeId, ProbeSettings> waiting_;
  bool admitting_soon_ = false;
  /// What is posted to the loop looks here whether the driver is still there.
  std::shared_ptr<ProbeDriver*> self_;
};

}  // namespace holdfast::checkers
