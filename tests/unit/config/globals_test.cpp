#include "config/write/write.hpp"
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;
using namespace std::chrono_literals;

namespace {

Loaded load_globals(std::string_view words) {
  return load(fmt::format("global_defs {{\n{}\n}}\n{}", words, instance("")));
}

Globals globals(std::string_view words) {
  const Loaded loaded = load_globals(words);
  CHECK_MESSAGE(!loaded.diagnostics.has_errors(), findings(loaded.diagnostics));
  return loaded.model.globals;
}

// One finding, without its place.
std::string finding(std::string_view words) {
  const Loaded loaded = load_globals(words);
  REQUIRE(loaded.diagnostics.all().size() == 1);
  return loaded.diagnostics.all()[0].message;
}

// True when there is more to say than that something has no effect.
bool complains(std::string_view words) {
  const Loaded loaded = load_globals(words);
  for (const Diagnostic& one : loaded.diagnostics.all()) {
    if (one.kind != Kind::hint) return true;
  }
  return false;
}

// What is written is read again as the same value.
void check_round_trip(const Loaded& loaded) {
  const std::string text = print_keepalived(document_of(loaded.model));
  CAPTURE(text);
  CHECK(load(text).model == loaded.model);
  const std::string all = print_keepalived(document_of(loaded.model, Detail::all));
  CAPTURE(all);
  CHECK(load(all).model == loaded.model);
}

}  // namespace

TEST_CASE("global_defs: nothing said is keepalived's defaults") {
  CHECK(load(instance("")).model.globals == Globals{});
}

TEST_CASE("global_defs: the words of the director reach the model") {
  const Globals all = globals(
      "router_id lb1\nnotification_email {\na@example.org\nb@example.org\n}\n"
      "notification_email_from lb@example.org\nsmtp_server mail.example.org 587\n"
      "smtp_helo_name lb\nsmtp_connect_timeout 0\nsmtp_alert\nsmtp_alert_checker off\n"
      "script_user nobody nogroup\nenable_script_security\nstartup_script \"/bin/up 1\"\n"
      "startup_script_timeout 20\nshutdown_script /bin/down root\nmax_auto_priority\n"
      "snmp_socket tcp:localhost:705\nenable_traps\nenable_snmp_keepalived\njson_version 2\n");

  CHECK(all.router_id == "lb1");
  CHECK(all.notification_email == std::vector<std::string>{"a@example.org", "b@example.org"});
  CHECK(all.smtp_server == "mail.example.org");
  CHECK(all.smtp_port == 587);
  CHECK(all.smtp_connect_timeout == 1s);
  CHECK(all.smtp_alert == true);
  CHECK(all.smtp_alert_vrrp == std::nullopt);
  CHECK(all.smtp_alert_checker == false);
  CHECK(all.script_user == "nobody");
  CHECK(all.script_group == "nogroup");
  CHECK(all.startup_script->argv == std::vector<std::string>{"/bin/up", "1"});
  CHECK(all.startup_script_timeout == 20s);
  CHECK(all.shutdown_script->user == "root");
  CHECK(all.max_auto_priority == 99);
  CHECK(all.enable_snmp_vrrp);
  CHECK(all.json_version == 2);
}

TEST_CASE("global_defs: several blocks count as one, also behind the instances") {
  const Loaded loaded =
      load("global_defs {\nrouter_id a\nvrrp_garp_master_delay 7\n}\n" + instance("") +
           "global_defs {\nrouter_id b\nvrrp_garp_master_repeat 2\n}\n");

  CHECK(loaded.model.globals.router_id == "b");
  REQUIRE(loaded.model.instances.size() == 1);
  const GarpSettings& garp = loaded.model.instances[0].garp;
  CHECK(garp.master_delay == 7s);
  CHECK(garp.lower_prio_delay == 7s);
  CHECK(garp.master_repeat == 2);
  CHECK(garp.lower_prio_repeat == 2);
}

TEST_CASE("vrrp_min_garp: lowers what nobody gave, wherever it is written") {
  const Globals before = globals("vrrp_min_garp\nvrrp_garp_master_repeat 3");
  const Globals after = globals("vrrp_garp_master_repeat 3\nvrrp_min_garp");
  const Globals off = globals("vrrp_min_garp off");

  CHECK(before == after);
  CHECK(before.garp.master_delay == 0s);
  CHECK(before.garp.lower_prio_delay == 0s);
  CHECK(before.garp.master_repeat == 3);
  CHECK(off == Globals{});
}

