#include "config/signing_keys.hpp"
#include "config/started.hpp"
#include "config/write/write.hpp"
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;
using namespace std::chrono_literals;

namespace {

// Notes are about style; they are tested where they are made.
std::string without_notes(const Diagnostics& diagnostics) {
  Diagnostics louder;
  for (const Diagnostic& one : diagnostics.all()) {
    if (one.severity != Severity::note) louder.add(one);
  }
  return findings(louder);
}

VrrpInstance only(std::string_view extra, std::string_view expected = "") {
  const Loaded loaded = load(instance(extra));
  CHECK(without_notes(loaded.diagnostics) == expected);
  REQUIRE(loaded.model.instances.size() == 1);
  return loaded.model.instances[0];
}

}  // namespace

TEST_CASE("vrrp_instance: defaults are keepalived's") {
  const VrrpInstance one = only("");

  VrrpInstance expected;
  expected.name = "VI_1";
  expected.interface = "eth0";
  expected.virtual_router_id = 51;
  VirtualAddress address;
  address.prefix = *core::IpPrefix::parse("192.168.1.200/32");
  address.interface = "eth0";
  expected.virtual_addresses = {address};
  CHECK(one == expected);
  CHECK(one.priority == 100);
  CHECK(one.advert_int == 1s);
  CHECK(one.preempt);
  CHECK(one.garp.master_delay == 5s);
  CHECK(one.garp.master_repeat == 5);
}

TEST_CASE("vrrp_instance: every word of it reaches the model") {
  const VrrpInstance one = only(
      "state BACKUP\nadvert_int 2\npreempt\npreempt_delay 1.5\nmcast_src_ip 192.168.1.179\n"
      "garp_master_delay 1\ngarp_master_repeat 2\ngarp_master_refresh "
      "60\ngarp_master_refresh_repeat 3\n"
      "garp_lower_prio_delay 4\ngarp_lower_prio_repeat 6\n"
      "authentication {\nauth_type PASS\nauth_pass 1111\n}\n"
      "notify_master \"/bin/m 'a b' c\" nobody nogroup\nnotify_backup /bin/b\nnotify_fault /bin/f\n"
      "notify_stop /bin/s\nnotify /bin/n\ndebug 2\n");

  CHECK(one.state == InitialState::backup);
  CHECK(one.advert_int == 2s);
  CHECK(one.preempt);
  CHECK(one.preempt_delay == 1500ms);
  CHECK(one.mcast_src_ip == core::IpAddress::v4({192, 168, 1, 179}));
  CHECK(one.garp == GarpSettings{1s, 2, 60s, 3, 4s, 6, 0s});
  CHECK(one.authentication == Authentication{AuthType::pass, "1111"});
  REQUIRE(one.notify_master);
  CHECK(one.notify_master->argv == std::vector<std::string>{"/bin/m", "a b", "c"});
  CHECK(one.notify_master->user == "nobody");
  CHECK(one.notify_master->group == "nogroup");
  CHECK(one.notify_backup->argv == std::vector<std::string>{"/bin/b"});
  CHECK(one.notify_fault->argv == std::vector<std::string>{"/bin/f"});
  CHECK(one.notify_stop->argv == std::vector<std::string>{"/bin/s"});
  CHECK(one.notify->argv == std::vector<std::string>{"/bin/n"});
  CHECK(one.debug == 2);
}

TEST_CASE("vrrp_instance: globals count wherever they stand") {
  const std::string globals =
      "global_defs {\nvrrp_garp_master_repeat 7\nvrrp_garp_master_delay 2\nvrrp_garp_interval "
      "0.5\n}\n";

  const Loaded before = load(globals + instance(""));
  const Loaded after = load(instance("") + globals);

  CHECK(before.model == after.model);
  CHECK(after.model.instances[0].garp == GarpSettings{2s, 7, 0s, 1, 2s, 7, 500ms});
}

