#include "ctl/command_output.hpp"

#include "runtime/clock.hpp"
#include "runtime/unique_fd.hpp"

#include <fmt/format.h>

#include <array>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::ctl {
namespace {

/// 0, and `process` runs; or an errno.
int start(const std::vector<std::string>& words, int output, pid_t& process) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files{};
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
  const int error =
      ::posix_spawnp(&process, arguments.front(), &files, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  return error;
}

/// Why reading ended; empty: there is no more.
std::string read_all(int fd, const CommandLimits& limits, std::string& text) {
  const core::Instant until = runtime::now() + limits.time;
  std::array<char, 65536> piece{};
  while (text.size() < limits.bytes) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - runtime::now()).count();
    pollfd ready{fd, POLLIN, 0};
    if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) <= 0)
      return fmt::format("(not done after {} s: ended)\n",
                         std::chrono::floor<std::chrono::seconds>(limits.time).count());
    const ssize_t count = ::read(fd, piece.data(), piece.size());
    if (count <= 0) return {};
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  return fmt::format("(cut after {} bytes)\n", limits.bytes);
}

}  // namespace

std::string output_of(const std::vector<std::string>& words, const CommandLimits& limits) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return fmt::format("(cannot make a pipe: {})\n", std::strerror(errno));
  const runtime::UniqueFd reader(ends[0]);
  runtime::UniqueFd writer(ends[1]);
  pid_t process = 0;
  if (const int error = start(words, writer.get(), process); error != 0)
    return fmt::format("({} cannot be run: {})\n", words.front(), std::strerror(error));
  writer.reset();
  std::string text;
  const std::string why = read_all(reader.get(), limits, text);
  if (!why.empty()) ::kill(process, SIGKILL);
  int status = 0;
  ::waitpid(process, &status, 0);
  if (!why.empty()) return text + why;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  return text + (WIFEXITED(status) ? fmt::format("(exit code {})\n", WEXITSTATUS(status))
                                   : fmt::format("(ended by signal {})\n", WTERMSIG(status)));
}

}  // namespace holdfast::ctl
