#include "ctl/online.hpp"
#include "ctl/online_scripts.hpp"
#include "runtime/accounts.hpp"
#include "runtime/script_file.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::ctl;

namespace {

core::IpPrefix prefix(std::string_view address, std::uint8_t length) {
  return {*core::IpAddress::parse(address), length};
}

// A director with one interface in 192.168.1.0/24 and all that IPVS needs.
HostFacts host() {
  HostFacts facts;
  facts.interfaces["lo"] = {true, {prefix("127.0.0.1", 8)}};
  facts.interfaces["eth0"] = {true, {prefix("192.168.1.1", 24)}};
  facts.modules_known = true;
  facts.modules_loadable = {"ip_vs", "ip_vs_wlc", "ip_vs_rr"};
  return facts;
}

std::vector<core::Result<core::ScriptUser>> look_up(std::vector<core::AccountName> names) {
  return runtime::look_up_accounts(std::move(names), runtime::kAccountPatience);
}

std::string found(const std::string& text, const HostFacts& facts = host(),
                  const config::AccountLookUp& accounts = look_up) {
  const config::Loaded loaded = config::load_text(text, "t.conf", {});
  config::Diagnostics out;
  check_online(loaded, facts, accounts, out);
  std::string lines;
  for (const config::Diagnostic& one : out.all()) {
    lines += fmt::format("{}{} {}: {}", lines.empty() ? "" : "\n", one.line,
                         config::to_string(one.severity), one.message);
  }
  return lines;
}

std::string instance(std::string_view address, std::string_view extra = "",
                     std::string_view interface = "eth0") {
  return fmt::format(
      "vrrp_instance VI_1 {{\ninterface {}\nvirtual_router_id 51\nvirtual_ipaddress "
      "{{\n{}\n}}\n{}\n}}\n",
      interface, address, extra);
}

std::string service(std::string_view scheduler) {
  return fmt::format(
      "virtual_server 192.168.1.200 80 {{\nprotocol TCP\nlb_algo {}\nreal_server 192.168.1.67 80 "
      "{{\nTCP_CHECK {{\n}}\n}}\n}}\n",
      scheduler);
}

// A directory that is gone after the test.
class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "online-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string script(const std::string& name, mode_t mode) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path) << "#!/bin/sh\n";
    REQUIRE(chmod(path.c_str(), mode) == 0);
    return path;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string tracked(const std::string& command, std::string_view extra = "user root") {
  return fmt::format(
      "global_defs {{\nenable_script_security\n}}\nvrrp_script check {{\nscript \"{}\"\n{}\n}}\n{}",
      command, extra, instance("192.168.1.200", "track_script {\ncheck\n}"));
}

}  // namespace

TEST_CASE("online: a configuration that fits its host says nothing") {
  CHECK(found(instance("192.168.1.200") + service("wlc")).empty());
}

TEST_CASE("online: an interface that is not there, or down") {
  CHECK(found(instance("192.168.1.200", "", "eth1")) ==
        "1 warning: there is no interface 'eth1' on this host: vrrp_instance 'VI_1' waits for it");
  HostFacts down = host();
  down.interfaces["eth0"].up = false;
  CHECK(found(instance("192.168.1.200"), down) ==
        "1 warning: interface 'eth0' is down: vrrp_instance 'VI_1' waits for it");
  CHECK(found(instance("192.168.1.200 dev eth7")) ==
        "5 warning: there is no interface 'eth7' on this host: vrrp_instance 'VI_1' waits for it");
}

TEST_CASE("online: the interface of a virtual MAC is made by Holdfast itself") {
  CHECK(found(instance("192.168.1.200 dev vmac1", "use_vmac vmac1")).empty());
}

TEST_CASE("online: addresses that neighbours do not look for") {
  CHECK(found(instance("192.168.2.200")) ==
        "5 warning: 192.168.2.200 lies in no network of eth0 (192.168.1.1/24): its neighbours do "
        "not look for it there");
  CHECK(found(instance("192.168.2.200/24")).empty());
}

TEST_CASE("online: the source of adverts, and the own address among the peers") {
  CHECK(found(instance("192.168.1.200", "mcast_src_ip 192.168.1.9")) ==
        "1 warning: 192.168.1.9, the source address of vrrp_instance 'VI_1', is not an address of "
        "this host");
  HostFacts bare = host();
  bare.interfaces["eth0"].addresses.clear();
  CHECK(found(instance("192.168.1.200"), bare) ==
        "1 warning: interface 'eth0' has no IPv4 address: the adverts of vrrp_instance 'VI_1' have "
        "no source");
  CHECK(found(instance("192.168.1.200", "unicast_peer {\n192.168.1.1\n192.168.1.2\n}")) ==
        "8 warning: 192.168.1.1 is an address of this host, not of another director");
}