TEST_CASE("vrrp_instance: address lines with every option") {
  const VrrpInstance one = only(
      "virtual_ipaddress_excluded {\n10.0.0.1/24 dev eth1 label eth1:vip brd 10.0.0.255 scope "
      "link\n"
      "10.0.1.1/24 brd +\n10.0.2.1/20 broadcast -\n}");

  REQUIRE(one.virtual_addresses_excluded.size() == 3);
  const VirtualAddress& first = one.virtual_addresses_excluded[0];
  CHECK(first.prefix == *core::IpPrefix::parse("10.0.0.1/24"));
  CHECK(first.interface == "eth1");
  CHECK(first.label == "eth1:vip");
  CHECK(first.broadcast == core::IpAddress::v4({10, 0, 0, 255}));
  CHECK(first.scope == core::kScopeLink);
  CHECK(one.virtual_addresses_excluded[1].broadcast == core::IpAddress::v4({10, 0, 1, 255}));
  CHECK(one.virtual_addresses_excluded[1].interface == "eth0");
  CHECK(one.virtual_addresses_excluded[2].broadcast == core::IpAddress::v4({10, 0, 0, 0}));
}

TEST_CASE("vrrp_instance: state MASTER cancels nopreempt and preempt_delay, and says so") {
  const VrrpInstance one =
      only("state MASTER\nnopreempt\npreempt_delay 3",
           "9:1 warning: 'nopreempt' does not work with 'state MASTER' and is ignored\n"
           "10:1 warning: 'preempt_delay' does not work with 'state MASTER' and is ignored");
  CHECK(one.preempt);
  CHECK(one.preempt_delay == 0s);
}

TEST_CASE("vrrp_instance: a password of more than 8 bytes is cut, with a warning") {
  const VrrpInstance one = only("authentication {\nauth_type PASS\nauth_pass 123456789\n}",
                                "10:11 warning: the password is longer than 8 bytes and is cut to "
                                "8, as every VRRP version 2 router does");
  CHECK(one.authentication.password == "12345678");
}

TEST_CASE("vrrp_instance: a fraction of a second is rounded, with a warning") {
  CHECK(only("advert_int 0.3",
             "8:12 warning: VRRP version 2 counts whole seconds: 'advert_int' is taken as 1")
            .advert_int == 1s);
  CHECK(only("advert_int 2.5",
             "8:12 warning: VRRP version 2 counts whole seconds: 'advert_int' is taken as 3")
            .advert_int == 3s);
}

TEST_CASE("vrrp_instance: state MASTER without a priority owns the address") {
  const Loaded loaded = load(
      "vrrp_instance A {\nstate MASTER\ninterface eth0\nvirtual_router_id 1\n"
      "virtual_ipaddress {\n10.0.0.1\n}\n}\n");
  REQUIRE(loaded.model.instances.size() == 1);
  CHECK(loaded.model.instances[0].priority == 255);
  CHECK(loaded.diagnostics.warnings() == 0);
  CHECK(loaded.diagnostics.all().size() == 1);
}

// What is said of an instance that rests.
std::string rests(std::string_view reason) {
  return fmt::format(
      "1:15 warning: vrrp_instance 'VI_1' is not started: {}; its addresses stay with the other "
      "director",
      reason);
}
constexpr std::string_view kNoKey =
    "auth_hmac has a key that cannot be used, or none (keys have 32 to 64 bytes, as text, as "
    "hex:DIGITS, or in a file that can be read; active_key is one of them)";

TEST_CASE(
    "vrrp_instance: one that Holdfast cannot run yet is in the model, and said to rest once") {
  const std::pair<std::string_view, std::string_view> words[] = {
      {"auth_hmac {\nmode enforce\n}", kNoKey},
      {"auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 2\n}", kNoKey},
      {"auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\n}\n"
       "authentication {\nauth_type AH\nauth_pass x\n}",
       "auth_hmac and 'auth_type AH' exclude each other, remove one of them"},
  };
  for (const auto& each : words) {
    CAPTURE(each.first);
    CHECK_FALSE(why_not_started(only(each.first, rests(each.second))).empty());
  }
  for (const std::string_view runs :
       {"", "version 3", "unicast_src_ip 10.0.0.1\nunicast_peer {\n10.0.0.2\n}",
        "mcast_dst_ip 224.0.0.99", "authentication {\nauth_type AH\nauth_pass x\n}",
        "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\n}"})
    CHECK(why_not_started(only(runs)).empty());
}

