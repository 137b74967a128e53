#include "runtime/signals.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <pthread.h>
#include <vector>

namespace holdfast::runtime {

std::span<const int> harmless_signals() {
  static const std::vector<int> all = [] {
    std::vector<int> numbers{SIGHUP,  SIGUSR1,   SIGUSR2, SIGALRM, SIGVTALRM,
                             SIGPROF, SIGSTKFLT, SIGIO,   SIGPWR};
    for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) numbers.push_back(number);
    return numbers;
  }();
  return all;
}

sigset_t harmless_signal_set() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : harmless_signals()) ::sigaddset(&set, number);
  return set;
}

void ignore_harmless_signals() {
  for (const int number : harmless_signals()) std::signal(number, SIG_IGN);
  for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_IGN);
  const sigset_t ours = harmless_signal_set();
  ::pthread_sigmask(SIG_UNBLOCK, &ours, nullptr);
}

// signal() and sigprocmask() are async-signal-safe. The numbers that cannot be changed, or that the
// C library keeps for itself, are refused without harm.
void use_default_signals() {
  for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool asks_for_dump(int number) {
  return number == SIGUSR1 || number == SIGUSR2 || number == SIGRTMIN + 2 || number == SIGRTMAX - 1;
}

std::string describe_signal(int number) {
  const char* name = ::strsignal(number);
  return fmt::format("{} ({})", number, name == nullptr ? "unknown" : name);
}

SignalsBlocked::SignalsBlocked() {
  sigset_t all;
  ::sigfillset(&all);
  // What a thread does wrong by itself must still be its end, at that place.
  for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP})
    ::sigdelset(&all, number);
  ::pthread_sigmask(SIG_SETMASK, &all, &before_);
}

SignalsBlocked::~SignalsBlocked() {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace holdfast::runtime