TEST_CASE("vrrp_garp_lower_prio_repeat: 0 is none, a repeat of 0 is 1") {
  const Globals read = globals("vrrp_garp_lower_prio_repeat 0\nvrrp_garp_master_repeat 0");

  CHECK(read.garp.lower_prio_repeat == 0);
  CHECK(read.garp.master_repeat == 1);
}

TEST_CASE("lvs_sync_daemon: option words, and the old way by position") {
  const Globals modern =
      globals("lvs_sync_daemon eth1 inst VI_1 id 7 maxlen 1400 port 9000 ttl 3 group 239.1.1.1");
  const Globals named = globals("lvs_sync_daemon eth1 VI_1 id 7");
  const Globals old = globals("lvs_sync_daemon eth1 VI_1 7");
  const Globals bare = globals("lvs_sync_daemon eth1");

  SyncDaemon expected{.interface = "eth1",
                      .instance = "VI_1",
                      .id = std::uint8_t{7},
                      .max_length = 1400,
                      .port = 9000,
                      .ttl = 3,
                      .group = core::IpAddress::v4({239, 1, 1, 1})};
  CHECK(*modern.lvs_sync_daemon == expected);
  CHECK(*old.lvs_sync_daemon == *named.lvs_sync_daemon);
  CHECK(old.lvs_sync_daemon->instance == "VI_1");
  CHECK(old.lvs_sync_daemon->id == 7);
  CHECK(bare.lvs_sync_daemon->instance.empty());
}

TEST_CASE("lvs_sync_daemon: the first one counts, what it does not know is named") {
  const Globals twice = globals("lvs_sync_daemon eth1\nlvs_sync_daemon eth2");
  const Loaded unknown = load_globals("lvs_sync_daemon eth1 VI_1 tll 3");
  const Loaded unicast = load_globals("lvs_sync_daemon eth1 group 10.0.0.1");

  CHECK(twice.lvs_sync_daemon->interface == "eth1");
  CHECK(findings(unknown.diagnostics).find("unknown option 'tll'") != std::string::npos);
  CHECK(findings(unicast.diagnostics).find("'group' must be a multicast address") !=
        std::string::npos);
}

TEST_CASE("lvs_timeouts: each of them, in any order") {
  const Globals read = globals("lvs_timeouts udp 30 tcp 7200");

  CHECK(read.lvs_timeouts == IpvsTimeouts{.tcp = 7200s, .tcp_fin = 0s, .udp = 30s});
  CHECK(complains("lvs_timeouts"));
  CHECK(complains("lvs_timeouts tcp"));
  CHECK(complains("lvs_timeouts tpc 1"));
}

TEST_CASE("lvs_flush_on_stop: VS spares what is not ours; old spellings mean the same") {
  CHECK(globals("lvs_flush_on_stop").lvs_flush_on_stop);
  CHECK_FALSE(globals("lvs_flush_on_stop").lvs_flush_on_stop_own);
  CHECK(globals("lvs_flush_on_stop VS").lvs_flush_on_stop_own);
  CHECK(globals("lvs_flush_onstop VS") == globals("lvs_flush_on_stop VS"));
}

TEST_CASE("notification pipes: path, user, group and the program that reads them") {
  const Globals read = globals(
      "notify_fifo /run/a\nvrrp_notify_fifo /run/v u g\nvrrp_notify_fifo_script \"/bin/r -x\" w\n"
      "lvs_notify_fifo_script /bin/l");

  CHECK(read.notify_fifo.path == "/run/a");
  CHECK(read.vrrp_notify_fifo.user == "u");
  CHECK(read.vrrp_notify_fifo.group == "g");
  CHECK(read.vrrp_notify_fifo.script->argv == std::vector<std::string>{"/bin/r", "-x"});
  CHECK(read.vrrp_notify_fifo.script->user == "w");
  CHECK(read.lvs_notify_fifo.path.empty());
  CHECK(read.lvs_notify_fifo.script->argv == std::vector<std::string>{"/bin/l"});
}

TEST_CASE("process words: three processes, each with settings of its own") {
  const Globals read = globals(
      "vrrp_priority -10\nvrrp_rt_priority 5\nvrrp_no_swap\nvrrp_cpu_affinity 0 2\n"
      "vrrp_rlimit_rttime 20000\nchecker_priority 3\nbfd_rlimit_rtime 5");

  CHECK(read.vrrp_process == core::Scheduling{.nice = std::int8_t{-10},
                                              .realtime_priority = 5,
                                              .lock_memory = true,
                                              .realtime_limit = 20ms,
                                              .processors = {0, 2}});
  CHECK(read.checker_process.nice == 3);
  CHECK(read.bfd_process.realtime_limit == 5us);
}

