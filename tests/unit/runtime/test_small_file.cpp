#include "runtime/small_file.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <cerrno>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace holdfast::runtime;

TEST_CASE("small file: what is written is read, and a reader never sees half of it") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "list";
  REQUIRE(replace_file(path, "one\n", 0600).has_value());
  const UniqueFd reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(replace_file(path, "two\n", 0600).has_value());

  const auto text = read_small_file(path, 100);

  REQUIRE(text.has_value());
  CHECK(*text == "two\n");
  char first = 0;
  CHECK(::read(reader.get(), &first, 1) == 1);
  CHECK(first == 'o');
  CHECK_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_CASE("small file: a pipe, a link, a device or a directory is an error, not a wait") {
  const testing::TemporaryDirectory directory;
  const std::string pipe = directory / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0644) == 0);
  const std::string link = directory / "link";
  REQUIRE(::symlink("/dev/zero", link.c_str()) == 0);

  for (const std::string& path : {pipe, link, std::string("/dev/zero"), directory / "."}) {
    const auto text = read_small_file(path, 100);
    REQUIRE_FALSE(text.has_value());
    CHECK(text.error().message.find(path) != std::string::npos);
  }
}

TEST_CASE("small file: a file that the operator names may be a link, but nothing else") {
  const testing::TemporaryDirectory directory;
  const std::string pipe = directory / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0644) == 0);
  std::ofstream(directory / "archive1.pem") << "text\n";
  const std::string link = directory / "live.pem";
  REQUIRE(::symlink("archive1.pem", link.c_str()) == 0);

  const auto text = read_named_file(link, 100);

  REQUIRE(text.has_value());
  CHECK(*text == "text\n");
  for (const std::string& path : {pipe, std::string("/dev/zero"), directory / "."})
    CHECK(read_named_file(path, 100).error().message == path + " is not a file");
  CHECK(read_named_file(link, 4).error().message == link + " is longer than 4 bytes");
}

TEST_CASE("small file: a missing one is told apart, a long one is refused") {
  const testing::TemporaryDirectory directory;
  CHECK(read_small_file(directory / "none", 100).error().system_errno == ENOENT);
  std::ofstream(directory / "long") << std::string(101, 'x');
  CHECK_FALSE(read_small_file(directory / "long", 100).has_value());
}

TEST_CASE("small file: it takes the place of links and pipes, also of those at its first name") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "list";
  const std::string target = directory / "precious";
  std::ofstream(target) << "precious\n";
  REQUIRE(::symlink(target.c_str(), path.c_str()) == 0);
  REQUIRE(::mkfifo((path + ".new").c_str(), 0644) == 0);

  REQUIRE(replace_file(path, "ours\n", 0644).has_value());

  CHECK(std::filesystem::is_regular_file(std::filesystem::symlink_status(path)));
  CHECK(std::filesystem::file_size(target) == 9);
}

TEST_CASE("small file: when nothing can be written the former one stays") {
  const std::string path = "/dev/full.d/list";
  CHECK_FALSE(replace_file(path, "new\n", 0644).has_value());
  const testing::TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "list");

  const auto refused = replace_file(directory / "list", "new\n", 0644);

  REQUIRE_FALSE(refused.has_value());
  CHECK_FALSE(std::filesystem::exists(directory / "list.new"));
}