TEST_CASE("vrrp_instance: an IPv6 address makes it IPv6 and version 3, whatever 'version' says") {
  const Loaded six = load(
      "vrrp_instance S {\ninterface eth0\nvirtual_router_id 1\nversion 2\nvirtual_ipaddress "
      "{\nfe80::1\n10.0.0.1\n}\nvirtual_ipaddress_excluded {\n10.0.0.2\n}\n}\n");

  REQUIRE(six.model.instances.size() == 1);
  const VrrpInstance& one = six.model.instances[0];
  CHECK(one.family == core::Family::v6);
  CHECK(one.version == 3);
  CHECK(one.virtual_addresses.size() == 1);
  CHECK(one.virtual_addresses_excluded.size() == 1);
  CHECK(findings(six.diagnostics) ==
        "4:9 warning: VRRP over IPv6 is version 3: it is taken\n"
        "7:1 warning: this address is not held: the instance is IPv6, as its first address is");
}

TEST_CASE("vrrp_instance: without addresses its source or its peers decide the family") {
  const std::string head =
      "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\n"
      "no_virtual_ipaddress\n";
  CHECK(load(head + "mcast_src_ip fe80::1\n}").model.instances.at(0).family == core::Family::v6);
  CHECK(load(head + "unicast_peer {\nfe80::1\n}\n}").model.instances.at(0).family ==
        core::Family::v6);
  CHECK(load(head + "}").model.instances.at(0).family == core::Family::v4);
}

TEST_CASE("vrrp_instance: source and peers of the other family are left out, with a warning") {
  const VrrpInstance one =
      only("mcast_src_ip fe80::1\nunicast_peer {\nfe80::2\n10.0.0.2\n}",
           "8:14 warning: this source address is left out: the instance is IPv4"
           "\n10:1 warning: the peer fe80::2 is left out: the instance is IPv4");
  CHECK_FALSE(one.mcast_src_ip);
  REQUIRE(one.unicast_peers.size() == 1);
  CHECK(one.unicast_peers[0].address == core::IpAddress::v4({10, 0, 0, 2}));
}

TEST_CASE("vrrp_instance: version 3 counts in hundredths of a second up to 40.95") {
  CHECK(only("version 3\nadvert_int 0.25").advert_int == 250ms);
  CHECK(only("version 3\nadvert_int 0.015",
             "9:12 warning: VRRP version 3 counts in steps of 0.01 up to 40.95 seconds: "
             "'advert_int' is taken as 0.02")
            .advert_int == 20ms);
  CHECK(only("version 3\nadvert_int 41",
             "9:12 warning: VRRP version 3 counts in steps of 0.01 up to 40.95 seconds: "
             "'advert_int' is taken as 40.95")
            .advert_int == 40950ms);
}

TEST_CASE("vrrp_instance: version 3 has no passwords") {
  CHECK(only("version 3\nauthentication {\nauth_type PASS\nauth_pass 1111\n}",
             "9:1 warning: VRRP version 3 has no passwords: adverts go without "
             "authentication, as in keepalived")
            .authentication == Authentication{});
}

TEST_CASE("vrrp_instance: nopreempt cancels preempt_delay, and says so") {
  const VrrpInstance one =
      only("nopreempt\npreempt_delay 3",
           "9:1 warning: 'preempt_delay' does not work with 'nopreempt' and is ignored");
  CHECK_FALSE(one.preempt);
  CHECK(one.preempt_delay == 0s);
}

