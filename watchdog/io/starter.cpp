#include "watchdog/io/starter.hpp"

#include <algorithm>
#include <poll.h>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace holdfast::watchdog {

namespace {

/// Whoever reads the remarks of the start empties his pipe within this; milliseconds.
constexpr int kReaderPatience = 100;
/// A pipe that can be written to takes so much without waiting: pipe(7), PIPE_BUF.
constexpr std::size_t kPieceBytes = 4096;

}  // namespace

Starter::Starter(std::optional<runtime::Daemonized> waiting, runtime::UniqueFd errors)
    : waiting_(std::move(waiting)), errors_(std::move(errors)) {}

std::size_t Starter::tell(const std::string& text) {
  if (text.empty() || !errors_) return 0;
  const std::string line = text.back() == '\n' ? text : "holdfast: " + text + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    pollfd ready{.fd = errors_.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, kReaderPatience) != 1 || (ready.revents & POLLOUT) == 0) break;
    const ssize_t count = ::write(errors_.get(), rest.data(), std::min(rest.size(), kPieceBytes));
    if (count < 0) break;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  if (!rest.empty()) errors_.reset();
  return rest.size();
}

void Starter::report(int exit_code) {
  if (waiting_) waiting_->report(exit_code);
  errors_.reset();
}

}  // namespace holdfast::watchdog
