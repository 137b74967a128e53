#include "runtime/memory.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

namespace {

/// Pages of files that this process has mapped and in memory. Unit: KiB.
long resident_file_pages() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssFile:")) return std::stol(line.substr(8));
  }
  return -1;
}

}  // namespace

TEST_CASE("memory: code that is idle is not resident, and comes back when it is used") {
  const long before = resident_file_pages();
  REQUIRE(before > 0);

  holdfast::runtime::return_idle_code();

  const long after = resident_file_pages();  // itself code that has come back
  CHECK(after > 0);
  CHECK(after < before);
}