TEST_CASE("vrrp_instance: what strict mode forbids is taken out, as in keepalived") {
  const VrrpInstance one = only(
      "strict_mode\naccept\nstate MASTER\npreempt_delay 3\nauthentication {\nauth_type "
      "PASS\nauth_pass "
      "x\n}",
      "1:1 warning: under strict mode what is sent to the addresses of vrrp_instance 'VI_1' is "
      "dropped, pings too, because its priority is not 255\n"
      "10:1 warning: strict mode takes 'state MASTER' with a priority below 255 for BACKUP\n"
      "11:1 warning: 'preempt_delay' does not work in strict mode and is ignored\n"
      "12:1 warning: strict mode has no passwords: adverts go without authentication, as in "
      "keepalived");
  CHECK(one.strict);
  CHECK(one.state == InitialState::backup);
  CHECK(one.preempt_delay == 0s);
  CHECK(one.authentication == Authentication{});
  CHECK(one.lower_prio_no_advert);
  CHECK(one.garp.lower_prio_repeat == 0);

  const Loaded exempt = load("global_defs {\nvrrp_strict\n}\n" + instance("strict_mode off"));
  CHECK_FALSE(exempt.model.instances.at(0).strict);
  CHECK(load("global_defs {\nvrrp_strict\n}\n" + instance("")).model.instances.at(0).strict);
}

TEST_CASE("vrrp_instance: auth_type AH cannot start as master") {
  CHECK(only("state MASTER\nauthentication {\nauth_type AH\nauth_pass x\n}",
             "8:1 warning: 'state MASTER' does not work with 'auth_type AH': BACKUP is taken")
            .state == InitialState::backup);
}

TEST_CASE(
    "vrrp_instance: every default that global_defs can give is inherited, and can be undone") {
  const std::string globals =
      "global_defs {\nvrrp_version 3\nvrrp_check_unicast_src\nvrrp_skip_check_adv_addr\n"
      "vrrp_higher_prio_send_advert\nvrrp_lower_prio_no_advert\nvrrp_owner_ignore_adverts\n"
      "v3_checksum_as_v2\nvrrp_down_timer_adverts 4\ndefault_interface eth9\n}\n";

  const Loaded inherited = load(
      "vrrp_instance A {\nvirtual_router_id 1\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n" + globals);
  REQUIRE(inherited.model.instances.size() == 1);
  const VrrpInstance& one = inherited.model.instances[0];
  CHECK(one.interface == "eth9");
  CHECK(one.version == 3);
  CHECK(one.check_unicast_src);
  CHECK(one.skip_check_adv_addr);
  CHECK(one.higher_prio_send_advert);
  CHECK(one.lower_prio_no_advert);
  CHECK(one.owner_ignore_adverts);
  CHECK(one.v3_checksum_as_v2);
  CHECK(one.down_timer_adverts == 4);

  const Loaded undone = load(
      globals + instance("version 2\ncheck_unicast_src no\nskip_check_adv_addr false\n"
                         "higher_prio_send_advert off\nlower_prio_no_advert no\n"
                         "owner_ignore_adverts no\nv3_checksum_as_v2 no\ndown_timer_adverts 3"));
  REQUIRE(undone.model.instances.size() == 1);
  CHECK(undone.model.instances[0] == only(""));
}

TEST_CASE("vrrp_instance: unicast peers with their TTL windows") {
  const VrrpInstance one = only(
      "unicast_ttl 64\nunicast_peer {\n10.0.0.2 min_ttl 63 max_ttl 64\n10.0.0.3 10.0.0.4 max_ttl "
      "1\n"
      "10.0.0.2\n}",
      "12:1 warning: the peer 10.0.0.2 is given twice");
  REQUIRE(one.unicast_peers.size() == 3);
  CHECK(one.unicast);
  CHECK(one.unicast_ttl == 64);
  CHECK(one.unicast_peers[0].min_ttl == 63);
  CHECK(one.unicast_peers[0].max_ttl == 64);
  CHECK_FALSE(one.unicast_peers[1].max_ttl);
  CHECK(one.unicast_peers[2].max_ttl == 1);
}

TEST_CASE("vrrp_instance: peers that cannot be read do not turn unicast into multicast") {
  const Loaded loaded = load(instance("unicast_peer {\nOTHER_DIRECTOR\n}"));
  REQUIRE(loaded.model.instances.size() == 1);
  CHECK(loaded.model.instances[0].unicast_peers.empty());
  CHECK(loaded.model.instances[0].unicast);
  CHECK(loaded.model.instances[0].unicast_fault_no_peer);
  CHECK(render_text(loaded.diagnostics).find("none of the peers can be read") != std::string::npos);
}

