// The firewall against the real kernel, in a network namespace of this process's own. `nft` plays
// the stranger, and asks. Needs root; skipped with a printed reason otherwise.
#include "netlink_reflector/firewall.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/log.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::netlink;
using namespace std::chrono_literals;

namespace {

bool enter_private_namespace() {
  if (unshare(CLONE_NEWNET) != 0) {
    std::printf("skipped: cannot make a network namespace: %s\n", std::strerror(errno));
    return false;
  }
  if (std::system("nft list tables >/dev/null 2>&1") != 0) {
    std::printf("skipped: no nft, or no nf_tables\n");
    return false;
  }
  return true;
}

bool has(const std::string& table) {
  return std::system(("nft list table inet " + table + " >/dev/null 2>&1").c_str()) == 0;
}
bool closes(const std::string& address) {
  return std::system(("nft list table inet holdfast 2>&1 | grep -qE 'elements.*" + address + "\\b'")
                         .c_str()) == 0;
}

core::RouterKey owner(std::uint8_t vrid) {
  return {.interface = "eth0", .family = core::Family::v4, .vrid = vrid, .channel = {}};
}

struct Bench {
  boost::asio::io_context io;
  runtime::Logger logger{"test", {.to_stderr = false, .to_syslog = false}};
  Reflector reflector{io, logger, {}};
  Firewall firewall{io, logger, reflector, {}};

  Bench() {
    for (const auto each : {std::uint8_t{1}, std::uint8_t{2}})
      firewall.claim(owner(each),
                     {{*core::IpAddress::parse("10.0.0." + std::to_string(each)), {}}});
    firewall.settle();
    run(20ms);
  }
  void run(core::Duration time) {
    io.restart();
    io.run_for(time);
  }
};

}  // namespace

TEST_CASE("a table whose name changes while it is being made does not stay") {
  if (!enter_private_namespace()) return;
  Bench bench;
  bench.firewall.hold(owner(1));
  bench.firewall.follow({.table = "one"});  // both are under way until the loop hears of it
  bench.firewall.follow({.table = "two"});
  bench.firewall.settle();
  bench.firewall.flush();

  CHECK_FALSE(has("one"));
  CHECK(has("two"));
  CHECK(bench.firewall.state().in_place);
  bench.firewall.release(owner(1));
  bench.firewall.flush();
  CHECK_FALSE(has("two"));
}

// Without descriptors the sanitizers take every object for a broken one: they need a pipe to look.
#ifndef __SANITIZE_ADDRESS__

namespace {

/// No process of this test may have more descriptors than now.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &former_) == 0);
    const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(lowest >= 0);
    ::close(lowest);
    const rlimit none{static_cast<rlim_t>(lowest), former_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~NoMoreFiles() { ::setrlimit(RLIMIT_NOFILE, &former_); }
  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;

 private:
  rlimit former_{};
};

}  // namespace

TEST_CASE("while the kernel cannot say which tables there are, none is overwritten") {
  if (!enter_private_namespace()) return;
  Bench bench;  // what it needs for writing is open now, what it needs for asking is not
  REQUIRE(std::system("nft add table inet holdfast && nft add chain inet holdfast mine") == 0);
  {
    const NoMoreFiles none;
    bench.firewall.hold(owner(1));
    bench.firewall.close();
    CHECK(bench.firewall.state().problem == "the kernel refuses: Too many open files");
    CHECK_FALSE(bench.firewall.has_leftovers().has_value());
  }
  CHECK_FALSE(*bench.firewall.has_leftovers());
  CHECK(std::system("nft list chain inet holdfast mine >/dev/null 2>&1") == 0);
}
#endif

TEST_CASE("what is leaving stays closed until it has left, also in a table made anew") {
  if (!enter_private_namespace()) return;
  Bench bench;
  bench.firewall.hold(owner(1));
  bench.firewall.close();
  bench.firewall.settle();
  REQUIRE(closes("10.0.0.1"));

  SUBCASE("whoever ends a job meanwhile") {
    bench.firewall.release(owner(1));
    bench.firewall.hold(owner(2));
    bench.firewall.close();
    bench.run(20ms);
  }
  SUBCASE("whatever others do meanwhile") {
    REQUIRE(std::system("nft flush ruleset") == 0);
    bench.firewall.release(owner(1));
    bench.firewall.hold(owner(2));
    bench.firewall.close();
    bench.run(50ms);
  }
  CHECK(closes("10.0.0.1"));
  CHECK(closes("10.0.0.2"));
  bench.firewall.settle();
  bench.firewall.flush();
  CHECK_FALSE(closes("10.0.0.1"));
  CHECK(closes("10.0.0.2"));
}

TEST_CASE("a table that cannot be removed is told as that, and goes when it can") {
  if (!enter_private_namespace()) return;
  Bench bench;
  // A table that belongs to a program is changed by nobody else, and goes with it.
  std::FILE* program = ::popen("nft -i >/dev/null 2>&1", "w");
  REQUIRE(program != nullptr);
  std::fputs("add table inet holdfast { flags owner; comment \"holdfast \"; }\n", program);
  std::fflush(program);
  for (int i = 0; i < 100 && !has("holdfast"); ++i) ::usleep(20'000);
  REQUIRE(has("holdfast"));

  bench.firewall.sweep_leftovers();
  bench.firewall.flush();
  CHECK(bench.firewall.state().stuck.starts_with("the nftables table inet holdfast cannot be "));
  CHECK(bench.firewall.state().problem.empty());
  CHECK(*bench.firewall.has_leftovers());

  ::pclose(program);
  bench.run(1200ms);
  CHECK(bench.firewall.state().stuck.empty());
  CHECK_FALSE(*bench.firewall.has_leftovers());
}
