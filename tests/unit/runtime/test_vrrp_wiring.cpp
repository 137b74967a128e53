#include "config/load.hpp"
#include "vrrp/device_wiring.hpp"
#include "vrrp/wiring.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <filesystem>
#include <fstream>
#include <set>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace std::chrono_literals;

namespace {

Wiring wiring_of_text(const std::string& text) {
  const config::Loaded loaded = config::load_text(text, "test.conf");
  INFO(config::render_text(loaded.diagnostics));
  REQUIRE_FALSE(loaded.diagnostics.has_errors());
  return wiring_of(loaded.model);
}

const std::string kInstance = R"(
vrrp_instance VI_1 {
  state MASTER
  interface eth0
  virtual_router_id 51
  priority 150
  advert_int 2
  authentication {
    auth_type PASS
    auth_pass 1111
  }
  notify_master "/bin/true one two"
  notify_fault /bin/false
  notify /bin/echo
  virtual_ipaddress {
    192.168.1.200 dev eth1 label eth1:vip
    10.0.0.1/24 no_track
  }
}
)";

}  // namespace

TEST_CASE("wiring: what the file says is what the core gets") {
  const Wiring wiring = wiring_of_text(kInstance);

  REQUIRE(wiring.instances.size() == 1);
  const InstanceSettings& settings = wiring.instances[0];
  CHECK(settings.name == "VI_1");
  CHECK(settings.interface == "eth0");
  CHECK(settings.vrid == 51);
  CHECK(settings.priority == 150);
  CHECK(settings.initial_state == InitialState::master);
  CHECK(settings.advert_interval == 2s);
  CHECK(settings.authentication == Authentication::password("1111"));
  REQUIRE(settings.addresses.size() == 2);
  CHECK(settings.addresses[0].prefix == *core::IpPrefix::parse("192.168.1.200"));
  CHECK(settings.addresses[0].interface == "eth1");
  CHECK(settings.addresses[0].label == "eth1:vip");
  CHECK(settings.addresses[1].prefix.length == 24);
  CHECK(settings.addresses[1].no_track);
  CHECK_FALSE(settings.addresses[0].no_track);
  CHECK(settings.garp.repeat == 5);
  CHECK(settings.garp.delay == 5s);
}

TEST_CASE("wiring: a line of track_script has the script's weight unless it gives its own") {
  const Wiring wiring = wiring_of_text(R"(
vrrp_script one {
  script "/bin/check one"
  weight -5 reverse
}
vrrp_script two {
  script "</run/flag"
  interval 4
  timeout 2
  rise 3
  fall 2
  init_fail
}
vrrp_script nobodys {
  script /bin/true
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  virtual_ipaddress {
    192.168.1.200
  }
  track_interface {
    eth0
    eth1 weight 7
    eth2
  }
  track_script {
    one
    two weight 9 reverse
  }
}
vrrp_instance VI_2 {
  interface eth0
  virtual_router_id 52
  virtual_ipaddress {
    192.168.1.201
  }
  track_script {
    one weight 0 noreverse
  }
}
)");

  const TrackerId one{TrackerKind::script, "one"};
  CHECK(wiring.instances.at(0).trackers ==
        std::vector<Tracker>{{{TrackerKind::interface, "eth1"}, 7, Reverse::no},
                             {{TrackerKind::interface, "eth2"}, 0, Reverse::no},
                             {one, -5, Reverse::yes},
                             {{TrackerKind::script, "two"}, 9, Reverse::yes}});
  CHECK(wiring.instances.at(1).trackers == std::vector<Tracker>{{one, 0, Reverse::no}});
  REQUIRE(wiring.checks.size() == 2);  // nobody tracks the third
  CHECK(wiring.checks[0].command.argv == std::vector<std::string>{"/bin/check", "one"});
  CHECK(wiring.checks[0].command.limit == 1s);  // the interval
  CHECK(wiring.checks[1].command.argv == std::vector<std::string>{"test", "-r", "/run/flag"});
  CHECK(wiring.checks[1].command.limit == 2s);
  CHECK(wiring.checks[1].interval == 4s);
  CHECK(wiring.checks[1].rise == 3);
  CHECK(wiring.checks[1].fall == 2);
  CHECK(wiring.checks[1].init_fail);
}

TEST_CASE("wiring: links settle no longer than the peers of an instance wait (keepalived)") {
  const Wiring wiring = wiring_of_text(R"(
global_defs {
  vrrp_startup_delay 2.5
}
interface_up_down_delays {
  eth0 60 1
  eth1 60 0.5
  eth2 3
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  virtual_ipaddress {
    192.168.1.200
  }
  track_interface {
    eth1
  }
}
)");

  CHECK(wiring.startup_delay == 2500ms);
  CHECK(wiring.link_delays ==
        std::map<std::string, LinkDelay>{{"eth0", {.down = 2s, .up = 1s}},
                                         {"eth1", {.down = 60s, .up = 500ms}}});
}

