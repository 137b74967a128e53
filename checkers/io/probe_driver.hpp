// Moves the bytes of every probe: connects, feeds the dialogue, keeps the deadline, says what came
// of it. One object per process. What a dialogue means is in checkers/core; this file knows sockets
// and nothing else.
#pragma once

#include "checkers/core/event.hpp"

#include <boost/asio/io_context.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>

namespace holdfast::checkers {

/// Connections open at one time. Further probes wait in order; waiting does not count as time
/// taken.
inline constexpr std::size_t kMaxConcurrentProbes = 512;

/// A deadline noticed this much too late says that this process was stopped or starved, not that
/// the server is slow.
inline constexpr core::Duration kLateJudgement = std::chrono::seconds(1);

class ProbeDriver {
 public:
  /// `on_finished` runs once for each start(), perhaps inside it; never after stop() or the
  /// destructor.
  ProbeDriver(boost::asio::io_context& io, std::function<void(ProbeId, Outcome)> on_finished);
  ~ProbeDriver();
  ProbeDriver(const ProbeDriver&) = delete;
  ProbeDriver& operator=(const ProbeDriver&) = delete;

  void start(ProbeId id, const ProbeSettings& settings);
  void stop(ProbeId id);

  [[nodiscard]] std::size_t running() const { return sessions_.size(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  friend class ProbeSession;

  void finished(ProbeId id, Outcome outcome);
  void admit();

  boost::asio::io_context& io_;
  std::function<void(ProbeId, Outcome)> on_finished_;
  std::unordered_map<ProbeId, std::shared_ptr<class ProbeSession>> sessions_;
  std::deque<std::pair<ProbeId, ProbeSettings>> waiting_;
  bool admitting_ = false;
};

}  // namespace holdfast::checkers