TEST_CASE("online: IPv6 addresses where IPv6 is switched off, once an interface") {
  HostFacts v4_only = host();
  v4_only.interfaces["eth0"].ipv6_off = true;
  const std::string file =
      instance("192.168.1.200", "virtual_ipaddress_excluded {\nfd00::200/64\nfd00::201/64\n}\n");

  CHECK(found(file, v4_only) ==
        "8 warning: IPv6 is switched off on eth0: fd00::200 cannot be put there");
  CHECK(found(file).empty());
  CHECK(found(instance("192.168.1.200"), v4_only).empty());
}

TEST_CASE("online: a virtual address that is there already, and not by Holdfast") {
  HostFacts taken = host();
  taken.interfaces["eth0"].addresses.push_back(prefix("192.168.1.200", 24));

  CHECK(found(instance("192.168.1.200"), taken) ==
        "5 warning: 192.168.1.200 is on eth0 already, and no Holdfast that runs here has put it "
        "there: it is on two hosts, or vanishes from this one, while another director is master");
  CHECK(found(instance("192.168.1.1")).find("it is the interface's only address of its family") !=
        std::string::npos);
  taken.held = {*core::IpAddress::parse("192.168.1.200")};
  CHECK(found(instance("192.168.1.200"), taken).empty());
}

TEST_CASE("online: the owner of an address is told what that means") {
  HostFacts two = host();
  two.interfaces["eth0"].addresses.push_back(prefix("192.168.1.2", 24));

  CHECK(found(instance("192.168.1.1", "priority 255")) ==
        "5 note: 192.168.1.1 is this host's only own address on eth0, as priority 255 says: it is "
        "master whenever it runs and eth0 is up, and sends its adverts from this address");
  CHECK(found(instance("192.168.1.1", "priority 255"), two) ==
        "5 note: 192.168.1.1 is this host's own address on eth0, as priority 255 says: it is "
        "master whenever it runs and eth0 is up");
}

TEST_CASE("online: what a running VRRP process holds is read from its status") {
  const auto status = boost::json::parse(R"({"instances": [
      {"addresses": [{"address": "192.168.1.200/24", "held": true},
                     {"address": "192.168.1.201/24", "held": false}, 7]},
      {"addresses": [{"address": "fd00::1/64", "held": true}, {"address": "x", "held": true}]},
      {}, 5]})");

  CHECK(held_addresses(status.as_object()) ==
        std::set{*core::IpAddress::parse("192.168.1.200"), *core::IpAddress::parse("fd00::1")});
}

TEST_CASE("online: IPVS and its schedulers") {
  CHECK(found(service("sed")) ==
        "1 warning: this kernel has no scheduler 'sed' (module ip_vs_sed): virtual_server TCP "
        "192.168.1.200:80 cannot be made");
  HostFacts without = host();
  without.modules_loadable.clear();
  CHECK(found(service("rr"), without) ==
        "1 warning: this kernel has no IPVS: virtual servers cannot work (module ip_vs)");
  without.modules_known = false;
  CHECK(found(service("rr"), without) ==
        "1 note: whether this kernel has IPVS cannot be seen: /lib/modules is not here");
  without.modules_present = {"ip_vs"};
  CHECK(found(service("sed"), without).empty());
}

TEST_CASE("online: module lists of the kernel and of /lib/modules") {
  CHECK(ipvs_modules_in("ip_vs_rr 16384 0 - Live 0x0\nip_vs 200704 2 ip_vs_rr, Live 0x0\nnf 1 2") ==
        std::set<std::string>{"ip_vs", "ip_vs_rr"});
  CHECK(
      ipvs_modules_in("kernel/net/netfilter/ipvs/ip_vs_sh.ko.xz: kernel/net/x.ko\nkernel/a.ko:") ==
      std::set<std::string>{"ip_vs_sh"});
  CHECK(ipvs_modules_in("").empty());
}

TEST_CASE("online: this host can be read") {
  const auto facts = read_host_facts();
  REQUIRE(facts.has_value());
  CHECK(facts->interfaces.contains("lo"));
}

TEST_CASE("online: scripts that are not there, or may not be run") {
  const Directory directory;
  CHECK(found(tracked(directory.path() + "/none")) ==
        fmt::format("5 warning: the script {}/none cannot be run: No such file or directory",
                    directory.path()));
  const std::string plain = directory.script("plain", 0644);
  CHECK(found(tracked(plain)) == fmt::format("5 warning: user root may not execute {}", plain));
  CHECK(found(tracked("no-such-program-here")) ==
        "5 warning: no program 'no-such-program-here' is found: it cannot be run");
  CHECK(found(tracked("/bin/true", "user nobody-like-this")) ==
        "5 warning: there is no user 'nobody-like-this' on this host: its scripts are not run");
}