TEST_CASE("wiring: files and processes that instances track reach their trackers") {
  const Wiring wiring = wiring_of_text(R"(
vrrp_track_file load {
  file /run/load
  weight 2 reverse
  init_file 7 overwrite
}
track_file nobodys {
  file /run/nobodys
}
vrrp_track_process web {
  process web
  weight 20
}
vrrp_track_process proxy {
  process /usr/sbin/proxy -f /etc/
  param_match initial
  quorum 2
  quorum_max 4
  delay 1.5
  fork_delay 0.5
}
vrrp_track_process exact {
  process "a b" "c d"
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  virtual_ipaddress {
    192.168.1.200
  }
  track_file {
    load
  }
  track_process {
    web weight -254
    proxy
    exact
  }
}
)");

  CHECK(wiring.instances.at(0).trackers ==
        std::vector<Tracker>{{{TrackerKind::file, "load"}, 2, Reverse::yes},
                             {{TrackerKind::process, "web"}, -254, Reverse::no},
                             {{TrackerKind::process, "proxy"}, 0, Reverse::no},
                             {{TrackerKind::process, "exact"}, 0, Reverse::no}});
  const core::FileBeginning beginning{.number = 7, .overwrites = true};
  CHECK(wiring.files == std::vector<core::TrackedFile>{{"load", "/run/load", beginning}});
  REQUIRE(wiring.processes.size() == 3);
  CHECK(wiring.processes[0].program == "web");
  CHECK(wiring.processes[0].match == ParameterMatch::any);
  CHECK_FALSE(wiring.processes[0].by_command_line);
  const ProcessCheck& proxy = wiring.processes[1];
  CHECK(proxy.parameters == std::vector<std::string>{"-f", "/etc/"});
  CHECK(proxy.match == ParameterMatch::last_may_be_longer);
  CHECK(proxy.by_command_line);
  CHECK(proxy.quorum == 2);
  CHECK(proxy.quorum_max == 4U);
  CHECK(proxy.fork_delay == 500ms);
  CHECK(proxy.terminate_delay == 1500ms);
  CHECK(wiring.processes[2].program == "a b");
  CHECK(wiring.processes[2].match == ParameterMatch::equal);
}

TEST_CASE("wiring: notify_<state> comes first, then notify with keepalived's four arguments") {
  const Wiring wiring = wiring_of_text(kInstance);
  const InstanceScripts& scripts = wiring.scripts.at(wiring.instances.at(0).key());

  const auto master = commands_for(scripts, "VI_1", NotifyState::master, 150);
  REQUIRE(master.size() == 2);
  CHECK(master[0].argv == std::vector<std::string>{"/bin/true", "one", "two"});
  CHECK(master[1].argv ==
        std::vector<std::string>{"/bin/echo", "INSTANCE", "VI_1", "MASTER", "150"});

  const auto deleted = commands_for(scripts, "VI_1", NotifyState::deleted, 150);
  REQUIRE(deleted.size() == 1);  // keepalived: notify_fault is not run
  CHECK(deleted[0].argv[3] == "FAULT");
  CHECK(commands_for(scripts, "VI_1", NotifyState::backup, 150).size() == 1);
  CHECK(commands_for(scripts, "VI_1", NotifyState::master_rx_lower_pri, 150).empty());
}

TEST_CASE("wiring: the finer words of an election reach the core") {
  const std::string head =
      "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\n"
      "virtual_ipaddress {\n10.0.0.1\n}\n";
  CHECK(wiring_of_text(head + "}\n").instances.at(0).lower_priority_answer ==
        LowerPriorityAnswer::advert_and_announce);

  const Wiring wiring =
      wiring_of_text(head +
                     "down_timer_adverts 5\nlower_prio_no_advert\nhigher_prio_send_advert\n"
                     "owner_ignore_adverts\nnotify_deleted /bin/deleted\nnotify_fault /bin/fault\n"
                     "notify /bin/any\n"
                     "notify_master_rx_lower_pri /bin/lower\n}\n");

  const InstanceSettings& settings = wiring.instances.at(0);
  CHECK(settings.down_timer_adverts == 5);
  CHECK(settings.lower_priority_answer == LowerPriorityAnswer::announce_only);
  CHECK(settings.higher_priority_send_advert);
  CHECK(settings.owner_receive == OwnerReceive::discard);
  const InstanceScripts& scripts = wiring.scripts.at(wiring.instances.at(0).key());
  CHECK(scripts.by_state.at(NotifyState::deleted).argv == std::vector<std::string>{"/bin/deleted"});
  CHECK(commands_for(scripts, "VI_1", NotifyState::deleted, 100).at(1).argv.at(3) == "DELETED");
  CHECK(scripts.by_state.at(NotifyState::master_rx_lower_pri).argv ==
        std::vector<std::string>{"/bin/lower"});
}

