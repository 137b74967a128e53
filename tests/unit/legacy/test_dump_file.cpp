// What is in the place of a dump is replaced, never followed or opened.
#include <doctest/doctest.h>

#include "legacy/dump_file.hpp"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

using namespace holdfast::legacy;
namespace fs = std::filesystem;

namespace {

struct Place {
  Place() {
    std::string name = (fs::temp_directory_path() / "holdfast-dumps-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path = name;
  }
  ~Place() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
  fs::path path;
};

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void put(const fs::path& path, std::string_view text) {
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("dump file: a link is replaced, what it points to stays") {
  const Place place;
  put(place.path / "precious", "mine");
  fs::create_symlink(place.path / "precious", place.path / "dump");

  REQUIRE(write_dump((place.path / "dump").string(), "text\n", 0640).has_value());

  CHECK(read(place.path / "precious") == "mine");
  CHECK_FALSE(fs::is_symlink(place.path / "dump"));
  CHECK(read(place.path / "dump") == "text\n");
  struct stat found {};
  REQUIRE(::stat((place.path / "dump").c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0640);
  CHECK(place.count() == 2);
}

TEST_CASE("dump file: nobody waits for the reader of a pipe") {
  const Place place;
  REQUIRE(::mkfifo((place.path / "dump").c_str(), 0666) == 0);

  REQUIRE(write_dump((place.path / "dump").string(), "text", 0600).has_value());

  CHECK(fs::is_regular_file(place.path / "dump"));
}

TEST_CASE("dump file: what cannot be replaced stays, and nothing is left over") {
  const Place place;
  fs::create_directory(place.path / "dump");

  const auto written = write_dump((place.path / "dump").string(), "text", 0600);

  REQUIRE_FALSE(written.has_value());
  CHECK(written.error().message.find("dump") != std::string::npos);
  CHECK(place.count() == 1);
  CHECK_FALSE(write_dump((place.path / "nowhere" / "dump").string(), "text", 0600).has_value());
}
