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
  std::string mounts = read_mount_text();
  std::unique_ptr<TrackedFiles> files = std::make_unique<TrackedFiles>(
      io, logger,
      [this](const std::string& name, std::int32_t number) { told.emplace_back(name, number); },
      [this] { return mounts; });

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

TEST_CASE("tracked files: nothing is touched on a mount whose server may be gone") {
  Bench bench;
  const std::string dead = bench.directory / "dead";
  fs::create_directories(dead);
  put(dead + "/f", "5\n");
  fs::create_symlink(dead + "/f", bench.directory / "link");
  bench.mounts =
      "1 0 0:1 / / rw - ext4 /dev/a rw\n2 1 0:2 / " + dead + " rw shared:3 - fuse.sshfs host: rw\n";
  const FileBeginning beginning{.number = 12, .overwrites = true};
  for (const std::string& path :
       {dead + "/f", dead + "/new", bench.directory / "link", bench.directory / "dead/../dead/f"}) {
    bench.told.clear();
    bench.follow(path, beginning);
    CHECK(bench.told == std::vector<std::pair<std::string, std::int32_t>>{{"f", 0}});
    put(dead + "/f", "6\n");
    bench.io.restart();
    bench.io.run_for(std::chrono::milliseconds(50));
    CHECK(bench.told.size() == 1);
  }
  CHECK(content(dead + "/f") == "6\n");
  CHECK_FALSE(fs::exists(dead + "/new"));

  bench.mounts = "1 0 0:1 / / rw - ext4 /dev/a rw\n";  // it was taken away
  bench.files->follow({});
  bench.follow(dead + "/f");
  CHECK(bench.told.back().second == 6);
}

TEST_CASE("tracked files: a link of another account in a shared directory is not followed") {
  if (::geteuid() != 0) return;
  Bench bench;
  const std::string shared = bench.directory / "tmp";
  fs::create_directories(shared);
  REQUIRE(::chmod(shared.c_str(), 01777) == 0);
  put(bench.directory / "f", "5\n");
  fs::create_symlink(bench.directory / "f", shared + "/link");
  bench.follow(shared + "/link");
  CHECK(bench.told.back().second == 5);
  REQUIRE(::lchown((shared + "/link").c_str(), 65534, 65534) == 0);
  bench.files->follow({});
  bench.follow(shared + "/link", FileBeginning{.number = 1, .overwrites = true});
  CHECK(bench.told.back().second == 0);
  CHECK(content(bench.directory / "f") == "5\n");
}

TEST_CASE("mounts: where a path lies is what is mounted there last, not what the text has last") {
  const Mounts mounts(
      "20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
      "31 20 0:40 / /srv/a\\040b rw - nfs4 host:/a rw\n"
      "32 20 0:41 / /under rw - tmpfs tmpfs rw\n"
      "33 32 0:42 / /under/deep rw - cifs //host/c rw\n"
      "35 34 0:44 / /under/deep rw - tmpfs tmpfs rw\n"
      "34 32 0:43 / /under rw - fuse.sshfs host: rw\n"
      "36 20 0:45 / /over rw - nfs host:/ rw\n"
      "37 36 0:46 / /over rw - tmpfs tmpfs rw\n"
      "38 20 0:47 / /proc rw - proc proc rw\n");
  for (const char* silent : {"/srv/a b", "/srv/a b/c/d", "/under", "/under/f", "/proc/1/status"})
    CHECK_MESSAGE(mounts.is_silent(silent), silent);
  for (const char* told : {"/", "/srv", "/srv/a", "/srv/a bc", "/over", "/over/f", "/processes"})
    CHECK_MESSAGE(!mounts.is_silent(told), told);
  // Whoever wants to go there has to pass the silent one.
  CHECK(mounts.is_silent("/under/deep/f"));
  CHECK_FALSE(Mounts("").is_silent("/proc"));
  CHECK(Mounts("1 1 0:1 / / rw - nfs host:/ rw\n").is_silent("/etc/f"));
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
