#include "tests/sim/process.hpp"

#include <csignal>

namespace holdfast::sim {

void Process::pause(Run how) {
  if (!runs()) return;
  world_.note("{} {}", name_,
              how == Run::stopped ? "is stopped"
              : how == Run::busy  ? "is busy"
                                  : "hangs");
  run_ = how;
  paused_at_ = world_.now();
}

void Process::go_on() {
  if (!is_alive() || run_ == Run::yes || run_ == Run::dumps) return;
  world_.note("{} goes on", name_);
  run_ = Run::yes;
  went_on_at_ = world_.now();
  paused_for_ = went_on_at_ - paused_at_;
  for (const auto& what : std::exchange(backlog_, {})) {
    if (is_alive()) run(what);
  }
}

void Process::abort(Duration core_file) {
  if (!is_alive() || run_ == Run::stopped) return;
  run_ = Run::dumps;
  world_.after(core_file, [this, life = std::weak_ptr(life_)] {
    if (life.lock()) kill(SIGABRT);
  });
}

std::optional<Duration> Process::take_pause() {
  return std::exchange(paused_for_, std::nullopt);
}

void Process::kill(int signal) {
  if (!is_alive()) return;
  world_.note("{} is killed by signal {}", name_, signal);
  exit({ExitStatus::Kind::signalled, signal});
}

void Process::exit(const ExitStatus& status) {
  life_.reset();
  backlog_.clear();
  if (status.kind == ExitStatus::Kind::exited) world_.note("{} exits with {}", name_, status.value);
  if (on_exit_) std::exchange(on_exit_, {})(status);
}

void Process::later(Duration delay, std::function<void()> what) {
  if (!is_alive()) return;
  world_.after(delay, [this, life = std::weak_ptr(life_), what = std::move(what)] {
    if (!life.lock()) return;
    if (run_ == Run::yes) {
      run(what);
    } else {
      backlog_.push_back(what);
    }
  });
}

void Process::run(const std::function<void()>& what) {
  try {
    what();
  } catch (const Killed&) {
    kill(SIGKILL);
  }
}

void Process::step() {
  if (!steps_left_) return;
  if (*steps_left_ == 0) throw Killed{};
  --*steps_left_;
}

void Process::moved() {
  if (dies_at_move_) throw Killed{};
  step();
}

}  // namespace holdfast::sim