TEST_CASE("vrrp_instance: unicast words without a peer mean multicast, unless asked otherwise") {
  CHECK_FALSE(only("unicast_src_ip 10.0.0.1").unicast);
  CHECK_FALSE(only("unicast_peer {\n}",
                   "8:1 warning: no peer is listed: the adverts go by multicast, as in keepalived")
                  .unicast);
  CHECK(only("unicast_src_ip 10.0.0.1\nunicast_fault_no_peer").unicast);
  CHECK_FALSE(only("unicast_fault_no_peer").unicast);
}

TEST_CASE(
    "vrrp_instance: a group that is no multicast address is refused, the standard one counts") {
  CHECK_FALSE(only("mcast_dst_ip 10.0.0.9",
                   "8:14 warning: 'mcast_dst_ip' must be a multicast address, not '10.0.0.9': the "
                   "default counts")
                  .mcast_dst_ip);
  const Loaded loaded = load(
      "global_defs {\nvrrp_mcast_group4 10.0.0.9\nvrrp_mcast_group6 fe80::9\n}\n" + instance(""));
  CHECK(without_notes(loaded.diagnostics) ==
        "2:19 warning: 'vrrp_mcast_group4' must be a multicast address, not '10.0.0.9': the "
        "default counts\n"
        "3:19 warning: 'vrrp_mcast_group6' must be a multicast address, not 'fe80::9': the "
        "default counts");
  CHECK(loaded.model.globals == Globals());
  CHECK_FALSE(loaded.model.instances.at(0).mcast_dst_ip);
}

TEST_CASE("vrrp_instance: IPv6 peers with global addresses need a source, or each hears nobody") {
  const auto reason = [](const std::string& words) {
    const Loaded loaded = load("vrrp_instance S {\ninterface eth0\nvirtual_router_id 1\n" + words +
                               "\nvirtual_ipaddress {\nfe80::1\n}\n}\n");
    return why_not_started(loaded.model.instances.at(0));
  };
  CHECK(reason("unicast_peer {\nfe80::2\n2001:db8::2\n}") ==
        "add 'unicast_src_ip ADDRESS', the address of this host that its peers list, or adverts "
        "come from the link-local one and every director is master");
  CHECK(reason("unicast_peer {\nfe80::2\n}").empty());
  CHECK(reason("unicast_src_ip 2001:db8::1\nunicast_peer {\n2001:db8::2\n}").empty());
}

TEST_CASE(
    "vrrp_instance: another multicast group of global_defs is inherited, its own counts before "
    "it") {
  const std::string globals = "global_defs {\nvrrp_mcast_group4 224.0.0.99\n}\n";
  const core::IpAddress other = core::IpAddress::v4({224, 0, 0, 99});
  const auto instance_of = [](const std::string& text) { return load(text).model.instances.at(0); };

  CHECK(instance_of(globals + instance("")).mcast_dst_ip == other);
  const VrrpInstance back = instance_of(globals + instance("mcast_dst_ip 224.0.0.18"));
  CHECK_FALSE(back.mcast_dst_ip);
  CHECK_FALSE(
      only("mcast_dst_ip ff02::99", "8:14 warning: this group is left out: the instance is IPv4")
          .mcast_dst_ip);
}

TEST_CASE("vrrp_instance: with unicast peers it needs no interface") {
  const std::string head = "vrrp_instance A {\nvirtual_router_id 1\nno_virtual_ipaddress\n";
  const Loaded with = load(head + "unicast_peer {\n10.0.0.2\n}\n}\n");
  CHECK_FALSE(with.diagnostics.has_errors());
  CHECK(with.model.instances.size() == 1);
  CHECK(load(head + "unicast_peer {\n}\n}\n").diagnostics.errors() == 1);
  CHECK(why_not_started(with.model.instances[0]).empty());
  // A link-local address means nothing without its link.
  CHECK(load(head + "unicast_peer {\nfe80::2\n}\n}\n").diagnostics.errors() == 1);
  // The route gives a source that the peers can list.
  const Loaded six = load(head + "unicast_peer {\n2001:db8::2\n}\n}\n");
  CHECK(why_not_started(six.model.instances.at(0)).empty());
}

