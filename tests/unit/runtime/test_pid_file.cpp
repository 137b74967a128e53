#include "runtime/pid_file.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <cerrno>
#include <csignal>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace holdfast::runtime;

TEST_CASE("pid file: a second copy is told who holds it") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "deeper/holdfast.pid";
  auto first = PidFile::acquire(path);
  REQUIRE(first.has_value());

  const auto second = PidFile::acquire(path);

  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().system_errno == EAGAIN);
  CHECK(second.error().message.find("already running as process " + std::to_string(::getpid())) !=
        std::string::npos);
}

TEST_CASE("pid file: is gone at the end, and one left by a crash does not matter") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "vrrp.pid";
  { REQUIRE(PidFile::acquire(path).has_value()); }
  CHECK_FALSE(std::filesystem::exists(path));

  std::ofstream(path) << "what was there is longer than a pid\n";
  const auto file = PidFile::acquire(path);
  REQUIRE(file.has_value());
  std::ifstream written(path);
  const std::string text{std::istreambuf_iterator<char>(written), {}};
  CHECK(text == std::to_string(::getpid()) + "\n");
}

TEST_CASE("pid file: kill -9 of the holder frees the lock") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "vrrp.pid";
  std::array<int, 2> ready{};
  REQUIRE(::pipe(ready.data()) == 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    const auto file = PidFile::acquire(path);
    [[maybe_unused]] const ssize_t ignored = ::write(ready[1], "x", 1);
    ::pause();
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK_FALSE(PidFile::acquire(path).has_value());
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  CHECK(PidFile::acquire(path).has_value());
}
