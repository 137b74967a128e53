// A process of a simulated machine: what it has planned happens only while it runs. It can be
// stopped (SIGSTOP), hang in its loop, go on, and be killed, also between two steps of what it does
// at the moment.
#pragma once

#include "core/rng.hpp"
#include "tests/sim/world.hpp"
#include "watchdog/core/exit_status.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::sim {

using watchdog::ExitStatus;

class Process {
 public:
  /// Thrown by step() in a process that dies there; never leaves it.
  struct Killed {};
  enum class Run : std::uint8_t {
    yes,
    stopped,  ///< SIGSTOP: others can see it
    hangs,    ///< waits for something that does not come: looks like any other that waits
    busy,     ///< works, and does not come to anything else: others can see that, too
    dumps,    ///< writes its core file: does nothing any more
  };

  Process(World& world, core::Rng& rng, std::string name)
      : world_(world), rng_(rng), name_(std::move(name)) {}
  virtual ~Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void pause(Run how);
  /// SIGABRT: dies when its core file is written. Nothing happens to one that is stopped.
  void abort(Duration core_file);
  void go_on();
  /// It is killed by this signal, now.
  void kill(int signal);
  /// It is killed after so many more steps.
  void doom(unsigned steps) { steps_left_ = steps; }
  /// It is killed when it has moved addresses the next time.
  void doom_at_move() { dies_at_move_ = true; }
  /// Hears of its end, once, on the caller's stack.
  void on_exit(std::function<void(const ExitStatus&)> heard) { on_exit_ = std::move(heard); }

  [[nodiscard]] bool is_alive() const { return life_ != nullptr; }
  [[nodiscard]] bool is_stopped() const { return is_alive() && run_ == Run::stopped; }
  [[nodiscard]] bool is_busy() const { return is_alive() && run_ == Run::busy; }
  [[nodiscard]] bool runs() const { return is_alive() && run_ == Run::yes; }
  [[nodiscard]] const std::string& name() const { return name_; }

  /// What others cause in it (a frame arrives, a descriptor is readable) or it has planned itself.
  void later(Duration delay, std::function<void()> what);
  /// Between any two things that a real process does: it may die here.
  void step();
  /// step(), behind a change of addresses.
  void moved();

 protected:
  [[nodiscard]] World& world() const { return world_; }
  [[nodiscard]] core::Rng& rng() const { return rng_; }
  void exit(const ExitStatus& status);
  /// How long it did not run, told once.
  [[nodiscard]] std::optional<Duration> take_pause();
  /// Since the end of its last pause.
  [[nodiscard]] Duration awake_for() const { return world_.now() - went_on_at_; }

 private:
  struct Life {};
  void run(const std::function<void()>& what);

  World& world_;
  core::Rng& rng_;
  std::string name_;
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
  Run run_ = Run::yes;
  Instant paused_at_{};
  Instant went_on_at_{};
  std::optional<Duration> paused_for_;
  std::vector<std::function<void()>> backlog_;
  std::optional<unsigned> steps_left_;
  bool dies_at_move_ = false;
  std::function<void(const ExitStatus&)> on_exit_;
};

}  // namespace holdfast::sim
