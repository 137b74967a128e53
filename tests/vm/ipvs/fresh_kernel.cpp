#include "tests/vm/ipvs/fresh_kernel.hpp"

#include "ipvs_wrapper/text.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sched.h>
#include <sys/wait.h>

namespace holdfast::ipvs::test {
namespace {

constexpr int kSkipped = 77;  // ctest's SKIP_RETURN_CODE of this test

Client open_or_skip() {
  auto opened =
      ::unshare(CLONE_NEWNET) == 0
          ? Client::open()
          : core::Result<Client>(core::fail_errno(errno, "cannot make a network namespace"));
  if (!opened) {
    std::cout << "skipped: " << opened.error().message << std::endl;
    std::exit(kSkipped);
  }
  return *std::move(opened);
}

}  // namespace

// Before the first address of a namespace the kernel has no local routing table and takes every
// IPv4 server for a broadcast address: loopback must be up.
FreshKernel::FreshKernel() : client(open_or_skip()) {
  CHECK(shell("ip link set lo up") == "");
}

Table FreshKernel::table() {
  auto observed = client.read();
  REQUIRE_MESSAGE(observed.has_value(), observed.error().message);
  return observed->table;
}

std::string shell(const std::string& command, const std::string& input) {
  char path[] = "/tmp/holdfast-ipvs-XXXXXX";
  const int descriptor = ::mkstemp(path);
  REQUIRE(descriptor >= 0);
  std::FILE* file = ::fdopen(descriptor, "w");
  std::fwrite(input.data(), 1, input.size(), file);
  std::fclose(file);

  std::FILE* pipe = ::popen(fmt::format("{{ {} ; }} <{} 2>&1", command, path).c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  char chunk[4096];
  for (std::size_t got = 0; (got = std::fread(chunk, 1, sizeof chunk, pipe)) > 0;)
    output.append(chunk, got);
  const int status = ::pclose(pipe);
  std::remove(path);
  if (status != 0) output += fmt::format("exit {}\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  return output;
}

Table table_of(std::string_view text) {
  const auto table = parse_text(text);
  REQUIRE_MESSAGE(table.has_value(), table.error().message);
  return *table;
}

}  // namespace holdfast::ipvs::test
