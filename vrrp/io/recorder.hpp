// The event recorder of the VRRP process: what happened lately is always in memory, survives a
// crash there, and is written to the run directory after every change of mastership; the operator
// can have everything written to a file. No failure of a file touches the election.
//
//   vrrp.ring        the memory, while the process runs; what a killed one leaves becomes
//   vrrp.crash.N     1 is the newest
//   vrrp.record.N    after a change of mastership
//   vrrp.recording   what the operator asked for, so that a successor of a killed process goes on
#pragma once

#include "runtime/control_socket.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "vrrp/io/file_tape.hpp"
#include "vrrp/io/ring_tape.hpp"
#include "vrrp/io/runner.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace holdfast::vrrp {

class Recorder {
 public:
  /// After a change of mastership so much is waited for what follows from it.
  static constexpr core::Duration kDumpAfter = std::chrono::seconds(1);
  /// Between two dumps at least so much, doubling up to the second while mastership flaps.
  static constexpr core::Duration kDumpGap = std::chrono::seconds(10);
  static constexpr core::Duration kLongestDumpGap = std::chrono::minutes(10);

  /// Saves what a killed predecessor left, and begins. The runner must outlive this, or never run
  /// again.
  Recorder(boost::asio::io_context& io, runtime::Logger& logger, Runner& runner,
           std::string run_dir);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// `record start`.
  [[nodiscard]] core::Result<void> start(FileTape::Plan plan);
  struct Ended {
    std::string path;
    std::uint64_t bytes = 0;
  };
  /// `record stop`. `on_written` runs from the loop when all of it is in the file.
  [[nodiscard]] core::Result<void> stop(std::function<void(const Ended&)> on_written);
  /// Of all instances.
  [[nodiscard]] Past past() const;
  /// "record": {"action": "start", "file", "limit"} or {"action": "stop"}.
  void answer_on(runtime::ControlServer& server);

 private:
  struct Life {};

  [[nodiscard]] std::span<std::uint8_t> map_memory();
  void answer(const boost::json::object& request, const runtime::ControlReply& reply);
  void save_crash();
  void resume_recording();
  void attach_file(std::unique_ptr<FileTape> tape);
  void end_file(std::function<void(const Ended&)> on_written);
  void want_dump();
  void dump();
  void run_dump(std::vector<std::uint8_t> memory, std::string_view name, std::string remark,
                std::string remove_then);
  void dumped(const core::Result<void>& result);
  [[nodiscard]] std::string in_run_dir(std::string_view name) const;

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  Runner& runner_;
  std::string run_dir_;
  std::span<std::uint8_t> memory_;
  bool has_ring_file_ = false;
  std::unique_ptr<RingTape> ring_;
  std::unique_ptr<FileTape> file_;
  std::optional<scenario::Pseudonyms::Key> key_;  // nullopt: nothing can be recorded
  std::thread closer_;                            // of the last file: it may wait for a disk

  core::Duration gap_ = kDumpGap;
  std::optional<core::Instant> dumped_at_;
  bool complained_ = false;  // about dumps; a success forgets it
  std::atomic<bool> dumping_ = false;
  std::thread dumper_;
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
  runtime::DeadlineTimer dump_timer_;
};

}  // namespace holdfast::vrrp