TEST_CASE("wiring: an instance that cannot be run yet is left out, the others are not") {
  const auto named = [](std::string_view name, int vrid, std::string_view extra) {
    return "vrrp_instance " + std::string(name) + " {\ninterface eth0\nvirtual_router_id " +
           std::to_string(vrid) + "\nvirtual_ipaddress {\n10.0.0." + std::to_string(vrid) +
           "\n}\n" + std::string(extra) + "}\n";
  };

  const Wiring wiring = wiring_of_text(named("A", 1, "auth_hmac {\nkey 1 short\n}\n") +
                                       named("B", 2, "") + named("C", 3, "auth_hmac {\n}\n"));

  REQUIRE(wiring.instances.size() == 1);
  CHECK(wiring.instances[0].name == "B");
}

TEST_CASE("wiring: an authentication header and auth_hmac reach the core") {
  const auto only = [](const std::string& extra) {
    const Wiring wiring = wiring_of_text(
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nadvert_int 2\n"
        "virtual_ipaddress {\n10.0.0.1\n}\n" +
        extra + "\n}\n");
    REQUIRE(wiring.instances.size() == 1);
    return wiring.instances[0];
  };
  const std::string keys =
      "key 3 0123456789abcdef0123456789abcdef\n"
      "key 4 hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

  CHECK(only("authentication {\nauth_type AH\nauth_pass horse\n}").authentication ==
        Authentication::header("horse"));
  CHECK_FALSE(only("").signing);

  const InstanceSettings plain = only("auth_hmac {\n" + keys + "}");
  REQUIRE(plain.signing);
  CHECK(plain.signing->active_key == 3);
  CHECK(plain.signing->keys.at(0).bytes.at(0) == '0');
  CHECK(plain.signing->key(4)->bytes.at(31) == 0x1f);
  CHECK(plain.signing->window == 6s);  // three intervals
  CHECK(plain.signing->anti_replay == AntiReplay::time);
  CHECK(plain.signing->mode == SigningMode::enforce);

  const InstanceSettings all =
      only("auth_hmac {\n" + keys +
           "active_key 4\ntime_window 90\nanti_replay monotonic\nmode receive-only\n}");
  REQUIRE(all.signing);
  CHECK(all.signing->active_key == 4);
  CHECK(all.signing->window == 90s);
  CHECK(all.signing->anti_replay == AntiReplay::monotonic);
  CHECK(all.signing->mode == SigningMode::receive_only);
}

TEST_CASE("wiring: version, family, group, peers and checksum reach the core") {
  const auto only = [](std::string_view words, std::string_view address = "10.0.0.1") {
    const Wiring wiring = wiring_of_text(
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\n" + std::string(words) +
        "\nvirtual_ipaddress {\n" + std::string(address) + "\n}\n}\n");
    REQUIRE(wiring.instances.size() == 1);
    return wiring.instances[0];
  };
  const auto ip = [](std::string_view text) { return *core::IpAddress::parse(text); };

  CHECK(only("version 3\nadvert_int 0.01").version == 3);
  CHECK(only("version 3\nadvert_int 0.01").advert_interval == 10ms);
  CHECK(only("version 3\nv3_checksum_as_v2").checksum == ChecksumChoice::without_pseudo_header);
  CHECK(only("").version == 2);
  CHECK(only("").checksum == ChecksumChoice::as_peer);
  CHECK(only("mcast_dst_ip 224.0.0.99").key().channel == ip("224.0.0.99"));
  CHECK(only("").primary_tracking == PrimaryTracking::yes);
  CHECK(only("dont_track_primary\ntrack_interface {\neth0 weight 5\n}").primary_tracking ==
        PrimaryTracking::no);
  CHECK(only("dont_track_primary\ntrack_interface {\neth0 weight 5\n}").trackers.size() == 1);
  CHECK(only("").address_list_check == AddressListCheck::every_advert);
  CHECK(only("skip_check_adv_addr").address_list_check == AddressListCheck::new_sender);
  CHECK(only("").source_tracking == SourceTracking::no);
  CHECK(only("mcast_src_ip 10.0.0.2\ntrack_src_ip").source_tracking == SourceTracking::yes);

  const InstanceSettings six = only("", "fe80::1");
  CHECK(six.family == core::Family::v6);
  CHECK(six.version == 3);
  CHECK(six.key().channel == ip("ff02::12"));
  CHECK(only("v3_checksum_as_v2", "fe80::1").checksum == ChecksumChoice::as_peer);

  const InstanceSettings peers = only(
      "unicast_src_ip 10.0.0.2\nunicast_ttl 9\ncheck_unicast_src\n"
      "unicast_peer {\n10.0.0.3\n10.0.0.4 min_ttl 2 max_ttl 5\n}");
  REQUIRE(peers.unicast);
  CHECK(*peers.unicast == Unicast{.peers = {{ip("10.0.0.3"), 0, 255}, {ip("10.0.0.4"), 2, 5}},
                                  .hop_limit = 9,
                                  .senders = Senders::listed});
  CHECK(peers.key().channel == ip("10.0.0.2"));
  CHECK(only("unicast_peer {\n10.0.0.3\n}").key().channel.is_unspecified());
  CHECK_FALSE(only("unicast_src_ip 10.0.0.2").unicast);
}

