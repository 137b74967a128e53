// The reflector against the real kernel, in a network namespace of this process's own. `ip` of
// iproute2 plays the stranger. Needs root; skipped with a printed reason otherwise.
#include "netlink_reflector/owned_file.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::netlink;
using namespace std::chrono_literals;

namespace {

core::RouterKey owner(std::uint8_t vrid) {
  return {"eth0", core::Family::v4, vrid, core::IpAddress::v4({224, 0, 0, 18})};
}

/// Runs in a shell inside our namespace.
void shell(const std::string& command) {
  CAPTURE(command);
  REQUIRE(std::system(command.c_str()) == 0);
}

/// False, with the reason on stdout, where no namespace can be had. A fresh one for every test.
bool enter_private_namespace() {
  if (unshare(CLONE_NEWNET) != 0) {
    std::printf("skipped: cannot make a network namespace: %s\n", std::strerror(errno));
    return false;
  }
  if (std::system("ip link set lo up && ip link add eth0 type veth peer name peer0 && "
                  "ip link set eth0 up && ip link set peer0 up && "
                  "sysctl -qw net.ipv4.conf.eth0.promote_secondaries=0 "
                  "net.ipv4.conf.all.promote_secondaries=0") != 0) {
    std::printf("skipped: cannot make a veth pair with ip(8)\n");
    return false;
  }
  return true;
}

DesiredAddress vip(std::string_view prefix, std::string_view label = "") {
  return {"eth0", *core::IpPrefix::parse(prefix), std::string(label), {}, 0};
}

/// A run directory of its own.
class RunDir {
 public:
  RunDir() {
    char name[] = "/tmp/holdfast-reflector-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~RunDir() { std::filesystem::remove_all(path_); }
  RunDir(const RunDir&) = delete;
  RunDir& operator=(const RunDir&) = delete;

  [[nodiscard]] ReflectorOptions options() const {
    ReflectorOptions options;
    options.run_dir = path_;
    return options;
  }
  void lose() const { std::filesystem::remove_all(path_); }
  void damage() const { std::ofstream(path_ + "/vrrp.owned") << "nonsense\n"; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::size_t on_record() const { return OwnedFile(path_).load()->all().size(); }

 private:
  std::string path_;
};

/// A reflector in its loop, with a record of what it told.
struct Bench {
  boost::asio::io_context io;
  runtime::Logger logger{"test", {.to_stderr = false, .to_syslog = false}};
  Reflector reflector;
  std::vector<Publication> published;
  std::vector<std::string> lost;
  std::vector<std::size_t> repaired;
  std::vector<std::string> link_names;
  int address_events = 0;

  explicit Bench(const ReflectorOptions& options = {}) : reflector(io, logger, options) {
    reflector.on_published([this](const core::RouterKey&, const Publication& publication) {
      published.push_back(publication);
    });
    reflector.on_lost([this](const core::RouterKey&, const Publication& publication) {
      lost.emplace_back(publication.first_problem());
    });
    reflector.on_repaired(
        [this](const core::RouterKey& of, const std::vector<core::IpPrefix>& prefixes) {
          CHECK(of == owner(1));
          repaired.push_back(prefixes.size());
        });
    reflector.on_link([this](const LinkEvent& event) {
      if (const auto* appeared = std::get_if<LinkAppeared>(&event)) {
        link_names.push_back(appeared->link.name);
      }
    });
    reflector.on_address([this](const AddressEvent&) { ++address_events; });
    REQUIRE(reflector.load().has_value());
  }
  /// Runs the loop until the condition holds; false after five seconds.
  bool until(const std::function<bool()>& condition) {
    const auto give_up = std::chrono::steady_clock::now() + 5s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      io.restart();
      io.run_for(20ms);
    }
    return true;
  }
  /// What the kernel says, not what the mirror believes.
  [[nodiscard]] static bool kernel_has(const std::string& text) {
    return std::system(("ip -o addr show dev eth0 | grep -qF -- '" + text + "'").c_str()) == 0;
  }
};

}  // namespace

TEST_CASE("kernel: the mirror is full after load and follows links up, down, away and back") {
  if (!enter_private_namespace()) return;
  shell("ip addr add 10.0.0.1/24 brd + dev eth0");
  Bench bench;

  const Link* eth0 = bench.reflector.link("eth0");
  REQUIRE(eth0 != nullptr);
  const InterfaceIndex old_index = eth0->index;
  CHECK(eth0->is_usable());
  CHECK(eth0->mac.has_value());
  CHECK(eth0->mtu == 1500);
  CHECK(bench.reflector.link("lo")->loopback);
  CHECK(bench.reflector.primary_v4(old_index)->to_string() == "10.0.0.1");
  CHECK(bench.reflector.addresses(old_index).at(0).broadcast->to_string() == "10.0.0.255");

  shell("ip link set peer0 down");
  CHECK(bench.until([&] { return !bench.reflector.link("eth0")->running; }));
  shell("ip link set eth0 down");
  CHECK(bench.until([&] { return !bench.reflector.link("eth0")->up; }));
  shell("ip link set eth0 up; ip link set peer0 up");
  CHECK(bench.until([&] { return bench.reflector.link("eth0")->is_usable(); }));
  shell("ip link del eth0");
  CHECK(bench.until([&] { return bench.reflector.link("eth0") == nullptr; }));
  CHECK(bench.reflector.addresses(old_index).empty());
  shell("ip link add eth0 type veth peer name peer0");
  CHECK(bench.until([&] { return bench.reflector.link("eth0") != nullptr; }));
  CHECK(bench.reflector.link("eth0")->index != old_index);
}

TEST_CASE("kernel: hold and release, with label, broadcast, scope and prefix as configured") {
  if (!enter_private_namespace()) return;
  Bench bench;
  DesiredAddress fancy = vip("192.168.1.200/24", "eth0:vip");
  fancy.broadcast = *core::IpAddress::parse("192.168.1.255");
  fancy.scope = core::kScopeLink;
  DesiredAddress six{"eth0", *core::IpPrefix::parse("2001:db8::9/128"), "", {}, 0};

  bench.reflector.hold(owner(1), {fancy, vip("192.168.1.201"), six});
  CHECK(bench.until([&] { return !bench.published.empty(); }));

  CHECK(bench.published.at(0).complete);
  CHECK(Bench::kernel_has("192.168.1.200/24 brd 192.168.1.255 scope link eth0:vip"));
  CHECK(Bench::kernel_has("192.168.1.201/32 scope global eth0"));
  CHECK(Bench::kernel_has("2001:db8::9/128 scope global"));
  bench.reflector.hold(owner(1), {fancy, vip("192.168.1.201"), six});
  CHECK(bench.until([&] { return bench.published.size() == 2; }));
  CHECK(bench.published.at(1) == bench.published.at(0));
  CHECK(bench.address_events == 3);  // nothing was touched the second time
  CHECK_FALSE(bench.reflector.primary_v4(bench.reflector.link("eth0")->index).has_value());

  bench.reflector.release(owner(1));
  CHECK(bench.until([&] { return bench.published.size() == 3; }));
  CHECK(bench.published.at(2).complete);
  CHECK_FALSE(Bench::kernel_has("192.168.1."));
  CHECK_FALSE(Bench::kernel_has("2001:db8::9"));
  CHECK(bench.reflector.counters().failures == 0);
}

TEST_CASE("kernel: an address that a stranger removes comes back") {
  if (!enter_private_namespace()) return;
  Bench bench;
  bench.reflector.hold(owner(1), {vip("10.0.0.9"), vip("10.0.0.10/24", "eth0:vip")});
  REQUIRE(bench.until([&] { return bench.published.size() == 1; }));

  shell("ip addr del 10.0.0.9/32 dev eth0");
  CHECK(bench.until([&] { return bench.reflector.repairs() == 1; }));
  CHECK(Bench::kernel_has("10.0.0.9/32"));

  shell("ip -4 addr flush dev eth0");
  CHECK(bench.until([&] { return bench.reflector.repairs() == 3; }));
  CHECK(Bench::kernel_has("10.0.0.9/32"));
  CHECK(Bench::kernel_has("10.0.0.10/24 scope global eth0:vip"));
  CHECK(bench.until([&] { return bench.repaired.size() == 2; }));
  CHECK(bench.repaired == std::vector<std::size_t>{1, 2});  // once for what went together
  CHECK(bench.lost.empty());
}

TEST_CASE("kernel: releasing a primary leaves the secondaries of others, promoted or not") {
  if (!enter_private_namespace()) return;
  for (const char* promote : {"0", "1"}) {
    CAPTURE(promote);
    shell(std::string("sysctl -qw net.ipv4.conf.eth0.promote_secondaries=") + promote);
    Bench bench;
    bench.reflector.hold(owner(1), {vip("10.0.0.9/24")});
    bench.reflector.flush();
    shell("ip addr add 10.0.0.5/24 brd 10.0.0.255 dev eth0 label eth0:app");
    REQUIRE(Bench::kernel_has("10.0.0.5/24 brd 10.0.0.255 scope global secondary eth0:app"));
    REQUIRE(bench.until([&] {
      return bench.reflector.addresses(bench.reflector.link("eth0")->index).size() >= 2;
    }));

    bench.reflector.release(owner(1));
    bench.reflector.flush();

    CHECK(bench.reflector.publication(owner(1)).complete);
    CHECK_FALSE(Bench::kernel_has("10.0.0.9/24"));
    CHECK(Bench::kernel_has("10.0.0.5/24 brd 10.0.0.255 scope global eth0:app"));
    CHECK(bench.reflector.counters().failures == 0);
    shell("ip -4 addr flush dev eth0");
  }
}

TEST_CASE("kernel: a thousand addresses come in pieces, and the loop turns in between") {
  if (!enter_private_namespace()) return;
  Bench bench;
  std::vector<DesiredAddress> many;
  for (int i = 0; i < 1000; ++i)
    many.push_back(vip("10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)));
  const std::uint32_t index = bench.reflector.link("eth0")->index;
  const auto held = [&] { return bench.reflector.addresses(index).size(); };
  const std::size_t before = held();

  bench.reflector.hold(owner(1), many);
  const bool at_once = bench.reflector.advance(runtime::now());

  CHECK_FALSE(at_once);
  CHECK(held() - before > 0);
  CHECK(held() - before <= 64);
  int calls = 1;
  while (!bench.reflector.advance(runtime::now())) ++calls;
  CHECK(calls >= 1000 / 64);
  CHECK(held() - before == 1000);
  CHECK(bench.reflector.publication(owner(1)).complete);
}

TEST_CASE("kernel: what a removal takes along is put back in the same piece") {
  if (!enter_private_namespace()) return;
  Bench bench;
  const std::uint32_t index = bench.reflector.link("eth0")->index;
  bench.reflector.hold(owner(1), {vip("10.0.0.1/24")});
  bench.reflector.flush();
  shell("for i in $(seq 2 200); do echo addr add 10.0.0.$i/24 dev eth0; done | ip -batch -");
  REQUIRE(bench.until([&] { return bench.reflector.addresses(index).size() >= 200; }));

  bench.reflector.release(owner(1));  // the primary of 199 secondaries of others
  std::ignore = bench.reflector.advance(runtime::now());

  CHECK_FALSE(Bench::kernel_has("10.0.0.1/24"));
  CHECK(Bench::kernel_has("10.0.0.2/24"));
  CHECK(Bench::kernel_has("10.0.0.200/24"));
}

TEST_CASE("kernel: an interface that is deleted and made again gets its addresses back") {
  if (!enter_private_namespace()) return;
  Bench bench;
  bench.reflector.hold(owner(1), {vip("10.0.0.9")});
  REQUIRE(bench.until([&] { return bench.published.size() == 1; }));

  shell("ip link del eth0");
  CHECK(bench.until([&] { return bench.lost.size() == 1; }));
  CHECK(bench.lost.at(0) == "there is no interface eth0");
  shell("ip link add eth0 type veth peer name peer0");
  CHECK(bench.until([&] { return bench.published.size() == 2; }));
  CHECK(bench.published.at(1).complete);
  CHECK(Bench::kernel_has("10.0.0.9/32"));
  CHECK(bench.reflector.repairs() == 0);
}

TEST_CASE("kernel: what a killed process left goes, or is kept without a gap by who resumes") {
  if (!enter_private_namespace()) return;
  const RunDir run_dir;
  shell("ip addr add 10.0.0.10/24 dev eth0");
  {
    Bench killed(run_dir.options());
    killed.reflector.hold(owner(1), {vip("10.0.0.9"), vip("2001:db8::9/64")});
    killed.reflector.hold(owner(2), {vip("10.0.0.10"), vip("10.0.0.11/24")});
    killed.reflector.flush();
    const InterfaceIndex index = killed.reflector.link("eth0")->index;
    CHECK(killed.reflector.holds(index, *core::IpAddress::parse("10.0.0.11")));
    for (const Address& address : killed.reflector.addresses(index)) {
      const bool is_ours = address.prefix != *core::IpPrefix::parse("10.0.0.10/24") &&
                           !address.prefix.address.is_link_local();
      CHECK((address.protocol == kProtocolHoldfast) == is_ours);
    }
  }
  shell("ip addr add 10.0.0.77/24 dev eth0");
  Bench bench(run_dir.options());
  CHECK(bench.reflector.owned_count() == 4);
  CHECK(bench.reflector.primary_v4(bench.reflector.link("eth0")->index)->to_string() ==
        "10.0.0.10");

  bench.reflector.claim(owner(1), {vip("10.0.0.9"), vip("2001:db8::9/64")});
  bench.reflector.sweep_leftovers();
  bench.reflector.hold(owner(1), {vip("10.0.0.9"), vip("2001:db8::9/64")});
  CHECK(bench.until([&] { return bench.published.size() == 1; }));

  CHECK(Bench::kernel_has("10.0.0.9/32"));
  CHECK(Bench::kernel_has("2001:db8::9/64"));
  CHECK_FALSE(Bench::kernel_has("10.0.0.10/32"));
  CHECK_FALSE(Bench::kernel_has("10.0.0.11/24"));
  CHECK(Bench::kernel_has("10.0.0.10/24"));
  CHECK(Bench::kernel_has("10.0.0.77/24"));
  CHECK(bench.until([&] { return bench.address_events == 2; }));  // two removals and nothing else
  CHECK(run_dir.on_record() == 2);
}

TEST_CASE("kernel: a record that somebody else has replaced is written anew") {
  if (!enter_private_namespace()) return;
  const RunDir run_dir;
  Bench bench(run_dir.options());
  bench.reflector.hold(owner(1), {vip("10.0.0.9")});
  bench.reflector.flush();
  REQUIRE(run_dir.on_record() == 1);
  // As the release does beside a living process: another file has the name now.
  std::filesystem::copy(run_dir.file("vrrp.owned"), run_dir.file("fresh"));
  std::filesystem::rename(run_dir.file("fresh"), run_dir.file("vrrp.owned"));

  bench.reflector.hold(owner(1), {vip("10.0.0.9"), vip("10.0.0.10")});
  bench.reflector.flush();

  CHECK(run_dir.on_record() == 2);
}

TEST_CASE("kernel: the mark finds what is on no record, and what has none is somebody else's") {
  if (!enter_private_namespace()) return;
  const RunDir run_dir;
  bool marks_are_kept = false;
  {
    Bench killed(run_dir.options());
    killed.reflector.hold(owner(1), {vip("10.0.0.9"), vip("10.0.0.10")});
    killed.reflector.flush();
    for (const Address& one : killed.reflector.addresses(killed.reflector.link("eth0")->index))
      marks_are_kept = marks_are_kept || one.protocol == kProtocolHoldfast;
  }
  bool is_elsewhose = false;
  SUBCASE("somebody has put one there by hand") {
    shell("ip addr del 10.0.0.9/32 dev eth0; ip addr add 10.0.0.9/32 dev eth0");
    is_elsewhose = marks_are_kept;
  }
  SUBCASE("the run directory was lost") {
    run_dir.lose();
  }
  SUBCASE("the record is damaged") {
    run_dir.damage();
  }

  Bench bench(run_dir.options());
  bench.reflector.sweep_leftovers();
  bench.reflector.flush();

  CHECK(Bench::kernel_has("10.0.0.9/32") == is_elsewhose);
  CHECK_FALSE(Bench::kernel_has("10.0.0.10/32"));
}

TEST_CASE("kernel: two directors in one namespace do not take each other's addresses") {
  if (!enter_private_namespace()) return;
  const RunDir mine;
  const RunDir others;
  Bench neighbour(others.options());
  neighbour.reflector.hold(owner(7), {vip("10.0.0.7")});
  neighbour.reflector.flush();
  {
    Bench killed(mine.options());
    killed.reflector.hold(owner(1), {vip("10.0.0.9")});
    killed.reflector.flush();
  }

  Bench bench(mine.options());
  bench.reflector.sweep_leftovers();
  bench.reflector.flush();

  CHECK(Bench::kernel_has("10.0.0.7/32"));
  CHECK_FALSE(Bench::kernel_has("10.0.0.9/32"));
}

TEST_CASE(
    "kernel: an interface that is renamed while it is up loses what is ours, and gets it back") {
  if (!enter_private_namespace()) return;
  const RunDir run_dir;
  shell("ip addr add 10.0.0.1/24 dev eth0");
  Bench bench(run_dir.options());
  bench.reflector.hold(owner(1), {vip("10.0.0.9"), vip("10.0.0.10/24")});
  REQUIRE(bench.until([&] { return bench.published.size() == 1; }));
  if (std::system("ip link set eth0 name eth7") != 0) {
    std::printf("skipped: this kernel (before 6.2) renames no interface that is up\n");
    return;
  }

  CHECK(bench.until([&] { return bench.lost.size() == 1; }));
  CHECK(bench.lost.at(0) == "there is no interface eth0");
  CHECK(bench.until([&] { return bench.reflector.owned_count() == 0; }));
  shell("ip -o addr show dev eth7 | grep -q 10.0.0.1/24");
  shell("! ip -o addr show dev eth7 | grep -q -e 10.0.0.9 -e 10.0.0.10");

  shell("ip link set eth7 name eth0");
  CHECK(bench.until([&] { return bench.published.size() == 2; }));
  CHECK(bench.published.at(1).complete);
  CHECK(Bench::kernel_has("10.0.0.9/32"));
  CHECK(Bench::kernel_has("10.0.0.1/24"));
}

TEST_CASE("kernel: the host's own address is used, serves as source and survives") {
  if (!enter_private_namespace()) return;
  shell("ip addr add 10.0.0.1/24 dev eth0");
  Bench bench;
  const InterfaceIndex index = bench.reflector.link("eth0")->index;
  bench.reflector.claim(owner(1), {vip("10.0.0.1")});
  bench.reflector.sweep_leftovers();
  bench.reflector.release(owner(1));
  bench.reflector.flush();
  CHECK(bench.reflector.primary_v4(index)->to_string() == "10.0.0.1");

  bench.reflector.hold(owner(1), {vip("10.0.0.1")});
  bench.reflector.flush();
  CHECK(bench.reflector.publication(owner(1)).complete);
  CHECK(bench.reflector.primary_v4(index)->to_string() == "10.0.0.1");
  CHECK(Bench::kernel_has("10.0.0.1/32"));

  bench.reflector.release(owner(1));
  bench.reflector.flush();
  CHECK_FALSE(Bench::kernel_has("10.0.0.1/32"));
  CHECK(Bench::kernel_has("10.0.0.1/24"));
  CHECK(std::system("ip route get 10.0.0.2 | grep -q 'src 10.0.0.1'") == 0);
}

TEST_CASE("kernel: a refusal is a sentence with the kernel's reason") {
  if (!enter_private_namespace()) return;
  shell("ip addr add 10.0.0.1/24 dev eth0");
  Bench bench;
  DesiredAddress impossible = vip("10.0.0.9/24");
  impossible.scope = core::kScopeLink;  // in the network of an address with scope global

  bench.reflector.hold(owner(1), {impossible, vip("10.0.0.10")});
  REQUIRE(bench.until([&] { return bench.published.size() == 1; }));

  CHECK_FALSE(bench.published.at(0).complete);
  CHECK(bench.published.at(0).addresses.at(1).held);
  const std::string& problem = bench.published.at(0).addresses.at(0).problem;
  CAPTURE(problem);
  CHECK(problem.starts_with("cannot add 10.0.0.9/24 on eth0: Invalid argument"));
  CHECK(problem.ends_with(
      "an address of the same network with another scope may be on the interface"));
  CHECK(bench.reflector.counters().failures >= 1);
}

TEST_CASE("kernel: after an overrun everything is read again and the differences become events") {
  if (!enter_private_namespace()) return;
  ReflectorOptions options;
  options.event_buffer_bytes = 1;
  Bench bench(options);
  bench.reflector.hold(owner(1), {vip("10.0.0.9")});
  bench.reflector.flush();
  const InterfaceIndex index = bench.reflector.link("eth0")->index;

  // Nobody reads while this goes on; the smallest buffer holds a handful of events.
  shell("for i in $(seq 1 100); do echo addr add 10.1.0.$i/32 dev eth0; done | ip -batch -");
  shell("ip addr del 10.0.0.9/32 dev eth0; ip addr del 10.1.0.1/32 dev eth0");
  shell("ip link add late0 type veth peer name late1");

  const auto count_v4 = [&] {
    const std::vector<Address> all = bench.reflector.addresses(index);
    return std::count_if(all.begin(), all.end(),
                         [](const Address& one) { return one.prefix.address.is_v4(); });
  };
  CHECK(bench.until([&] { return count_v4() == 100 && bench.reflector.repairs() == 1; }));
  CHECK(bench.reflector.counters().overruns >= 1);
  CHECK(bench.reflector.counters().resyncs >= 1);
  CHECK(std::find(bench.link_names.begin(), bench.link_names.end(), "late0") !=
        bench.link_names.end());
  CHECK(Bench::kernel_has("10.0.0.9/32"));
}

TEST_CASE("kernel: two thousand addresses of many owners in one flush") {
  if (!enter_private_namespace()) return;
  Bench bench;
  for (std::uint8_t number = 0; number < 200; ++number) {
    std::vector<DesiredAddress> addresses;
    for (int host = 1; host <= 10; ++host) {
      addresses.push_back(vip("10.2." + std::to_string(number) + "." + std::to_string(host)));
    }
    bench.reflector.hold(owner(number), addresses);
  }

  bench.reflector.flush();

  CHECK(bench.reflector.addresses(bench.reflector.link("eth0")->index).size() >= 2000);
  CHECK(bench.reflector.publication(owner(199)).complete);
  CHECK(bench.until([&] { return bench.published.size() == 200; }));
  CHECK(bench.reflector.counters().failures == 0);
}

TEST_CASE("kernel: a first look that is interrupted each time is repeated, and nothing is missed") {
  if (!enter_private_namespace()) return;
  const RunDir run_dir;
  {
    Bench killed(run_dir.options());
    killed.reflector.hold(owner(1), {vip("10.0.0.9")});
    killed.reflector.flush();
  }
  // A dump of many parts, and a change between any two of them.
  shell(
      "for i in $(seq 1 40); do for j in $(seq 1 200); do "
      "echo addr add 10.$i.7.$j/32 dev peer0; done; done | ip -batch -");
  shell(
      "(while :; do echo addr add 10.99.0.1/32 dev eth0; echo addr del 10.99.0.1/32 dev eth0; "
      "done | ip -batch -) 2>/dev/null & echo $! > " +
      run_dir.file("churn"));
  shell("sleep 0.2");

  Bench bench(run_dir.options());
  bench.reflector.claim(owner(1), {vip("10.0.0.9")});
  bench.reflector.sweep_leftovers();
  const bool was_interrupted = !bench.reflector.is_complete();
  shell("pkill -P $(cat " + run_dir.file("churn") + ")");

  if (!was_interrupted) std::printf("not shown: this machine is too slow to interrupt a dump\n");
  CHECK(bench.until([&] { return bench.reflector.is_complete(); }));
  CHECK(bench.until([&] { return bench.reflector.owned_count() == 0; }));
  CHECK_FALSE(Bench::kernel_has("10.0.0.9/32"));
  CHECK(bench.reflector.addresses(bench.reflector.link("peer0")->index).size() >= 8000);
}