TEST_CASE("reload words: with and without a file") {
  const Globals read = globals(
      "reload_limit 30\nreload_time_file /run/when\nreload_repeat\nreload_file\n"
      "reload_check_config /var/log/check");

  CHECK(read.reload_limit == 30);
  CHECK(read.reload_time_file == "/run/when");
  CHECK(read.reload_repeat);
  CHECK(read.reload_file.has_value());
  CHECK(read.reload_file->empty());
  CHECK(*read.reload_check_config == "/var/log/check");
  CHECK(finding("reload_limit 101") == "'reload_limit' must be a number from 0 to 100, not '101'");
}

TEST_CASE("accounts: a colon may stand between user and group") {
  const auto account = [](std::string_view words) {
    const Loaded loaded =
        load_globals(fmt::format("script_user {0}\nnotify_fifo /run/a {0}", words));
    const Globals& globals = loaded.model.globals;
    CHECK(globals.notify_fifo.path == "/run/a");
    CHECK(globals.notify_fifo.user == globals.script_user);
    CHECK(globals.notify_fifo.group == globals.script_group);
    return fmt::format("{} {}", globals.script_user, globals.script_group);
  };
  for (const char* words : {"u g", "u:g", "u : g", "u: g", "u :g"}) CHECK(account(words) == "u g");
  for (const char* words : {"u", "u:", "u :"}) CHECK(account(words) == "u ");
  const Loaded bare = load_globals("startup_script /bin/true :");
  CHECK(bare.model.globals.startup_script->user.empty());
  CHECK_FALSE(bare.diagnostics.has_errors());
}

TEST_CASE("umask: a number as in C, or bits by name") {
  const auto mask = [](std::string_view words) {
    return load(fmt::format("global_defs {{\numask {}\n}}\n", words)).model.globals.umask;
  };
  CHECK(mask("0177") == 0177);
  CHECK(mask("18") == 022);
  CHECK(mask("0x3f") == 077);
  CHECK(mask("IRGRP|IWGRP") == 060);
  CHECK(mask("IRGRP | IWGRP") == 060);
  CHECK(mask("S_IRWXG|IRWXO") == 077);
  CHECK(mask("IXUSR") == 0100);
  CHECK(mask("0") == 0);
  for (const char* bad : {"IRGRP|", "1000", "0888", "IRGRP|IXX", "|", "-1"}) {
    CHECK_MESSAGE(complains(fmt::format("umask {}", bad)), bad);
    CHECK_MESSAGE(!mask(bad), bad);
  }
}

TEST_CASE("global_defs: extra announcements, all of them or of virtual MACs, by both names") {
  const auto extra = [](std::string_view words) {
    const GarpSettings garp = globals(words).garp;
    return std::pair(garp.extra_interval, garp.extra_everywhere);
  };
  CHECK(extra("") == std::pair(core::Duration{0s}, false));
  CHECK(extra("vrrp_garp_extra_if 7") == std::pair(core::Duration{7s}, false));
  CHECK(extra("vrrp_garp_extra_if all 10") == std::pair(core::Duration{10s}, true));
  CHECK(extra("vrrp_vmac_garp_intvl all 5") == std::pair(core::Duration{5s}, true));
  CHECK(complains("vrrp_garp_extra_if all"));
  CHECK(complains("vrrp_garp_extra_if 7 8"));
  CHECK(complains("vrrp_garp_extra_if 86401"));
}

TEST_CASE("words without effect: checked, and said once") {
  CHECK(finding("process_names\nvrrp_process_name x\nlvs_process_name y") ==
        "accepted, without effect: names of processes (Holdfast names its processes itself)");
  CHECK(!complains("vrrp_rx_bufs_policy mtu"));
  CHECK(!complains("vrrp_rx_bufs_policy 65536"));
  CHECK(complains("vrrp_rx_bufs_policy FOO"));
  CHECK(!complains("snmp_vs_stats_update_interval 0.001"));
}

