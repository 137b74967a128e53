#include "runtime/handover_file.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::runtime;
using namespace std::chrono_literals;

namespace {

using VrrpPage = HandoverPage<VrrpRecord>;

/// A directory in memory, as a run directory is.
struct RunDir {
  RunDir() {
    std::string name = "/dev/shm/holdfast-test-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~RunDir() { std::filesystem::remove_all(path); }
  RunDir(const RunDir&) = delete;
  RunDir& operator=(const RunDir&) = delete;

  [[nodiscard]] std::string page() const { return path + "/vrrp.page"; }
  std::string path;
};

VrrpRecord some_master() {
  return {core::Instant(1h), core::Instant(2h), 3s, 51, VrrpRecord::State::master, 150};
}

void write_a_master(const std::string& path) {
  UniqueFd fd = open_handover_file(path).value();
  CHECK(VrrpPage::open(std::move(fd)).value().store(1, some_master()));
}

std::optional<VrrpRecord> read_it(const std::string& path) {
  return VrrpPage::open(open_handover_file(path).value()).value().load(1);
}

}  // namespace

TEST_CASE("handover file: whoever comes later in the same world reads what was written") {
  const RunDir dir;
  write_a_master(dir.page());

  CHECK(read_it(dir.page()) == some_master());
  struct stat file {};
  REQUIRE(::stat(dir.page().c_str(), &file) == 0);
  CHECK((file.st_mode & 07777) == 0600);
}

TEST_CASE("handover file: what another boot, network or clock left is no master of ours") {
  for (const off_t where : {0, 40, 48}) {
    const RunDir dir;
    write_a_master(dir.page());
    {
      const UniqueFd fd = open_handover_file(dir.page()).value();
      char byte = 0;
      const off_t at = static_cast<off_t>(kHandoverNoteAt) + where;
      REQUIRE(::pread(fd.get(), &byte, 1, at) == 1);
      byte = static_cast<char>(byte + 1);
      REQUIRE(::pwrite(fd.get(), &byte, 1, at) == 1);
    }

    CHECK(read_it(dir.page()) == std::nullopt);
    write_a_master(dir.page());
    CHECK(read_it(dir.page()) == some_master());
  }
}

TEST_CASE("handover file: one that was cut off is emptied") {
  const RunDir dir;
  write_a_master(dir.page());
  REQUIRE(::truncate(dir.page().c_str(), 5000) == 0);

  CHECK(read_it(dir.page()) == std::nullopt);
}

TEST_CASE("handover file: while somebody has it, nobody else gets it") {
  const RunDir dir;
  const UniqueFd first = open_handover_file(dir.page()).value();
  const UniqueFd as_a_child_has_it = first.duplicate();

  const auto second = open_handover_file(dir.page());

  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message.find("is in use") != std::string::npos);
}

TEST_CASE("handover file: others' files, links and disks are left alone") {
  const RunDir dir;
  write_a_master(dir.page());
  REQUIRE(::chmod(dir.page().c_str(), 0644) == 0);
  CHECK_FALSE(open_handover_file(dir.page()).has_value());

  REQUIRE(::symlink(dir.page().c_str(), (dir.path + "/link").c_str()) == 0);
  CHECK_FALSE(open_handover_file(dir.path + "/link").has_value());

  const auto on_another = open_handover_file("/proc/vrrp.page");
  REQUIRE_FALSE(on_another.has_value());
  CHECK(on_another.error().message == "/proc/vrrp.page would be on a disk");
}
