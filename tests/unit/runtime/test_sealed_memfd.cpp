#include "runtime/sealed_memfd.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace holdfast::runtime;

TEST_CASE(
    "sealed memory: what was written is read, by each reader from the start, and cannot be "
    "changed") {
  const std::string text(100'000, 'c');
  const auto fd = write_sealed_memfd("snapshot", text);
  REQUIRE(fd.has_value());

  CHECK(read_sealed_memfd(fd->get()).value() == text);
  CHECK(read_sealed_memfd(fd->get()).value() == text);
  CHECK(::pwrite(fd->get(), "x", 1, 0) < 0);
  CHECK(::ftruncate(fd->get(), 0) < 0);
}

TEST_CASE("sealed memory: empty is fine") {
  CHECK(read_sealed_memfd(write_sealed_memfd("empty", "")->get()).value().empty());
}

TEST_CASE("sealed memory: a descriptor that somebody could still change is refused") {
  const UniqueFd open_memory(::memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  CHECK_FALSE(read_sealed_memfd(open_memory.get()).has_value());
  const UniqueFd file(::open("/etc/passwd", O_RDONLY | O_CLOEXEC));
  CHECK_FALSE(read_sealed_memfd(file.get()).has_value());
  CHECK_FALSE(read_sealed_memfd(-1).has_value());
}