TEST_CASE("wiring: two instances with one key do not get past the reader") {
  const auto named = [](const std::string& name, const std::string& words) {
    return "vrrp_instance " + name + " {\ninterface eth0\nvirtual_router_id 1\n" + words +
           "\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n";
  };
  const std::string rests = "auth_hmac {\nkey 1 short\n}";
  const std::pair<std::string, std::string> pairs[] = {
      {rests, "unicast_src_ip 10.0.0.2\nunicast_peer {\n10.0.0.3\n}"},
      {"unicast_peer {\nOTHER\n}", "unicast_peer {\n10.0.0.3\n}"},
      {"unicast_src_ip 0.0.0.0\nunicast_peer {\n10.0.0.4\n}", "unicast_peer {\n10.0.0.3\n}"},
      {"unicast_src_ip 224.0.0.18\nunicast_peer {\n10.0.0.4\n}", ""},
      {"", "mcast_dst_ip 10.0.0.2"},
      {"unicast_src_ip 10.0.0.2\nunicast_peer {\n10.0.0.3\n}", "mcast_dst_ip 10.0.0.2"},
      {rests, ""},
  };
  for (const auto& pair : pairs) {
    const auto text = named("A", pair.first) + named("B", pair.second);
    const config::Loaded loaded = config::load_text(text, "test.conf");
    std::set<core::RouterKey> keys;
    const Wiring wiring = wiring_of(loaded.model);
    for (const InstanceSettings& each : wiring.instances) {
      INFO(text);
      CHECK(keys.insert(each.key()).second);
    }
  }
}

TEST_CASE("wiring: a member that is not started leaves its whole sync group out") {
  const auto named = [](const std::string& name, int number, const std::string& words) {
    return "vrrp_instance " + name + " {\ninterface eth0\nvirtual_router_id " +
           std::to_string(number) + "\n" + words + "\nvirtual_ipaddress {\n10.0.0." +
           std::to_string(number) + "\n}\n}\n";
  };
  const std::string group = "vrrp_sync_group G {\ngroup {\nA\nB\n}\n}\n";
  const std::string rests = "auth_hmac {\nkey 1 short\n}";
  const std::string others = named("A", 1, "") + named("C", 3, "");

  const Wiring wiring = wiring_of_text(group + others + named("B", 2, rests));

  REQUIRE(wiring.instances.size() == 1);
  CHECK(wiring.instances[0].name == "C");
  REQUIRE(wiring.not_started.size() == 2);
  CHECK(wiring.not_started.at("A") ==
        "vrrp_instance 'B' of its vrrp_sync_group 'G' is not: " + wiring.not_started.at("B"));
  CHECK(wiring_of_text(others + named("B", 2, rests)).instances.size() == 2);
}

TEST_CASE("wiring: a file of keys that is gone leaves the whole sync group out") {
  const runtime::testing::TemporaryDirectory directory;
  const std::string file = directory / "key";
  std::ofstream(file) << std::string(40, 'k');
  const auto named = [](const std::string& name, int number, const std::string& words) {
    return "vrrp_instance " + name + " {\ninterface eth0\nversion 3\nvirtual_router_id " +
           std::to_string(number) + "\n" + words + "\nvirtual_ipaddress {\n10.0.0." +
           std::to_string(number) + "\n}\n}\n";
  };
  const config::Loaded loaded =
      config::load_text("vrrp_sync_group G {\ngroup {\nA\nB\n}\n}\n" + named("A", 1, "") +
                            named("B", 2, "auth_hmac {\nkey 1 file:" + file + "\n}\n"),
                        "test.conf");
  REQUIRE(wiring_of(loaded.model).instances.size() == 2);

  std::filesystem::remove(file);
  const Wiring wiring = wiring_of(loaded.model);

  CHECK(wiring.instances.empty());
  CHECK(wiring.not_started.size() == 2);
}

TEST_CASE("wiring: an account that could not be looked up costs its scripts and nothing else") {
  config::Loaded loaded = config::load_text(kInstance, "test.conf");
  loaded.model.instances[0].notify->user = "somebody";
  config::Account gone{.user = "somebody", .problem = "there is no user 'somebody' on this host"};
  loaded.model.accounts = {gone};

  const Wiring wiring = wiring_of(loaded.model);

  REQUIRE(wiring.instances.size() == 1);
  const InstanceScripts& scripts = wiring.scripts.at(wiring.instances[0].key());
  CHECK(scripts.any->problem == gone.problem);
  CHECK(scripts.by_state.at(NotifyState::master).problem.empty());
}

