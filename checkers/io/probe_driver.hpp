// Moves the bytes of every probe: connects, feeds the dialogue, keeps the deadline, says what came
// of it. One object per process. What a dialogue means is in checkers/core; this file knows sockets
// and nothing else.
#pragma once

#include "checkers/core/admission.hpp"
#include "checkers/core/event.hpp"
#include "checkers/io/probe.hpp"
#include "runtime/script_client.hpp"

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
  /// `scripts` outlives the driver.
  ProbeDriver(boost::asio::io_context& io, runtime::ScriptClient& scripts, std::size_t limit,
              std::function<void(ProbeId, Outcome)> on_finished);
  ~ProbeDriver();
  ProbeDriver(const ProbeDriver&) = delete;
  ProbeDriver& operator=(const ProbeDriver&) = delete;

  void start(ProbeId id, Lane lane, const ProbeSettings& settings);
  void stop(ProbeId id);
  /// What FILE_CHECKs go by from now on.
  void set_number(const std::string& file, std::int32_t number) { numbers_[file] = number; }
  /// About a command of MISC_CHECK.
  void on_script_news(const runtime::ScriptClient::News& news);

  [[nodiscard]] const Admission& admission() const { return admission_; }

 private:
  friend class ProbeSession;
  friend class DatagramSession;
  friend class ScriptSession;
  friend class FileSession;

  void finished(ProbeId id, Outcome outcome);
  /// The same run, by other means.
  void go_on_with(ProbeId id, ProbeSettings settings);
  [[nodiscard]] runtime::ScriptClient& scripts() { return scripts_; }
  [[nodiscard]] std::optional<std::int32_t> number_in(const std::string& file) const;
  void expect_news(const std::string& subject, ProbeId id) { subjects_[subject] = id; }
  void expect_no_news(const std::string& subject) { subjects_.erase(subject); }

  // One for each kind: what is not here does not compile.
  using Session = std::shared_ptr<Probe>;
  [[nodiscard]] Session session_for(ProbeId id, ProbeSettings settings);
  [[nodiscard]] Session make(ProbeId id, ProbeSettings settings, TcpProbe probe);
  [[nodiscard]] Session make(ProbeId id, ProbeSettings settings, HttpProbe probe);
  [[nodiscard]] Session make(ProbeId id, ProbeSettings settings, SmtpProbe probe);
  [[nodiscard]] Session make(ProbeId id, ProbeSettings settings, DnsProbe probe);
  [[nodiscard]] Session make(ProbeId id, ProbeSettings settings, UdpProbe probe);
  [[nodiscard]] Session make(ProbeId id, ProbeSettings settings, PingProbe probe);
  [[nodiscard]] Session make(ProbeId id, ProbeSettings settings, ScriptProbe probe);
  [[nodiscard]] Session make(ProbeId id, ProbeSettings settings, FileProbe probe);

  void admit_soon();
  void admit();

  boost::asio::io_context& io_;
  runtime::ScriptClient& scripts_;
  std::function<void(ProbeId, Outcome)> on_finished_;
  Admission admission_;
  std::unordered_map<ProbeId, Session> sessions_;
  std::unordered_map<std::string, ProbeId> subjects_;      // whose scripts run
  std::unordered_map<std::string, std::int32_t> numbers_;  // of tracked files, by name
  std::unordered_map<ProbeId, ProbeSettings> waiting_;
  bool admitting_soon_ = false;
  /// What is posted to the loop looks here whether the driver is still there.
  std::shared_ptr<ProbeDriver*> self_;
};

}  // namespace holdfast::checkers
