#include "runtime/lock_file.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace holdfast::runtime;

namespace {

mode_t mode_of(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0 ? found.st_mode : 0;
}

}  // namespace

TEST_CASE("lock file: a second copy is told who holds it") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "deeper/holdfast.lock";
  const auto first = LockFile::acquire(path);
  REQUIRE(first.has_value());

  const auto second = LockFile::acquire(path);

  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().system_errno == EAGAIN);
  CHECK(second.error().message.find("already running as process " + std::to_string(::getpid())) !=
        std::string::npos);
}

TEST_CASE("lock file: nobody else can open it, and what others could lock is not used") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "holdfast.lock";
  std::ofstream(path) << "left by somebody\n";
  ::chmod(path.c_str(), 0644);
  const UniqueFd stranger(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(::flock(stranger.get(), LOCK_SH) == 0);

  const auto lock = LockFile::acquire(path);

  CHECK(lock.has_value());
  CHECK(mode_of(path) == (S_IFREG | 0600));
}

TEST_CASE("lock file: a link or a pipe is replaced, a directory is named") {
  const testing::TemporaryDirectory directory;
  const std::string link = directory / "link.lock";
  const std::string target = directory / "target";
  std::ofstream(target) << "precious\n";
  REQUIRE(::symlink(target.c_str(), link.c_str()) == 0);
  const std::string pipe = directory / "pipe.lock";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const std::string folder = directory / "folder.lock";
  std::filesystem::create_directory(folder);

  CHECK(LockFile::acquire(link).has_value());
  CHECK(std::filesystem::file_size(target) == 9);
  CHECK(LockFile::acquire(pipe).has_value());
  const auto refused = LockFile::acquire(folder);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("in the way of the lock file " + folder) != std::string::npos);
}

TEST_CASE("lock file: kill -9 of the holder frees the lock, an orderly end removes the file") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "vrrp.lock";
  std::array<int, 2> ready{};
  REQUIRE(::pipe(ready.data()) == 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    const auto lock = LockFile::acquire(path);
    [[maybe_unused]] const ssize_t ignored = ::write(ready[1], "x", 1);
    ::pause();
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK_FALSE(LockFile::acquire(path).has_value());
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);

  { CHECK(LockFile::acquire(path).has_value()); }

  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("lock file: with patience it waits until the holder has gone") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "vrrp.lock";
  auto held = LockFile::acquire(path);
  REQUIRE(held.has_value());
  std::thread leaving([lock = std::move(*held)]() mutable {
    const LockFile last = std::move(lock);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  });

  const auto next = LockFile::acquire(path, testing::kLimit);

  leaving.join();
  CHECK(next.has_value());
}
