#include "runtime/pid_file.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <fstream>
#include <optional>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace holdfast::runtime;

namespace {

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("pid file: names this process, is readable by all, and is gone at the end") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "deeper/vrrp.pid";
  {
    const auto file = PidFile::write(path);
    REQUIRE(file.has_value());
    CHECK(content(path) == std::to_string(::getpid()) + "\n");
    struct stat found {};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0644);
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("pid file: what a crash or somebody else left at the name is replaced") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "vrrp.pid";
  const std::string target = directory / "precious";
  std::ofstream(target) << "precious\n";
  for (const std::string_view kind : {"old", "link", "pipe"}) {
    std::filesystem::remove(path);
    if (kind == "old") std::ofstream(path) << "what was there is longer than a pid\n";
    if (kind == "link") REQUIRE(::symlink(target.c_str(), path.c_str()) == 0);
    if (kind == "pipe") REQUIRE(::mkfifo(path.c_str(), 0644) == 0);

    const auto file = PidFile::write(path);

    REQUIRE(file.has_value());
    CHECK(content(path) == std::to_string(::getpid()) + "\n");
  }
  CHECK(content(target) == "precious\n");
}

TEST_CASE("pid file: a directory in its place is named") {
  const testing::TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "vrrp.pid");

  const auto file = PidFile::write(directory / "vrrp.pid");

  REQUIRE_FALSE(file.has_value());
  CHECK(file.error().message.find("there is no pid file") != std::string::npos);
  CHECK(file.error().message.find(directory / "vrrp.pid") != std::string::npos);
}

TEST_CASE("pid file: neither a forked child nor a predecessor takes it away") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "vrrp.pid";
  auto file = std::make_optional(*PidFile::write(path));
  const pid_t child = ::fork();
  if (child == 0) {
    file.reset();
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  CHECK(content(path) == std::to_string(::getpid()) + "\n");

  std::ofstream(path) << "4711\n";
  file.reset();

  CHECK(content(path) == "4711\n");
}
