// Tracked files: every way in which a file can come to hold another number.
#include "runtime/tracked_files.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <utime.h>

using namespace holdfast::runtime;
namespace fs = std::filesystem;

namespace {

void put(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Bench {
  boost::asio::io_context io;
  Logger logger{"test", {.to_stderr = false, .to_syslog = false}};
  testing::TemporaryDirectory directory;
  std::vector<std::pair<std::string, std::int32_t>> told;
  std::unique_ptr<TrackedFiles> files = std::make_unique<TrackedFiles>(
      io, logger,
      [this](const std::string& name, std::int32_t number) { told.emplace_back(name, number); });

  void follow(const std::string& path, std::optional<FileBeginning> beginning = {}) {
    files->follow({{"f", path, beginning}});
  }
  bool comes(std::int32_t number) {
    return testing::run_until(io, [&] { return !told.empty() && told.back().second == number; });
  }
};

}  // namespace

TEST_CASE("tracked files: written, renamed into place, removed and made again") {
  Bench bench;
  const std::string path = bench.directory / "f";
  put(path, "5\n");
  bench.follow(path);
  REQUIRE(bench.told == std::vector<std::pair<std::string, std::int32_t>>{{"f", 5}});

  put(path, "7\n");
  CHECK(bench.comes(7));
  put(path + ".new", "-3\n");
  fs::rename(path + ".new", path);
  CHECK(bench.comes(-3));
  fs::remove(path);
  CHECK(bench.comes(0));
  put(path, "9\n");
  CHECK(bench.comes(9));
  fs::rename(path, path + ".old");
  CHECK(bench.comes(0));
  fs::create_hard_link(path + ".old", path);
  CHECK(bench.comes(9));
  put(path, "nonsense\n");
  CHECK(bench.comes(0));
}

TEST_CASE("tracked files: the directory need not exist, may go, and may come by another name") {
  Bench bench;
  const std::string path = bench.directory / "a/b/f";
  bench.follow(path);
  CHECK(bench.told.back().second == 0);

  fs::create_directories(bench.directory / "a/b");
  put(path, "4\n");
  CHECK(bench.comes(4));
  fs::rename(bench.directory / "a", bench.directory / "elsewhere");
  CHECK(bench.comes(0));
  put(bench.directory / "elsewhere/b/f", "11\n");  // nobody's any more
  fs::create_directories(bench.directory / "other/b");
  put(bench.directory / "other/b/f", "6\n");
  fs::rename(bench.directory / "other", bench.directory / "a");
  CHECK(bench.comes(6));
  put(path, "8\n");
  CHECK(bench.comes(8));
  CHECK(bench.told.size() == 5);
}

TEST_CASE("tracked files: links that are turned elsewhere, as in a pod's volume") {
  Bench bench;
  for (const char* version : {"v1", "v2"}) fs::create_directories(bench.directory / version);
  put(bench.directory / "v1/f", "1\n");
  put(bench.directory / "v2/f", "2\n");
  fs::create_directory_symlink("v1", bench.directory / "data");
  fs::create_symlink("data/f", bench.directory / "f");
  bench.follow(bench.directory / "f");
  CHECK(bench.told.back().second == 1);

  fs::create_directory_symlink("v2", bench.directory / "data.new");
  fs::rename(bench.directory / "data.new", bench.directory / "data");
  CHECK(bench.comes(2));
  put(bench.directory / "v2/f", "3\n");
  CHECK(bench.comes(3));

  fs::create_symlink("loop", bench.directory / "loop");
  fs::remove(bench.directory / "f");
  fs::create_symlink("loop", bench.directory / "f");
  CHECK(bench.comes(0));
}

TEST_CASE("tracked files: what is no regular file, or tells of no change, counts as 0 at once") {
  Bench bench;
  const std::string pipe = bench.directory / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0644) == 0);
  for (const std::string& path : {pipe, bench.directory / ".", std::string("/dev/zero"),
                                  std::string("/proc/sys/kernel/pid_max")}) {
    bench.told.clear();
    bench.follow(path);
    CHECK(bench.told == std::vector<std::pair<std::string, std::int32_t>>{{"f", 0}});
  }
}

TEST_CASE("tracked files: a number that is too large leaves the former one") {
  Bench bench;
  const std::string path = bench.directory / "f";
  put(path, "5");
  bench.follow(path);
  put(path, "99999999999");
  put(bench.directory / "sign", "1");
  bench.files->follow({{"f", path, {}}, {"sign", bench.directory / "sign", {}}});
  put(path, "6");
  CHECK(bench.comes(6));
  CHECK(bench.told.size() == 3);  // 5, the sign, 6
}

TEST_CASE("tracked files: init_file makes what is missing, 'overwrite' also what is older") {
  Bench bench;
  const std::string path = bench.directory / "f";
  bench.follow(path, FileBeginning{.number = 12});
  CHECK(bench.told.back().second == 12);
  CHECK(content(path) == "12\n");

  put(path, "3\n");
  bench.follow(bench.directory / "other");
  bench.follow(path, FileBeginning{.number = 12, .overwrites = true});  // younger than our parent
  CHECK(content(path) == "3\n");

  const utimbuf long_ago{1, 1};
  ::utime(path.c_str(), &long_ago);
  bench.follow(bench.directory / "other");
  bench.follow(path, FileBeginning{.number = 12});
  CHECK(content(path) == "3\n");
  bench.follow(bench.directory / "other");
  bench.follow(path, FileBeginning{.number = 12, .overwrites = true});
  CHECK(content(path) == "12\n");
  CHECK(bench.told.back().second == 12);
}

TEST_CASE("tracked files: nothing is told after the end, nor of files that nobody follows") {
  Bench bench;
  const std::string path = bench.directory / "f";
  put(path, "5");
  bench.follow(path);
  bench.files->follow({});
  put(path, "6");
  bench.io.restart();
  bench.io.run_for(std::chrono::milliseconds(50));
  bench.follow(path);
  CHECK(bench.told.back().second == 6);
  bench.files.reset();
  put(path, "7");
  bench.io.restart();
  bench.io.run_for(std::chrono::milliseconds(50));
  CHECK(bench.told.size() == 2);
}
