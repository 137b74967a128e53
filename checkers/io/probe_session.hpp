// One run of one probe: a connection for each dialogue, one after the other, until one fails or all
// have passed. Used by ProbeDriver only. Kept alive by its handlers; does nothing more after
// cancel().
#pragma once

#include "checkers/core/dialogue.hpp"
#include "checkers/core/dialogue_http.hpp"
#include "checkers/core/dialogue_smtp.hpp"
#include "checkers/core/dns.hpp"
#include "checkers/core/tls.hpp"
#include "checkers/io/probe.hpp"
#include "checkers/io/probe_driver.hpp"
#include "runtime/loop.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace holdfast::checkers {

/// Reads in one wake-up before other probes get their turn.
inline constexpr int kMaxReadsPerWakeUp = 16;

/// A connection that has been read so often gets its further bytes collected: after each reading it
/// is left alone for kReadPause, without being woken for less than kReadPauseBytes. Who sends
/// single bytes as fast as it can costs 200 readings a second; a page of megabytes takes no longer.
inline constexpr int kEagerReadings = 64;
inline constexpr core::Duration kReadPause = std::chrono::milliseconds(5);
inline constexpr int kReadPauseBytes = 64 * 1024;

class ProbeSession : public Probe, public std::enable_shared_from_this<ProbeSession> {
 public:
  using Question = std::variant<TcpProbe, HttpProbe, SmtpProbe, DnsProbe>;

  /// `settings` without their dialogue, which is the question.
  ProbeSession(boost::asio::io_context& io, ProbeDriver& driver, ProbeId id, ProbeSettings settings,
               Question question);

  void begin() override;
  void cancel() override;

 private:
  using AnyDialogue =
      std::variant<TcpDialogue, HttpDialogue, TlsDialogue, SmtpDialogue, DnsDialogue>;
  enum class Waiting : std::uint8_t { nothing, connection, room, bytes };

  [[nodiscard]] AnyDialogue dialogue_for(const TcpProbe& probe) const;
  [[nodiscard]] AnyDialogue dialogue_for(const HttpProbe& probe) const;
  [[nodiscard]] AnyDialogue dialogue_for(const SmtpProbe& probe) const;
  [[nodiscard]] AnyDialogue dialogue_for(const DnsProbe& probe) const;
  [[nodiscard]] std::size_t dialogue_count() const;
  void connect();
  [[nodiscard]] std::optional<Outcome> open_socket();
  void wait_for(Waiting what);
  void pause_reading();
  void on_ready();
  void on_connected();
  void on_deadline();
  void read();
  void write();
  void wake_at(int bytes);
  /// True when the dialogue wants to read on; otherwise what comes next is under way.
  [[nodiscard]] bool advance(std::string_view received, bool peer_closed);
  void connection_finished(Outcome outcome);
  void finish(Outcome outcome);

  boost::asio::posix::stream_descriptor socket_;
  runtime::DeadlineTimer timer_;
  ProbeDriver* driver_;  // null after the end
  ProbeId id_;
  ProbeSettings settings_;
  Question question_;
  std::size_t next_dialogue_ = 0;
  std::optional<AnyDialogue> dialogue_;
  std::string unsent_;
  Waiting waiting_ = Waiting::nothing;
  std::uint64_t wait_number_ = 0;
  int readings_ = 0;      // of this connection, those that brought something
  int wakes_at_ = 1;      // SO_RCVLOWAT
  bool pausing_ = false;  // the timer ends a pause, not the connection
  core::Instant begun_at_;
  core::Instant deadline_;
};

}  // namespace holdfast::checkers