TEST_CASE("wiring: a script runs as the account that the loader found, with all its groups") {
  config::Loaded loaded = config::load_text(kInstance, "test.conf");
  loaded.model.globals.script_user = "somebody";
  loaded.model.globals.enable_script_security = true;
  loaded.model.accounts = {{"somebody", "", 1001, 1002, {1002, 27}, ""}};

  const Wiring wiring = wiring_of(loaded.model);

  const core::Command& any = *wiring.scripts.at(wiring.instances[0].key()).any;
  CHECK(any.user == core::ScriptUser{1001, 1002, {1002, 27}});
  CHECK(any.security);
  CHECK(any.what == "notify");
}

TEST_CASE("wiring: `state BACKUP`, `state MASTER` and no `state` are three things") {
  const auto with = [](const std::string& state) {
    return wiring_of_text("vrrp_instance VI_1 {\n" + state +
                          "\ninterface eth0\nvirtual_router_id 51\npriority 255\n"
                          "virtual_ipaddress {\n10.0.0.1\n}\n}\n")
        .instances.at(0);
  };
  CHECK_FALSE(with("state BACKUP").starts_as_master());
  CHECK(with("state MASTER").starts_as_master());
  CHECK(with("").starts_as_master());
}

TEST_CASE("wiring: members know their sync group and what it tracks, and its scripts are known") {
  const auto instance = [](int number, const std::string& more) {
    return "vrrp_instance VI_" + std::to_string(number) + " {\ninterface eth" +
           std::to_string(number) + "\nvirtual_router_id " + std::to_string(number) + "\n" + more +
           "virtual_ipaddress {\n192.0.2." + std::to_string(number) + "\n}\n}\n";
  };
  const Wiring wiring = wiring_of_text(
      "vrrp_script chk {\nscript /bin/true\nweight 10\n}\n"
      "vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\nsync_group_tracking_weight\n"
      "track_interface {\neth1\n}\ntrack_script {\nchk\n}\n"
      "notify_master /bin/false\nnotify \"/bin/echo x\"\n}\n" +
      instance(1, "track_script {\nchk weight 5\n}\n") + instance(2, "") + instance(3, ""));

  REQUIRE(wiring.instances.size() == 3);
  CHECK(wiring.instances[0].sync_group == "G");
  CHECK(wiring.instances[2].sync_group.empty());
  // Its own line about the same counts, and its own interface goes without saying.
  CHECK(wiring.instances[0].trackers ==
        std::vector<Tracker>{{.id = {TrackerKind::script, "chk"}, .weight = 5}});
  CHECK(wiring.instances[1].trackers ==
        std::vector<Tracker>{{.id = {TrackerKind::interface, "eth1"}},
                             {.id = {TrackerKind::script, "chk"}, .weight = 10}});
  CHECK(wiring.instances[2].trackers.empty());
  const auto commands = commands_for_group(wiring.group_scripts.at("G"), "G", NotifyState::master);
  REQUIRE(commands.size() == 2);
  CHECK(commands[0].what == "notify_master");
  CHECK(commands[1].argv ==
        std::vector<std::string>{"/bin/echo", "x", "GROUP", "G", "MASTER", "0"});
}

TEST_CASE("wiring: members of a track_group track what is static in it, and its interfaces") {
  const Wiring wiring = wiring_of_text(
      "track_group one {\ngroup {\nA\nB\n}\n}\ntrack_group two {\ngroup {\nB\n}\n}\n"
      "static_ipaddress {\n10.9.0.1/24 dev eth1 track_group one\n10.9.1.1/24 dev eth2\n}\n"
      "static_routes {\n10.8.0.0/16 dev eth2\n10.7.0.0/16 dev eth0 track_group two\n}\n"
      "static_rules {\nfrom 10.7.0.0/16 table 77 priority 700 track_group one\n"
      "iif eth3 table 78 priority 701 track_group two\n}\n"
      "vrrp_instance A {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.0.0.1\n}\n"
      "}\n"
      "vrrp_instance B {\ninterface eth0\nvirtual_router_id 52\nvirtual_ipaddress {\n10.0.0.2\n}\n"
      "}\n"
      "vrrp_instance C {\ninterface eth0\nvirtual_router_id 53\nvirtual_ipaddress {\n10.0.0.3\n}\n"
      "}\n");
  const auto tracked = [&](std::size_t at) {
    std::vector<std::string> names;
    for (const Tracker& each : wiring.instances.at(at).trackers) {
      CHECK(each.weight == 0);
      names.push_back(to_string(each.id));
    }
    return names;
  };
  const std::string address = "static address 10.9.0.1/24 on eth1";
  const std::string rule = "static rule 700 from 10.7.0.0/16 table 77";
  const std::string route = "static route 10.7.0.0/16 dev eth0";
  const std::string other = "static rule 701 iif eth3 table 78";

  CHECK(tracked(0) == std::vector<std::string>{address, "interface eth1", rule});
  CHECK(tracked(1) ==
        std::vector<std::string>{address, "interface eth1", route, rule, other, "interface eth3"});
  CHECK(tracked(2).empty());
  CHECK(wiring.tracked_statics ==
        std::set<std::string>{address.substr(7), rule.substr(7), route.substr(7), other.substr(7)});
}