TEST_CASE("vrrp_instance: without an interface its addresses have their own, or the usual one") {
  const std::string block =
      "vrrp_instance A {\nvirtual_router_id 1\nunicast_peer {\n10.0.0.2\n}\n"
      "virtual_ipaddress {\n10.1.0.1 dev lo\n10.1.0.2\n}\n";
  const Loaded guessed = load(block + "}\n");
  const auto& instance = guessed.model.instances.at(0);
  CHECK(instance.virtual_addresses[0].interface == "lo");
  CHECK(instance.virtual_addresses.size() == 1);
  CHECK(without_notes(guessed.diagnostics) ==
        "8:1 warning: vrrp_instance 'A' has no 'interface', and 10.1.0.2 no 'dev': it is left out");

  // keepalived: default_interface is for addresses only.
  const Loaded usual = load("global_defs {\ndefault_interface eth7\n}\n" + block + "}\n");
  CHECK(usual.model.instances.at(0).interface.empty());
  CHECK(usual.model.instances[0].virtual_addresses[1].interface == "eth7");
  CHECK(without_notes(usual.diagnostics).empty());

  const Loaded device = load(block + "use_vmac\n}\n");
  CHECK_FALSE(device.model.instances.at(0).vmac);
}

TEST_CASE("vrrp_instance: use_vmac with all its words, in keepalived's spellings") {
  const std::string says =
      "8:33 warning: 'netlink_notify_msg' has no effect: the kernel itself tells whoever listens "
      "of the virtual interface";
  CHECK(only("use_vmac").vmac == Rare<Vmac>(Vmac{}));
  const VrrpInstance bare =
      only("use_vmac vrrp.51 00:01:02:03:04 netlink_notify_msg group 7", says);
  REQUIRE(bare.vmac);
  CHECK(bare.vmac->name == "vrrp.51");
  CHECK(bare.vmac->mac->to_string() == "00:01:02:03:04:33");
  CHECK(bare.vmac->netlink_notify_msg);
  CHECK(bare.vmac->group == "7");
  CHECK(only("use_vmac name group").vmac->name == "group");

  const VrrpInstance ipvlan = only("use_ipvlan ipv1 10.0.0.9/30 private");
  REQUIRE(ipvlan.vmac);
  CHECK(ipvlan.vmac->kind == Vmac::Kind::ipvlan);
  CHECK(ipvlan.vmac->name == "ipv1");
  CHECK(ipvlan.vmac->source == core::IpPrefix::parse("10.0.0.9/30"));
  CHECK(ipvlan.vmac->mode == Vmac::IpvlanMode::private_);
  CHECK(findings(load(instance("use_vmac one two")).diagnostics).find("'two' is no option of") !=
        std::string::npos);
}

TEST_CASE("vrrp_instance: auth_hmac with all its words") {
  const VrrpInstance one = only(
      "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nkey 2 file:/no/such/key\n"
      "key 3 hex:00\nkey 4 file:/dev/zero\nkey 5 hex:0g\n"
      "active_key 2\ntime_window 10\nanti_replay monotonic\nmode receive-only\n}",
      rests(kNoKey) +
          "\n10:7 warning: key 2: cannot read /no/such/key: No such file or directory"
          "\n11:7 warning: key 3: it has 1 bytes, keys have 32 to 64"
          "\n12:7 warning: key 4: /dev/zero is no ordinary file"
          "\n13:7 warning: key 5: behind hex: stand pairs of the digits 0-9 and a-f");
  REQUIRE(one.auth_hmac);
  CHECK(one.auth_hmac->keys.size() == 5);
  CHECK(one.auth_hmac->active_key == 2);
  CHECK(one.auth_hmac->time_window == 10s);
  CHECK(one.auth_hmac->anti_replay == AuthHmac::AntiReplay::monotonic);
  CHECK(one.auth_hmac->mode == AuthHmac::Mode::receive_only);
}

