// The notification pipes: makes them, keeps them open over reloads, writes lines, and keeps the
// programs that read them running. A reader that is absent, slow or dying costs nothing but lines,
// which are counted.
#pragma once

#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "runtime/unique_fd.hpp"

#include <boost/json/array.hpp>

#include "scripts/correspondence.hpp"
#include "scripts/running.hpp"
#include <array>
#include <functional>
#include <memory>
#include <string>

namespace holdfast::scripts {

/// One pipe with its reader.
class NotifyPipe {
 public:
  /// Between a reader's end and its next start; doubled up to kLongestPause while it keeps ending
  /// within kStable, or cannot be run.
  static constexpr core::Duration kFirstPause = std::chrono::seconds(1);
  static constexpr core::Duration kLongestPause = std::chrono::minutes(1);
  static constexpr core::Duration kStable = std::chrono::seconds(10);
  /// At the end a reader has this long to take what is in the pipe, and as long again to end.
  static constexpr core::Duration kPatience = std::chrono::seconds(1);

  NotifyPipe(boost::asio::io_context& io, runtime::Logger& logger, PipeKind kind,
             std::string director);
  ~NotifyPipe();
  NotifyPipe(const NotifyPipe&) = delete;
  NotifyPipe& operator=(const NotifyPipe&) = delete;

  /// What has not changed goes on: the pipe stays open, its reader runs.
  void use(const PipeSettings& settings);
  /// In one write. Lost when the pipe is full, or cannot be had.
  void write(std::string_view line);
  /// Of our own reader: it asks anew what it may have missed.
  void catch_up();
  void count_lost(std::uint64_t lines) { lost_ += lines; }
  /// No more lines; the reader takes what is there and ends. `on_left` once, soon.
  void leave(std::function<void()> on_left);

  [[nodiscard]] bool is_wanted() const { return !settings_.path.empty(); }
  [[nodiscard]] boost::json::object status() const;

 private:
  [[nodiscard]] core::Result<runtime::UniqueFd> open();
  void close();
  void tend();
  void begin_reader();
  void pause();
  void on_reader_ended(const core::ScriptOutcome& outcome);
  void end_reader(int signal);
  void on_patience();
  void finish();
  [[nodiscard]] bool is_empty() const;

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  PipeKind kind_;
  std::string director_;
  PipeSettings settings_;
  runtime::UniqueFd fd_;
  bool is_made_here_ = false;
  std::string trouble_;  // why there is no pipe, or no reader
  std::shared_ptr<Running> reader_;
  core::Instant reader_since_{};
  core::Duration pause_ = kFirstPause;
  runtime::DeadlineTimer again_;     // opens the pipe or starts the reader
  runtime::DeadlineTimer patience_;  // of the end
  runtime::DeadlineTimer catch_up_;  // after lost lines, of our own reader
  core::Instant asked_at_{};         // the reader, to end; zero: not yet
  core::Instant leave_at_{};
  bool is_leaving_ = false;  // and does not begin anything any more
  std::function<void()> on_left_;
  std::uint64_t written_ = 0;
  std::uint64_t lost_ = 0;
  runtime::RateLimiter loss_noise_{std::chrono::minutes(10)};
};

class Pipes {
 public:
  /// `director`: its run directory. A pipe that a predecessor of the same one has made is removed
  /// at the end as one's own.
  Pipes(boost::asio::io_context& io, runtime::Logger& logger, const std::string& director);

  void use(const std::array<PipeSettings, kPipeKinds.size()>& settings);
  /// To all pipes that take lines of this kind.
  void write(PipeKind kind, std::string_view line);
  /// To the program that serves D-Bus: another configuration is in use.
  void tell_of_reload();
  /// Lines of this kind that never came here.
  void count_lost(PipeKind kind, std::uint64_t lines);
  void leave(std::function<void()> on_left);
  /// One object for each pipe of the configuration.
  [[nodiscard]] boost::json::array status() const;

 private:
  std::array<NotifyPipe, kPipeKinds.size()> pipes_;
  std::size_t leaving_ = 0;
};

}  // namespace holdfast::scripts
