// Everything from now on, into a file that the operator named. Lines are collected during a turn
// and handed to a thread at its end: the loop never waits for a disk.
#pragma once

#include "core/result.hpp"
#include "runtime/unique_fd.hpp"
#include "vrrp/scenario/recording.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace holdfast::vrrp {

class FileTape : public scenario::Tape {
 public:
  /// A disk that is slower than this ends the recording.
  static constexpr std::size_t kMostWaiting = std::size_t{16} << 20;

  struct Plan {
    std::string path;         ///< absolute
    std::uint64_t limit = 0;  ///< Bytes of the file, about.
  };

  /// A new file, mode 0600: one that is there already is refused.
  [[nodiscard]] static core::Result<std::unique_ptr<FileTape>> create(Plan plan);
  /// Goes on behind what a predecessor of this process wrote.
  [[nodiscard]] static core::Result<std::unique_ptr<FileTape>> resume(Plan plan);
  /// Waits until all is written.
  ~FileTape() override;
  FileTape(const FileTape&) = delete;
  FileTape& operator=(const FileTape&) = delete;

  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] std::uint64_t bytes() const;
  /// Why nothing more is written; empty: it is.
  [[nodiscard]] const std::string& ended() const { return ended_; }
  /// Called once at the end of a turn when it has ended: by its limit, or by what the disk said.
  void on_ended(std::function<void()> call) { on_ended_ = std::move(call); }

  Need before_turn(std::size_t instances) override;
  void before_reload(std::size_t) override {}
  void begin_life(core::Instant at, RouterSituation situation) override;
  [[nodiscard]] bool wants_everything() const override { return ended_.empty(); }
  void write(std::optional<core::Instant> at, std::string_view line) override;
  void after_turn(core::Instant now, const Actions& actions) override;

 private:
  FileTape(Plan plan, runtime::UniqueFd file, std::uint64_t bytes);
  void hand_over();
  void write_all();
  void put(std::string_view text);

  Plan plan_;
  runtime::UniqueFd file_;
  std::string ended_;
  std::function<void()> on_ended_;
  bool begun_ = false;
  std::string turn_;  // the lines since the last hand-over

  struct Life {
    core::Instant at;
    RouterSituation situation;
  };
  mutable std::mutex mutex_;  // guards what follows
  std::uint64_t bytes_ = 0;
  std::optional<Life> life_;  // stands before what waits
  std::condition_variable changed_;
  std::string waiting_;
  bool closing_ = false;
  int error_ = 0;
  std::thread writer_;
};

}  // namespace holdfast::vrrp