TEST_CASE("vrrp_instance: keys of auth_hmac as text, as digits, and of both kinds in a file") {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / fmt::format("holdfast-key-{}", ::getpid());
  const auto bytes = [](std::string value) {
    const auto known = bytes_of(AuthHmac::Key{7, std::move(value)});
    return known ? std::string(known->bytes.begin(), known->bytes.end()) : known.error().message;
  };
  const auto kept = [&](std::string_view text) {
    std::ofstream(file) << text;
    return bytes("file:" + file.string());
  };
  const std::string text(32, 'k');
  std::string digits;
  for (int i = 0; i < 32; ++i) digits += i % 2 == 0 ? "6b" : "6B";

  CHECK(bytes(text) == text);
  CHECK(bytes("hex:" + digits) == text);
  CHECK(kept(text + "\n") == text);
  CHECK(kept("hex:" + digits + "\r\n") == text);
  CHECK(kept("") == "key 7: it has 0 bytes, keys have 32 to 64");
  CHECK(kept(std::string(300, 'k')).find("longer than a key can be") != std::string::npos);
  CHECK(bytes(std::string(65, 'k')) == "key 7: it has 65 bytes, keys have 32 to 64");
  CHECK(bytes("file:" + file.parent_path().string()).find("no ordinary file") != std::string::npos);
  std::filesystem::remove(file);
}

TEST_CASE("vrrp_instance: more addresses than an advert has room for are held all the same") {
  std::string lines = "virtual_ipaddress {\n";
  for (int i = 0; i < 256; ++i) lines += fmt::format("10.1.{}.{}\n", i / 250, i % 250 + 1);

  const Loaded loaded = load(instance(lines + "}"));

  REQUIRE(loaded.model.instances.size() == 1);
  CHECK(loaded.model.instances[0].virtual_addresses.size() == 255);
  CHECK(loaded.model.instances[0].virtual_addresses_excluded.size() == 2);
  CHECK(loaded.diagnostics.warnings() == 1);
}

TEST_CASE("vrrp_instance: every word is written, and read again gives the same instance") {
  const char* many[] = {
      "",
      "state MASTER\npriority 255\nversion 3\nadvert_int 0.5",
      "nopreempt\nstrict_mode\nno_accept\ndown_timer_adverts 3\nskip_check_adv_addr",
      "unicast_peer {\n10.0.0.2 min_ttl 3\n10.0.0.3\n}\nunicast_src_ip 10.0.0.1\nunicast_ttl 9\n"
      "check_unicast_src\ntrack_src_ip\nmcast_dst_ip 224.0.0.99\nv3_checksum_as_v2",
      "use_vmac vrrp.7 00:01:02:03:04:05 netlink_notify_msg group "
      "7\nuse_vmac_addr\nvmac_xmit_base\n"
      "vrf red\npromote_secondaries\naccept\ndont_track_primary",
      "use_ipvlan name group 10.0.0.3 vepa\nowner_ignore_adverts\nlower_prio_no_advert\n"
      "higher_prio_send_advert\npreempt_delay 1.5\nunicast_fault_no_peer\nunicast_ttl 3",
      "auth_hmac {\nkey 1 \"0123456789 bcdef0123456789abcdef\"\nactive_key 1\ntime_window 2.5\n"
      "anti_replay monotonic\nmode permissive\n}",
      "authentication {\nauth_type PASS\nauth_pass \"a b\"\n}\ngarp_master_delay 1\n"
      "garp_master_repeat 2\ngarp_master_refresh 3\ngarp_master_refresh_repeat 4\n"
      "garp_lower_prio_delay 6\ngarp_lower_prio_repeat 7\nsmtp_alert\ndebug 3\n"
      "lvs_sync_daemon_interface eth3\nnotify_priority_changes",
      "mcast_dst_ip 224.0.0.18",
      "notify_master \"/bin/m 'a b' c\" u g\nnotify_backup /b\nnotify_fault /f\nnotify_stop /s\n"
      "notify_deleted /d\nnotify_master_rx_lower_pri /l\nnotify /n",
      "virtual_ipaddress_excluded {\n2001:db8::1/64\n10.0.0.7/24 dev eth5 label eth5:x\n}\n"
      "virtual_routes {\n10.9.0.0/16 via 10.0.0.1\n}\nvirtual_rules {\nfrom 10.9.0.0/16 table 5\n}",
  };
  const std::string globals =
      "global_defs {\nvrrp_strict\nvrrp_mcast_group4 224.0.0.77\nvrrp_down_timer_adverts 5\n"
      "vrrp_garp_master_delay 9\nsmtp_alert\n}\n";
  for (const std::string& before : {std::string(), globals}) {
    for (const char* words : many) {
      CAPTURE(words);
      const Loaded first = load(before + instance(words));
      REQUIRE(first.model.instances.size() == 1);
      CHECK_MESSAGE(!first.diagnostics.has_errors(), render_text(first.diagnostics));
      for (const Detail detail : {Detail::changed, Detail::all}) {
        const Document written = {
            document_of(first.model.instances[0], first.model.globals, detail)};
        const std::string text = print_keepalived(written);
        CAPTURE(text);
        const Loaded again = load(before + text);
        CHECK_MESSAGE(!again.diagnostics.has_errors(), render_text(again.diagnostics));
        REQUIRE(again.model.instances.size() == 1);
        CHECK(again.model.instances[0] == first.model.instances[0]);
      }
    }
  }
}