namespace {

std::string vmac_instance(std::string_view name, int vrid, std::string_view words,
                          std::string_view address = "10.0.0.1") {
  return fmt::format(
      "vrrp_instance {} {{\ninterface eth0\nvirtual_router_id {}\n{}\n"
      "virtual_ipaddress {{\n{}\n}}\n}}\n",
      name, vrid, words, address);
}

std::vector<std::string> names_of(const Wiring& wiring) {
  std::vector<std::string> names;
  for (const netlink::DesiredDevice& each : wiring.devices) names.push_back(each.name);
  return names;
}

}  // namespace

TEST_CASE("wiring: a virtual MAC is an interface, with the addresses that name no other") {
  const Wiring wiring = wiring_of_text(
      vmac_instance("A", 51, "use_vmac", "10.0.0.1\n10.0.0.2 dev eth0\n10.0.0.3 dev eth1"));

  const netlink::DesiredDevice wanted{
      .name = "vrrp.51", .parent = "eth0", .mac = core::MacAddress::parse("00:00:5e:00:01:33")};
  CHECK(wiring.devices == std::vector{wanted});
  const InstanceSettings& settings = wiring.instances.at(0);
  CHECK(settings.device == core::Rare<OwnDevice>(OwnDevice{"vrrp.51", AdvertsFrom::device}));
  CHECK(settings.interface == "eth0");
  std::vector<std::string> places;
  for (const VirtualAddress& each : settings.addresses) places.push_back(each.interface);
  CHECK(places == std::vector<std::string>{"vrrp.51", "vrrp.51", "eth1"});
}

TEST_CASE("wiring: extra announcements are of MAC addresses that no advert shows (keepalived)") {
  const auto extra = [](std::string_view words, std::string_view globals = "") {
    const Wiring wiring = wiring_of_text(
        fmt::format("global_defs {{\n{}\n}}\n", globals) +
        vmac_instance("A", 51, words, "10.0.0.1\n10.0.1.1 dev eth1\n10.0.1.2 dev eth1 use_vmac"));
    std::vector<std::string> addresses;
    const auto& announced = wiring.instances.at(0).extra_announcements;
    if (!announced) return addresses;
    CHECK(announced->every == 7s);
    for (const VirtualAddress& each : announced->addresses)
      addresses.push_back(each.prefix.address.to_string());
    return addresses;
  };
  using Addresses = std::vector<std::string>;

  CHECK(extra("use_vmac").empty());
  CHECK(extra("use_vmac\ngarp_extra_if 7") == Addresses{"10.0.1.2"});
  CHECK(extra("use_vmac\ngarp_extra_if all 7") == Addresses{"10.0.1.1", "10.0.1.2"});
  CHECK(extra("use_vmac\nvmac_xmit_base\ngarp_extra_if 7") == Addresses{"10.0.0.1", "10.0.1.2"});
  CHECK(extra("use_ipvlan\ngarp_extra_if 7") == Addresses{"10.0.1.2"});
  CHECK(extra("vmac_garp_intvl 7") == Addresses{"10.0.1.2"});
  CHECK(extra("", "vrrp_garp_extra_if all 7") == Addresses{"10.0.1.1", "10.0.1.2"});
  CHECK(extra("garp_extra_if 7", "vrrp_garp_extra_if all 9") == Addresses{"10.0.1.2"});
  CHECK(extra("garp_extra_if 0", "vrrp_garp_extra_if all 9").empty());
}

TEST_CASE("wiring: a device that keeps its name has it in extra announcements, too") {
  Wiring wiring =
      wiring_of_text(vmac_instance("A", 51, "garp_extra_if 7", "10.0.1.2 dev eth1 use_vmac"));
  std::vector<netlink::DesiredDevice> present = wiring.devices;
  present.at(0).name = "vrrp4.51";

  keep_device_names(wiring, present);

  CHECK(wiring.instances.at(0).addresses[0].interface == "vrrp4.51");
  CHECK(wiring.instances.at(0).extra_announcements->addresses[0].interface == "vrrp4.51");
}

TEST_CASE("wiring: adverts leave the interface below for vmac_xmit_base and for peers") {
  const auto from = [](std::string_view words) {
    return wiring_of_text(vmac_instance("A", 51, words)).instances.at(0).device->adverts_from;
  };
  CHECK(from("use_vmac") == AdvertsFrom::device);
  CHECK(from("use_vmac\nvmac_xmit_base") == AdvertsFrom::interface);
  CHECK(from("use_vmac\nunicast_peer {\n10.0.0.9\n}") == AdvertsFrom::interface);
  CHECK(from("use_ipvlan") == AdvertsFrom::interface);
}