TEST_CASE("online: links on the way are followed: /bin on a merged /usr is safe") {
  CHECK(runtime::why_unsafe("/bin/sh").empty());
}

TEST_CASE("online: what root runs only root may change") {
  if (geteuid() != 0) return;  // the files have to belong to root
  const Directory directory;
  const std::string open = directory.script("open", 0777);
  CHECK(runtime::why_unsafe(open) == fmt::format("everybody may write to {}", open));
  CHECK(found(tracked(open)) ==
        fmt::format("5 warning: {} is not run, because root would run what others can change: "
                    "everybody may write to {}",
                    open, open));
  CHECK(found(tracked(open, "user nobody")).empty());

  const std::string good = directory.script("good", 0755);
  CHECK(runtime::why_unsafe(good).empty());  // /tmp is sticky
  REQUIRE(chown(directory.path().c_str(), 65534, 65534) == 0);
  CHECK(runtime::why_unsafe(good) == fmt::format("{} belongs to user 65534", directory.path()));
}

TEST_CASE("check --online: a silent directory service is asked once for all accounts") {
  std::vector<core::AccountName> asked;
  int questions = 0;
  const auto silent = [&](std::vector<core::AccountName> names) {
    ++questions;
    asked = names;
    std::vector<core::Result<core::ScriptUser>> answers;
    for (const core::AccountName& name : names)
      answers.emplace_back(core::fail_errno(ETIMEDOUT, "cannot look up user {}", name.user));
    return answers;
  };
  const std::string scripts =
      "notify_master /bin/true ldapuser\nnotify_backup /bin/true ldapuser\n"
      "notify_fault /bin/false other staff";

  const std::string lines = found(instance("192.168.1.200/24", scripts), host(), silent);

  CHECK(questions == 1);
  CHECK(asked == std::vector<core::AccountName>{{"ldapuser", ""}, {"other", "staff"}});
  CHECK(lines ==
        "7 warning: cannot look up user ldapuser: Connection timed out: its scripts are not run\n"
        "9 warning: cannot look up user other: Connection timed out: its scripts are not run");
}

TEST_CASE("online: a tracked file that the VRRP process may not read counts as 0") {
  if (::geteuid() != 0) return;
  const Directory directory;
  const std::string path = directory.path() + "/number";
  std::ofstream(path) << "5\n";
  const std::string text = "track_file f {\nfile " + path + "\n}\n";
  CHECK(found(text).find("may not read") == std::string::npos);
  REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  CHECK(found(text).find("1 warning: the VRRP process may not read the file of track_file 'f', "
                         "which counts as 0 then: " +
                         path + " belongs to user 65534 and has the mode 0640") == 0);
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  CHECK(found(text).find("may not read") == std::string::npos);
  REQUIRE(::chown(path.c_str(), 65534, 0) == 0);
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  CHECK(found(text).find("may not read") == std::string::npos);
}

TEST_CASE("a switch of IPVS that a service needs is noted once, unless the file sets it") {
  const auto server = [](std::string_view words, std::string_view address = "10.0.0.1") {
    return fmt::format(
        "virtual_server {} 80 {{\nprotocol UDP\nlb_algo rr\nlb_kind NAT\n{}\n"
        "real_server 10.1.0.1 80 {{\n}}\n}}\n",
        address, words);
  };
  HostFacts facts = host();
  facts.ipvs_switches = {{"expire_quiescent_template", "0"},
                         {"expire_nodest_conn", "0"},
                         {"conntrack", "0"},
                         {"sloppy_tcp", "0"}};
  const std::string two = server("persistence_timeout 60") + server("", "10.0.0.2");

  const std::string said = found(two, facts);
  CHECK(said.find("clients stick to a server") != std::string::npos);
  CHECK(said.find("sending to a server that was removed") != std::string::npos);
  CHECK(said.find("10.0.0.2") == std::string::npos);
  CHECK(said.find("firewall") == std::string::npos);
  facts.has_conntrack = true;
  CHECK(found(two, facts).find("the firewall of this host does not know") != std::string::npos);

  const std::string set =
      "global_defs {\nlvs_sysctl {\nexpire_quiescent_template 1\nexpire_nodest_conn 1\n"
      "conntrack 1\n}\n}\n";
  CHECK(found(set + two, facts).empty());
  CHECK(found(two, host()).empty());  // what the switches are is not known

  CHECK(found(server("ops"), host()).find("keep the real server's address") != std::string::npos);
  facts.modules_loadable.insert("ip_vs_mh");
  std::string hashed = server("");
  hashed.replace(hashed.find("lb_algo rr"), 10, "lb_algo mh");
  CHECK(found(hashed, facts).find("a successor refuses") != std::string::npos);
  CHECK(found("global_defs {\nlvs_sync_daemon eth0\n}\n" + hashed, facts).find("successor") ==
        std::string::npos);
}