TEST_CASE("vrrp_instance: what is a default, or follows from another word, is not written") {
  const auto words_of = [](const std::string& text) {
    const Loaded loaded = load(text);
    REQUIRE(loaded.model.instances.size() == 1);
    const Node written =
        document_of(loaded.model.instances[0], loaded.model.globals, Detail::changed);
    std::string words;
    for (const Node& each : written.body) {
      words += fmt::format("{}{}", words.empty() ? "" : " ", Schema::instance()[each.keyword].name);
      for (const Node& entry : each.body) words += fmt::format("({})", fmt::join(entry.args, " "));
    }
    return words;
  };
  const std::string end = "virtual_router_id 1\nvirtual_ipaddress {\n10.0.0.1 dev eth0\n}\n}\n";
  const std::string block = "vrrp_instance A {\ninterface eth0\n" + end;

  CHECK(words_of(block) == "interface virtual_router_id virtual_ipaddress(10.0.0.1)");
  CHECK(words_of("vrrp_instance A {\nstate MASTER\ninterface eth0\n" + end) ==
        "state interface virtual_router_id virtual_ipaddress(10.0.0.1)");
  CHECK(words_of("global_defs {\nvrrp_strict\ndefault_interface eth0\nvrrp_version 3\nsmtp_alert\n"
                 "vrrp_garp_master_delay 1\n}\nvrrp_instance A {\n" +
                 end) == "virtual_router_id virtual_ipaddress(10.0.0.1)");
}

TEST_CASE("vrrp_instance: vrf is the place of adverts to peers that have no interface") {
  const std::string peers = "unicast_src_ip 10.0.0.1\nunicast_peer {\n10.0.0.2\n}\n";
  const Loaded routed = load("vrrp_instance VI_1 {\nvirtual_router_id 51\nvrf red\n" + peers +
                             "virtual_ipaddress {\n10.0.0.9 dev eth0\n}\n}\n");
  CHECK(routed.diagnostics.warnings() == 0);
  CHECK(routed.model.instances.at(0).place() == "red");

  const Loaded both = load(instance("vrf red\n" + peers));
  CHECK(both.diagnostics.hints() == 1);
  CHECK(both.model.instances.at(0).place() == both.model.instances.at(0).interface);

  const Loaded neither = load("vrrp_instance VI_1 {\nvirtual_router_id 51\nvrf red\n}\n");
  CHECK(neither.diagnostics.hints() == 0);
  CHECK(neither.diagnostics.errors() == 1);
}
