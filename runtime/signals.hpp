// Signals that people and programs send to a director by habit: keepalived dumps its state on some,
// exporters send them at every scrape, and an account that may signal us may do so by mistake.
// Their default is to end a process; none of ours may end that way. Called first in main, by
// whoever starts a process of ours, and by whoever makes a thread.
#pragma once

#include <csignal>
#include <span>
#include <string>

namespace holdfast::runtime {

/// Signals whose default would end a process and that nobody has to send: SIGHUP, SIGUSR1, SIGUSR2,
/// SIGALRM and other clocks, and all real-time signals. Not among them: the ways to stop (SIGTERM,
/// SIGINT, SIGQUIT), what tells of a fault (SIGSEGV and its kind, SIGABRT, SIGSYS) or of a limit
/// that was asked for (SIGXCPU).
[[nodiscard]] std::span<const int> harmless_signals();
/// The same as a set, for a mask.
[[nodiscard]] sigset_t harmless_signal_set();

/// From here on they are ignored until somebody asks for one, and so are a broken pipe and a file
/// that has reached its limit: both are errors of a write. Unblocks what our parent blocked for the
/// time before this call. Programs that we start begin with the defaults (POSIX_SPAWN_SETSIGDEF,
/// use_default_signals()).
void ignore_harmless_signals();

/// In a forked child, before exec: every signal has its default and nothing is blocked. Safe in the
/// child of a process with threads.
void use_default_signals();

/// keepalived: --signum=DATA, STATS, JSON, STATS_CLEAR.
[[nodiscard]] bool asks_for_dump(int number);

/// "14 (Alarm clock)".
[[nodiscard]] std::string describe_signal(int number);

/// While it lives, signals do not interrupt this thread, nor threads that are made meanwhile: they
/// go to the thread with the loop.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace holdfast::runtime