TEST_CASE("the top level: namespaces, links, words without effect") {
  const Loaded loaded = load(
      "instance two\nnet_namespace ns1\nnet_namespace_ipvs\nuse_pid_dir\nchild_wait_time 9\n"
      "interface_up_down_delays {\neth0 1 2\neth1 3\n}\n"
      "linkbeat_interfaces {\neth0\neth1 MII\n}\n"
      "real_server_group old {\nanything { at all }\n}\n" +
      instance(""));

  CHECK_MESSAGE(!loaded.diagnostics.has_errors(), findings(loaded.diagnostics));
  const Globals& globals = loaded.model.globals;
  CHECK(globals.instance == "two");
  CHECK(globals.net_namespace == "ns1");
  CHECK(globals.net_namespace_ipvs.has_value());
  REQUIRE(globals.link_delays.size() == 2);
  CHECK(globals.link_delays[0] ==
        LinkDelay{.interface = "eth0", .down = 1s, .up = 2s, .location = {}});
  CHECK(globals.link_delays[1] ==
        LinkDelay{.interface = "eth1", .down = 3s, .up = 3s, .location = {}});
  CHECK(loaded.model.instances.size() == 1);
  check_round_trip(loaded);
}

TEST_CASE("the top level: mistakes in lists of links name the word") {
  const Loaded delays = load("interface_up_down_delays {\neth0\neth1 300\n}\n" + instance(""));
  const Loaded polled = load("linkbeat_interfaces {\neth0 FOO\n}\n" + instance(""));

  CHECK(findings(delays.diagnostics).find("'eth0' needs a delay") != std::string::npos);
  CHECK(findings(delays.diagnostics).find("here must be a number of seconds") != std::string::npos);
  CHECK(findings(polled.diagnostics).find("here must be MII, ETHTOOL or IOCTL") !=
        std::string::npos);
}

TEST_CASE("lvs_sysctl: values as the kernel prints them, in one block or several") {
  const Globals read = globals(
      "lvs_sysctl {\nconntrack 01\nsync_threshold 3 50\nest_nice -5\n}\n"
      "lvs_sysctl {\nsync_ports 4\nest_cpulist 0-1,3\nrestore_on_stop\n}\n");

  REQUIRE(read.lvs_sysctl);
  using Values = decltype(read.lvs_sysctl->values);
  CHECK((read.lvs_sysctl->values == Values{{"conntrack", "1"},
                                           {"est_cpulist", "0-1,3"},
                                           {"est_nice", "-5"},
                                           {"sync_ports", "4"},
                                           {"sync_threshold", "3 50"}}));
  CHECK(read.lvs_sysctl->restore_on_stop);
  CHECK_FALSE(globals("router_id x").lvs_sysctl);
}

TEST_CASE("lvs_sysctl: what the kernel would refuse is an error at its place") {
  for (const char* line : {"conntrack 2", "drop_entry 4", "sync_ports 3", "conn_max 0",
                           "svc_lfactor -9", "conntrack yes", "sync_retries -1"}) {
    CAPTURE(line);
    const Loaded loaded = load_globals(fmt::format("lvs_sysctl {{\n  {}\n}}\n", line));
    REQUIRE(loaded.diagnostics.errors() == 1);
    const Diagnostic& error = loaded.diagnostics.all().front();
    CHECK(error.line == 3);
    CHECK(error.message.find("must be") != std::string::npos);
    CHECK(error.source_line.substr(error.byte_offset) ==
          std::string_view(line).substr(std::string_view(line).find(' ') + 1));
  }
  CHECK(load_globals("lvs_sysctl {\n contrack 1\n}\n").diagnostics.warnings() == 1);
}

TEST_CASE("global_defs: what is written is read as the same globals") {
  check_round_trip(load_globals(
      "router_id \"a b\"\nnotification_email {\na@example.org\n}\nsmtp_server mail 26\n"
      "smtp_alert off\nvrrp_min_garp\nvrrp_garp_lower_prio_repeat 0\nvrrp_version 3\n"
      "vrrp_mcast_group6 ff02::13\ndynamic_interfaces allow_if_changes\nvrrp_strict\n"
      "vrrp_check_unicast_src\nvrrp_startup_delay 0.25\nnftables t\nvrrp_iptables IN OUT\n"
      "lvs_sysctl {\nconntrack 1\nsync_threshold 3 50\nest_nice -5\nrestore_on_stop\n}\n"
      "lvs_sync_daemon eth1 VI_1 7\nlvs_timeouts tcp 10 tcpfin 5\nlvs_flush_on_stop VS\n"
      "script_user u g\nnotify_fifo /run/a u g\nnotify_fifo_script \"/bin/r 'a b'\" u\n"
      "vrrp_priority -1\nchecker_rt_priority 9\nbfd_cpu_affinity 1 3\nmax_auto_priority 9\n"
      "min_auto_priority_delay 5000\n"
      "reload_limit 0\nreload_file\nreload_check_config /x\nenable_traps\njson_version 2\n"));
}