TEST_CASE("wiring: names of virtual MACs are those of keepalived") {
  CHECK(names_of(wiring_of_text(
            vmac_instance("A", 51, "use_vmac") + vmac_instance("B", 51, "use_vmac", "fe80::1") +
            vmac_instance("C", 52, "use_vmac vrrp.53") + vmac_instance("D", 53, "use_vmac"))) ==
        std::vector<std::string>{"vrrp.51", "vrrp6.51", "vrrp.53", "vrrp1.53"});
  CHECK(names_of(wiring_of_text("global_defs {\nvmac_prefix ha\n}\n" +
                                vmac_instance("A", 51, "use_vmac"))) ==
        std::vector<std::string>{"ha.51"});
}

TEST_CASE("wiring: the families of a virtual MAC are those of its addresses") {
  const auto six = wiring_of_text(vmac_instance("A", 51, "use_vmac", "fe80::1")).devices.at(0);
  CHECK(six.mac->to_string() == "00:00:5e:00:02:33");
  CHECK_FALSE(six.has_v4);
  CHECK(six.has_v6);
  const auto four = wiring_of_text(vmac_instance("A", 51, "use_vmac")).devices.at(0);
  CHECK(four.has_v4);
  CHECK_FALSE(four.has_v6);
  const auto both =
      wiring_of_text(
          vmac_instance("A", 51, "use_vmac\nvirtual_ipaddress_excluded {\n2001:db8::1\n}"))
          .devices.at(0);
  CHECK(both.has_v6);
}

TEST_CASE("wiring: addresses of other interfaces have virtual MACs there, by MAC and interface") {
  const Wiring wiring = wiring_of_text(
      vmac_instance("A", 51,
                    "use_vmac\nuse_vmac_addr\nvirtual_ipaddress_excluded {\n"
                    "2001:db8::5 dev eth1\n10.0.1.4 dev eth2\n}",
                    "10.0.0.1\n10.0.1.1 dev eth1\n10.0.1.2 dev eth1") +
      vmac_instance("B", 52, "", "10.0.2.1 use_vmac\n10.0.2.2\n10.0.2.3 dev eth1 use_vmac"));

  std::vector<std::string> seen;
  for (const netlink::DesiredDevice& each : wiring.devices)
    seen.push_back(fmt::format("{} {} {} {}{}", each.name, each.parent, each.mac->to_string(),
                               each.has_v4 ? "4" : "", each.has_v6 ? "6" : ""));
  CHECK(seen == std::vector<std::string>{
                    "vrrp.51 eth0 00:00:5e:00:01:33 4", "vrrp.52 eth0 00:00:5e:00:01:34 4",
                    "vrrp1.51 eth1 00:00:5e:00:01:33 4", "vrrp1.52 eth1 00:00:5e:00:01:34 4",
                    "vrrp6.51 eth1 00:00:5e:00:02:33 6", "vrrp2.51 eth2 00:00:5e:00:01:33 4"});
  const auto places = [&](std::size_t at) {
    std::vector<std::string> all;
    for (const VirtualAddress& each : wiring.instances.at(at).addresses)
      all.push_back(each.interface);
    for (const VirtualAddress& each : wiring.instances.at(at).excluded_addresses)
      all.push_back(each.interface);
    return all;
  };
  CHECK(places(0) ==
        std::vector<std::string>{"vrrp.51", "vrrp1.51", "vrrp1.51", "vrrp6.51", "vrrp2.51"});
  CHECK(places(1) == std::vector<std::string>{"vrrp.52", "", "vrrp1.52"});
  CHECK_FALSE(wiring.instances.at(1).device);
}

TEST_CASE("wiring: an address shares the virtual MAC of an instance on its interface") {
  const std::string other =
      "vrrp_instance B {\ninterface eth1\nvirtual_router_id 51\nuse_vmac\n"
      "virtual_ipaddress {\n10.0.1.1\n}\n}\n";
  const Wiring wiring = wiring_of_text(
      vmac_instance("A", 51, "", "10.0.0.1 dev eth1 use_vmac\n2001:db8::1 dev eth1 use_vmac") +
      other);
  CHECK(names_of(wiring) == std::vector<std::string>{"vrrp.51"});
  CHECK(wiring.instances.at(0).addresses.begin()->interface == "vrrp.51");

  const Wiring own_mac = wiring_of_text(vmac_instance(
      "A", 51, "use_vmac mine 02:00:00:00:00:77\nuse_vmac_addr", "10.0.0.1\n10.0.0.2 dev eth1"));
  CHECK(names_of(own_mac) == std::vector<std::string>{"mine", "vrrp.51"});
  CHECK(own_mac.devices.at(1).mac->to_string() == "02:00:00:00:00:77");
  const Wiring prefix =
      wiring_of_text("global_defs {\nvmac_addr_prefix va\n}\n" +
                     vmac_instance("A", 51, "use_vmac\nuse_vmac_addr", "10.0.0.2 dev eth1"));
  CHECK(names_of(prefix) == std::vector<std::string>{"vrrp.51", "va.51"});
}

TEST_CASE("wiring: a virtual MAC that no line names keeps its name in a reload") {
  const auto on = [](std::string_view name, std::string_view interface, std::string_view words) {
    return fmt::format(
        "vrrp_instance {} {{\ninterface {}\nvirtual_router_id 51\n{}\n"
        "virtual_ipaddress {{\n10.0.0.1\n}}\n}}\n",
        name, interface, words);
  };
  const auto places = [](const Wiring& wiring) {
    std::map<std::string, std::string> all;
    for (const InstanceSettings& each : wiring.instances) {
      CHECK(each.addresses.begin()->interface == each.device->name);
      all[each.name] = each.device->name;
    }
    return all;
  };
  const Wiring before = wiring_of_text(on("A", "eth0", "use_vmac") + on("B", "eth1", "use_vmac"));
  REQUIRE(names_of(before) == std::vector<std::string>{"vrrp.51", "vrrp1.51"});

  Wiring without = wiring_of_text(on("B", "eth1", "use_vmac"));
  keep_device_names(without, before.devices);
  CHECK(places(without) == std::map<std::string, std::string>{{"B", "vrrp1.51"}});

  Wiring moved = wiring_of_text(on("C", "eth2", "use_vmac") + on("B", "eth1", "use_vmac") +
                                on("A", "eth0", "use_vmac"));
  keep_device_names(moved, before.devices);
  CHECK(places(moved) ==
        std::map<std::string, std::string>{{"A", "vrrp.51"}, {"B", "vrrp1.51"}, {"C", "vrrp2.51"}});
  CHECK(moved.made_up_devices == std::set<std::string>{"vrrp.51", "vrrp1.51", "vrrp2.51"});

  Wiring named = wiring_of_text(on("B", "eth1", "use_vmac") + on("A", "eth0", "use_vmac vrrp1.51"));
  keep_device_names(named, before.devices);
  CHECK(places(named) == std::map<std::string, std::string>{{"A", "vrrp1.51"}, {"B", "vrrp.51"}});
}

TEST_CASE("wiring: what is closed and promoted on a virtual MAC goes with its name") {
  const auto on = [](std::string_view name, std::string_view interface) {
    return fmt::format(
        "vrrp_instance {} {{\ninterface {}\nvirtual_router_id 51\nuse_vmac\nversion 3\n"
        "no_accept\n{}virtual_ipaddress {{\nfe80::51\n}}\n}}\n",
        name, interface, name == "B" ? "promote_secondaries\n" : "");
  };
  const Wiring before = wiring_of_text(on("A", "eth0") + on("B", "eth1"));
  Wiring swapped = wiring_of_text(on("B", "eth1") + on("A", "eth0"));
  REQUIRE(before.promoting.size() == 1);
  REQUIRE(swapped.promoting != before.promoting);
  REQUIRE(swapped.closed != before.closed);

  keep_device_names(swapped, before.devices);

  CHECK(swapped.promoting == before.promoting);
  REQUIRE(swapped.closed.size() == 2);
  for (const InstanceSettings& each : swapped.instances)
    CHECK(swapped.closed.at(each.key()).front().interface == each.device->name);
  CHECK(swapped.closed == before.closed);
}

TEST_CASE("wiring: who shared a named virtual MAC keeps that device when its line has gone") {
  const std::string first = vmac_instance("A", 51, "", "10.0.0.1 dev eth1 use_vmac");
  const auto second = [](std::string_view name) {
    return fmt::format(
        "vrrp_instance B {{\ninterface eth1\nvirtual_router_id 51\nuse_vmac {}\n"
        "virtual_ipaddress {{\n10.0.1.1\n}}\n}}\n",
        name);
  };
  const Wiring before = wiring_of_text(first + second("own51"));
  REQUIRE(names_of(before) == std::vector<std::string>{"own51"});

  Wiring without = wiring_of_text(first);
  keep_device_names(without, before.devices);
  CHECK(names_of(without) == std::vector<std::string>{"own51"});
  CHECK(without.instances.at(0).addresses.begin()->interface == "own51");
  CHECK(without.made_up_devices == std::set<std::string>{"own51"});

  Wiring renamed = wiring_of_text(first + second("new51"));
  keep_device_names(renamed, before.devices);
  CHECK(names_of(renamed) == std::vector<std::string>{"new51"});
}

TEST_CASE("wiring: an ipvlan has its address for good, and adverts come from it") {
  const Wiring wiring = wiring_of_text(vmac_instance("A", 51, "use_ipvlan ipv1 10.0.0.9/24 vepa"));

  const netlink::DesiredDevice& device = wiring.devices.at(0);
  CHECK(device.kind == netlink::DeviceKind::ipvlan);
  CHECK(device.ipvlan_flags == 2);
  CHECK(device.mac == std::nullopt);
  REQUIRE(wiring.static_addresses.size() == 1);
  CHECK(wiring.static_addresses.begin()->interface == "ipv1");
  CHECK(wiring.instances.at(0).source_address == core::IpAddress::parse("10.0.0.9"));
}
