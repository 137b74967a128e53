#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

// What Holdfast does not do yet is said beside the findings that are looked at here.
bool is_notice(const Diagnostic& one) {
  return one.kind == Kind::hint;
}

std::string without_notes(const Loaded& loaded) {
  Diagnostics kept;
  for (const Diagnostic& one : loaded.diagnostics.all()) {
    if (one.severity != Severity::note && !is_notice(one)) kept.add(one);
  }
  return findings(kept);
}

std::string with_notes(const Loaded& loaded) {
  Diagnostics kept;
  for (const Diagnostic& one : loaded.diagnostics.all()) {
    if (!is_notice(one)) kept.add(one);
  }
  return findings(kept);
}

std::string all(const std::string& text) {
  return with_notes(load(text));
}

std::string script(std::string_view extra = "") {
  return fmt::format("vrrp_script check {{\nscript /bin/true\n{}\n}}\n", extra);
}

std::string group(std::string_view members, std::string_view extra = "") {
  return fmt::format("vrrp_sync_group G {{\ngroup {{\n{}\n}}\n{}\n}}\n", members, extra);
}

}  // namespace

TEST_CASE("validate: of two objects with one name the second is left out") {
  const Loaded names = load(instance("", "A", 1) + instance("", "A", 2));
  CHECK(with_notes(names) ==
        "10:1 warning: a second vrrp_instance 'A' (the first is on line 1): this one is left out");
  CHECK(names.model.instances.size() == 1);
  CHECK(without_notes(load(script() + script())) ==
        "5:1 warning: a second vrrp_script 'check' (the first is on line 1): this one is left out");
}

TEST_CASE("validate: two instances of one router on a link would be each other's peer") {
  const Loaded routers = load(instance("", "A", 1) + instance("", "B", 1));
  CHECK(without_notes(routers).starts_with(
      "10:1 error: vrrp_instance 'B' and 'A' (line 1) both use virtual_router_id 1 on eth0"));
  // A virtual MAC interface sits on the same link.
  CHECK(load(instance("", "A", 1) + instance("use_vmac", "B", 1)).diagnostics.errors() == 1);
  const std::string to_other = "unicast_src_ip 10.0.0.1\nunicast_peer {\n10.0.0.2\n}";
  CHECK(load(instance("", "A", 1) + instance(to_other, "B", 1)).diagnostics.errors() == 0);
  // Where it sends from tells it apart, whether it has a peer or rests without one.
  const std::string no_peer = "unicast_src_ip 10.0.0.1\nunicast_fault_no_peer";
  CHECK(load(instance("", "A", 1) + instance(no_peer, "B", 1)).diagnostics.errors() == 0);
  CHECK(load(instance(to_other, "A", 1) + instance(no_peer, "B", 1)).diagnostics.errors() == 1);
  // Without an interface one hears what comes to its source by any.
  const auto routed = [&](const std::string& name, const std::string& source) {
    return "vrrp_instance " + name + " {\nvirtual_router_id 1\nno_virtual_ipaddress\n" +
           "unicast_src_ip " + source + "\nunicast_peer {\n10.0.0.2\n}\n}\n";
  };
  CHECK(load(instance(to_other, "A", 1) + routed("B", "10.0.0.1")).diagnostics.errors() == 1);
  CHECK(load(routed("A", "10.0.0.1") + instance(to_other, "B", 1)).diagnostics.errors() == 1);
  CHECK(load(instance(to_other, "A", 1) + routed("B", "10.0.0.9")).diagnostics.errors() == 0);
  CHECK(without_notes(load(routed("A", "10.0.0.1") + routed("B", "10.0.0.1")))
            .find("both use virtual_router_id 1 for the same source, without an interface") !=
        std::string::npos);
}

TEST_CASE("validate: a virtual MAC interface belongs to one instance") {
  const Loaded twice = load(instance("use_vmac mine", "A", 1) + instance("use_vmac mine", "B", 2));
  CHECK(without_notes(twice).find("vrrp_instance 'B' and 'A' (line 1) both name their virtual MAC "
                                  "interface 'mine'") != std::string::npos);
  REQUIRE(twice.model.instances.size() == 2);
  CHECK(twice.model.instances[0].vmac->name == "mine");
  CHECK(twice.model.instances[1].vmac->name.empty());
}

TEST_CASE("validate: an address twice in an instance is held once") {
  const Loaded loaded = load(instance("virtual_ipaddress_excluded {\n192.168.1.200/24\n}"));
  CHECK(with_notes(loaded) ==
        "9:1 warning: 192.168.1.200 is already on line 6 and is ignored here");
  CHECK(loaded.model.instances.at(0).virtual_addresses_excluded.empty());
}

TEST_CASE("validate: an address in two instances, many of them") {
  CHECK(all(instance("", "A", 1) + instance("", "B", 2)) ==
        "15:1 warning: 192.168.1.200 is held by vrrp_instance 'A' (line 1) as well: whichever "
        "leaves first takes it away from both");
  std::string many;
  for (int vrid = 1; vrid <= 20; ++vrid) many += instance("", fmt::format("I{}", vrid), vrid);
  const Loaded loaded = load(many);
  CHECK(loaded.diagnostics.all().size() == 5);
  CHECK(loaded.diagnostics.all().back().message.ends_with("(and 14 more like this)"));
}

TEST_CASE("validate: more IPv6 addresses than an advert carries are held, not advertised") {
  std::string addresses;
  for (int i = 1; i <= 100; ++i) addresses += fmt::format("2001:db8::{:x}\n", i);
  const Loaded loaded =
      load(fmt::format("vrrp_instance A {{\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress "
                       "{{\n{}}}\n}}\n",
                       addresses));
  const VrrpInstance& instance = loaded.model.instances.at(0);
  CHECK(instance.virtual_addresses.size() == 90);
  CHECK(instance.virtual_addresses_excluded.size() == 10);
  CHECK(instance.virtual_addresses_excluded.at(0).prefix.address.to_string() == "2001:db8::5b");
  CHECK(without_notes(loaded).ends_with(
      "95:1 warning: an advert carries 90 addresses, vrrp_instance 'A' has 100: from here on they "
      "are held, but not advertised"));
}

TEST_CASE("validate: priority 255 does not move with weights") {
  CHECK(
      all(script() + instance("priority 255\ntrack_script {\ncheck weight -20\n}"))
          .find("warning: the weight of 'check' never counts: priority 255 of vrrp_instance 'VI_1' "
                "does not change") != std::string::npos);
}

TEST_CASE("validate: the own source address among the peers") {
  CHECK(all(instance("unicast_src_ip 10.0.0.1\nunicast_peer {\n10.0.0.1\n10.0.0.2\n}"))
            .starts_with("10:1 warning: 10.0.0.1 is the source address of vrrp_instance 'VI_1' "
                         "itself, not a peer"));
}

TEST_CASE("validate: an IPv6 list that does not begin with a link-local address") {
  const auto findings = [](std::string_view addresses) {
    return all(
        fmt::format("vrrp_instance VI_1 {{\ninterface eth0\nvirtual_router_id 1\npriority 100\n"
                    "virtual_ipaddress {{\n{}\n}}\n}}\n",
                    addresses));
  };
  constexpr std::string_view kFinding =
      "note: the first IPv6 address of vrrp_instance 'VI_1' is not link-local";

  CHECK(findings("2001:db8::1\nfe80::1").find(kFinding) != std::string::npos);
  CHECK(findings("fe80::1\n2001:db8::1").find(kFinding) == std::string::npos);
  CHECK(findings("10.0.0.7").find(kFinding) == std::string::npos);
}

TEST_CASE("validate: slow and hasty adverts") {
  CHECK(all(instance("advert_int 20")) ==
        "1:1 note: with 'advert_int 20' the backup of vrrp_instance 'VI_1' waits 60 seconds before "
        "it replaces a dead master");
  CHECK(all(instance("version 3\nadvert_int 0.01")) ==
        "1:1 note: with 'advert_int 0.01' a pause of 30 ms, such as a busy machine makes, gives "
        "vrrp_instance 'VI_1' two masters");
}

TEST_CASE(
    "validate: a virtual_server on an address that drops all packets is said, with the cure") {
  const auto said = [](const std::string& text) {
    std::vector<std::string> found;
    const Loaded loaded = load(text);
    for (const Diagnostic& one : loaded.diagnostics.all())
      if (one.message.starts_with("nobody reaches "))
        found.push_back(fmt::format("{}: {}; {}", one.line, one.message, one.help));
    return found;
  };
  using Said = std::vector<std::string>;
  const std::string on_it = service("");
  const std::string end = " of vrrp_instance 'VI_1' (line 1) drops all packets to 192.168.1.200; ";

  CHECK(said(instance("no_accept") + on_it) ==
        Said{"10: nobody reaches this virtual_server: 'no_accept'" + end +
             "remove 'no_accept' there"});
  CHECK(said(instance("strict_mode on\nversion 3") + on_it) ==
        Said{"11: nobody reaches this virtual_server: strict mode" + end +
             "add 'accept' to that instance"});
  CHECK(said(instance("strict_mode on") + on_it).at(0).find("remove 'vrrp_strict'") !=
        std::string::npos);
  CHECK(said(instance("strict_mode on\nversion 3\naccept") + on_it).empty());
  CHECK(said(instance("") + on_it).empty());
  CHECK(said(instance("no_accept\npriority 255") + on_it).empty());
  const auto grouped = [&](std::string_view entry) {
    return said(instance("no_accept") +
                fmt::format("virtual_server_group g {{\n{}\n}}\nvirtual_server group g {{\n"
                            "protocol TCP\nreal_server 10.0.0.1 80 {{\nTCP_CHECK {{\n}}\n}}\n}}\n",
                            entry));
  };
  CHECK(grouped("192.168.1.190-210 80")
            .at(0)
            .find(": nobody reaches 192.168.1.200 of this virtual_server: 'no_accept' of") !=
        std::string::npos);
  CHECK(grouped("192.168.1.200 80").size() == 1);
  CHECK(grouped("192.168.1.201-210 80").empty());
  CHECK(grouped("fwmark 7").empty());
}

TEST_CASE("validate: strict mode and addresses that do not answer") {
  const std::string strict = "global_defs {\nvrrp_strict\n}\n";
  CHECK(without_notes(load(strict + instance("")))
            .find("under strict mode what is sent to the addresses of vrrp_instance 'VI_1' is "
                  "dropped, pings too, because its priority is not 255") != std::string::npos);
  CHECK(without_notes(load(strict + instance("accept"))).find("is dropped") != std::string::npos);
  CHECK(without_notes(load(strict + instance("version 3\naccept"))).find("is dropped") ==
        std::string::npos);
  CHECK(without_notes(load(strict + instance("no_accept"))).find("is dropped") ==
        std::string::npos);
}

TEST_CASE("validate: a tracker that nobody names, a script slower than its turn") {
  CHECK(all(script() + instance("")) == "1:1 note: vrrp_script 'check' is used by nobody");
  CHECK(all(script("interval 2\ntimeout 5") + instance("track_script {\ncheck\n}")) ==
        "1:1 note: vrrp_script 'check' may run for 5 s, but is due every 2 s: no second run starts "
        "while one lasts");
}

TEST_CASE("validate: the own interface is tracked anyway") {
  const Loaded loaded = load(instance("track_interface {\neth0\neth1\n}"));
  CHECK(with_notes(loaded) ==
        "9:1 note: eth0 is the interface of vrrp_instance 'VI_1' and tracked anyway");
  CHECK(loaded.model.instances.at(0).tracking.interfaces.size() == 1);
}

TEST_CASE("validate: weights do not count in a sync group, unless it says so") {
  const std::string members = instance("track_script {\ncheck weight 5\n}", "A", 1) +
                              "vrrp_instance B {\ninterface eth0\nvirtual_router_id "
                              "2\nvirtual_ipaddress {\n10.0.0.2\n}\n}\n";
  const Loaded loaded = load(script() + members + group("A\nB"));
  CHECK(without_notes(loaded) ==
        "13:1 warning: 'check' has a weight, and weights do not count in vrrp_sync_group 'G' (line "
        "23): vrrp_instance 'A' does not track it");
  CHECK(loaded.model.instances.at(0).tracking.scripts.empty());
  CHECK(without_notes(load(script() + members + group("A\nB", "sync_group_tracking_weight")))
            .empty());
  const Loaded tracked =
      load(script() + instance("", "A", 1) + group("A", "track_script {\ncheck weight 5\n}"));
  CHECK(without_notes(tracked).find("the group does not track it") != std::string::npos);
  CHECK(tracked.model.sync_groups.at(0).tracking.scripts.empty());
}

TEST_CASE("validate: weights of files and processes do not count in a sync group either") {
  const std::string trackers =
      "track_file f {\nfile /f\n}\ntrack_file g {\nfile /g\nweight 0\n}\n"
      "vrrp_track_process p {\nprocess p\nweight 3\n}\n";
  const auto with = [&](std::string_view lines, std::string_view more = "") {
    return load(trackers + instance(lines, "A", 1) + group("A", more));
  };
  const auto tracking = [&](std::string_view lines, std::string_view more = "") {
    return with(lines, more).model.instances.at(0).tracking;
  };

  // keepalived: the weight of a track_file is 1 when nothing is said.
  CHECK(without_notes(with("track_file {\nf\n}")).find("'f' has a weight") != std::string::npos);
  CHECK(tracking("track_file {\nf\n}").files.empty());
  CHECK(tracking("track_file {\ng weight 2\n}").files.empty());
  CHECK(tracking("track_process {\np\n}").processes.empty());
  CHECK(tracking("track_file {\ng\n}").files.size() == 1);
  CHECK(tracking("track_file {\nf weight 0\n}").files.size() == 1);
  CHECK(tracking("track_process {\np weight 0\n}").processes.size() == 1);
  CHECK(tracking("track_file {\nf\n}", "sync_group_tracking_weight").files.size() == 1);
}

TEST_CASE("validate: a group with a member that is not started is not started") {
  const auto second = [](std::string_view extra) {
    return fmt::format(
        "vrrp_instance B {{\ninterface eth0\nvirtual_router_id 2\nvirtual_ipaddress "
        "{{\n10.0.0.2\n}}\n{}\n}}\n",
        extra);
  };
  const std::string rests = "auth_hmac {\nkey 1 short\n}";
  CHECK(without_notes(load(instance("", "A", 1) + second(rests) + group("A\nB")))
            .find("vrrp_sync_group 'G' is not started, because its member 'B' is not: ") !=
        std::string::npos);
  CHECK(without_notes(load(instance("", "A", 1) + second("") + group("A\nB"))).empty());
}

TEST_CASE("validate: members of a sync group that do not want the same") {
  const auto second = [](std::string_view extra, int priority) {
    return fmt::format(
        "vrrp_instance B {{\ninterface eth0\nvirtual_router_id 2\npriority {}\nvirtual_ipaddress "
        "{{\n10.0.0.2\n}}\n{}\n}}\n",
        priority, extra);
  };
  CHECK(all(instance("", "A", 1) + second("state MASTER", 100) + group("A\nB")) ==
        "19:1 warning: vrrp_instance 'A' and 'B' of vrrp_sync_group 'G' start with different "
        "states: BACKUP and MASTER");
  CHECK(
      all(instance("", "A", 1) + second("", 90) + group("A\nB")) ==
      "19:1 note: vrrp_instance 'A' and 'B' of vrrp_sync_group 'G' have different priorities, 100 "
      "and 90: both must outrank the other director, or both must not");
  CHECK(all(instance("", "A", 1) + group("A")) ==
        "10:1 note: vrrp_sync_group 'G' has one instance only: there is nothing to keep together");
}

TEST_CASE("validate: two blocks of one service are one pool, but TCP and UDP are apart") {
  const Loaded loaded = load(service("") + service("", "TCP_CHECK {\n}\nweight 3"));
  CHECK(
      without_notes(loaded) ==
      "9:1 warning: a second virtual_server TCP 192.168.1.200:80 (the first is on line 1): its "
      "servers join the first one's, its other settings are left out\n"
      "12:1 warning: real_server 192.168.1.67:80 is in this service already (on line 4): this one "
      "is left out");
  CHECK(loaded.model.services.size() == 1);
  const auto udp = [](const std::string& engine) {
    return load(
        "virtual_server 10.0.0.1 5060 {\nprotocol UDP\npersistence_timeout 60\n"
        "persistence_engine " +
        engine + "\nreal_server 10.0.0.2 5060 {\nPING_CHECK {\n}\n}\n}\n");
  };
  CHECK(with_notes(udp("sip")).empty());
  CHECK(udp("sip").model.services[0].persistence_engine == "sip");
  CHECK(with_notes(udp("sib")).starts_with("4:20 warning: 'persistence_engine' must be sip"));
  CHECK(udp(std::string(2000, 's')).model.services[0].persistence_engine.empty());
}

TEST_CASE("validate: flags that mean nothing") {
  CHECK(all(service("ops"))
            .find("warning: 'ops' is for UDP only and is ignored for TCP "
                  "192.168.1.200:80") != std::string::npos);
  CHECK(all(service("lb_algo rr\nflag-2")).find("warning: scheduler flags mean nothing to 'rr'") !=
        std::string::npos);
  const Loaded all_ports = load(
      "virtual_server 10.0.0.1 0 {\nprotocol TCP\nreal_server 10.0.0.2 0 "
      "{\nPING_CHECK {\n}\n}\n}\n");
  CHECK(all_ports.model.services.at(0).persistence_timeout == std::chrono::seconds(360));
}

TEST_CASE("validate: groups of services that are not there, and that nobody uses") {
  const std::string web = "virtual_server_group web {\n10.0.0.1 80\n}\n";
  const auto of_group = [](std::string_view name) {
    return fmt::format(
        "virtual_server group {} {{\nprotocol TCP\nreal_server 10.0.0.2 80 "
        "{{\nTCP_CHECK {{\n}}\n}}\n}}\n",
        name);
  };
  CHECK(without_notes(load(web + of_group("web"))).find("virtual_server_group") ==
        std::string::npos);
  const Loaded loaded = load(web + of_group("wep"));
  CHECK(loaded.model.services.empty());
  CHECK(with_notes(loaded).find(
            "4:1 warning: there is no virtual_server_group 'wep': this service is left out") !=
        std::string::npos);
  CHECK(with_notes(loaded).find("1:1 note: virtual_server_group 'web' is used by nobody") !=
        std::string::npos);
}

TEST_CASE("validate: members that the kernel would refuse, or have twice") {
  const std::string server = "real_server 10.0.0.2 80 {\nTCP_CHECK {\n}\n}\n";
  const auto of = [&](std::string_view entries, std::string_view words) {
    return without_notes(
        load(fmt::format("virtual_server_group web {{\n{}\n}}\nvirtual_server "
                         "group web {{\nprotocol TCP\n{}{}}}\n",
                         entries, words, server)));
  };
  CHECK(of("10.0.0.1 80", "").empty());
  CHECK(of("10.0.0.1 80\n10.0.0.0-3 80", "") ==
        "5:1 warning: TCP 10.0.0.1:80 is in TCP group web twice");
  CHECK(of("10.0.0.1", "").find("TCP group web gets 'persistence_timeout 360'") !=
        std::string::npos);
  CHECK(of("10.0.0.1 80", "ops\n") ==
        "4:1 warning: 'ops' is for UDP only and is ignored for TCP group web");
  CHECK(of("fwmark 9", "ops\n").empty());
  CHECK(of("fd00::1 80", "").find("real_server 10.0.0.2:80 is left out: from IPv6 to IPv4") !=
        std::string::npos);
  CHECK(of("fd00::1 80\n10.0.0.1 80", "").empty());
  CHECK(of("10.0.0.1 80", "lb_kind DR\nreal_server 10.0.0.2 81 {\nTCP_CHECK {\n}\n}\n")
            .find("is in this service already") != std::string::npos);
  CHECK(of("10.0.0.1 80\n10.1.0.0/16 80", "")
            .find("'10.1.0.0/16' is left out: virtual_server_group 'web' would have more than "
                  "65536 services") != std::string::npos);
  CHECK(of("10.0.0.1 80\n2001:db8::/32 80", "").find("'2001:db8::/32' is left out") !=
        std::string::npos);
  CHECK(with_notes(load("virtual_server_group web {\n10.0.0.1 80\n}\n"
                        "virtual_server 10.0.0.1 80 {\nprotocol TCP\n" +
                        server + "}\nvirtual_server group web {\nprotocol TCP\n" + server + "}\n"))
            .find("TCP 10.0.0.1:80 of TCP group web belongs to TCP 10.0.0.1:80 (on line 4) "
                  "already: its servers get no traffic from there") != std::string::npos);
}

TEST_CASE("validate: a login to the mail relay is whole, and over TLS") {
  const Loaded bare = load("global_defs {\nsmtp_user me\nsmtp_password file:/x\n}\n");
  CHECK(with_notes(bare).find("a password is told over TLS only, so 'smtp_tls starttls' counts") !=
        std::string::npos);
  CHECK(bare.model.globals.smtp_tls == MailTls::starttls);
  CHECK(with_notes(load("global_defs {\nsmtp_tls implicit\nsmtp_user me\n}\n"))
            .find("'smtp_user' means nothing without 'smtp_password': nobody logs in") !=
        std::string::npos);
}

TEST_CASE("validate: what asks for TLS never leaves in clear text without a word about it") {
  const auto read = [](const std::string& words) {
    return load("global_defs {\nsmtp_server relay.example\n" + words + "}\n");
  };
  for (const std::string wrong : {"startls", "start_tls", "on", "OFF"}) {
    const Loaded misspelt = read("smtp_tls " + wrong + "\n");
    CHECK(misspelt.model.globals.smtp_tls == MailTls::starttls);
    CHECK(with_notes(misspelt) ==
          "3:10 warning: 'smtp_tls' must be off, starttls or implicit, not '" + wrong +
              "': 'starttls' counts");
  }
  for (const std::string words : {"smtp_ca /ca.pem\n", "smtp_tls_name relay\n"}) {
    CHECK(read(words).model.globals.smtp_tls == MailTls::starttls);
    CHECK(with_notes(read(words))
              .find("a certificate is shown over TLS only, so 'smtp_tls "
                    "starttls' counts") != std::string::npos);
    const Loaded off = read("smtp_tls off\n" + words);
    CHECK(off.model.globals.smtp_tls == MailTls::off);
    CHECK(with_notes(off).starts_with("3:1 warning: 'smtp_"));
    CHECK(with_notes(off).find("mail leaves in clear text") != std::string::npos);
  }
  const Loaded login = read("smtp_user me\nsmtp_password x\nsmtp_tls off\n");
  CHECK(login.model.globals.smtp_tls == MailTls::starttls);
  CHECK(with_notes(login) ==
        "5:1 warning: 'smtp_tls off' beside 'smtp_user': a password is told over TLS only, so "
        "'smtp_tls starttls' counts");
}

TEST_CASE("validate: the name, the port and the paths of mail over TLS") {
  const auto read = [](const std::string& words) {
    return load("global_defs {\nsmtp_tls implicit\n" + words + "}\n");
  };
  CHECK(read("smtp_server relay\n").model.globals.smtp_port == 465);
  CHECK(read("smtp_server relay 25\n").model.globals.smtp_port == 25);
  CHECK(load("global_defs {\nsmtp_server relay\nsmtp_tls starttls\n}\n").model.globals.smtp_port ==
        25);
  CHECK(read("smtp_tls_name relay.example.\n").model.globals.smtp_tls_name == "relay.example");
  const Loaded dotted = read("smtp_tls_name .example\n");
  CHECK(dotted.model.globals.smtp_tls_name.empty());
  CHECK(with_notes(dotted) ==
        "3:1 warning: 'smtp_tls_name' must be one name, not '.example': 'smtp_server' counts");
  CHECK(with_notes(read("smtp_ca ca.pem\n")).find("3:1 warning: 'smtp_ca' should be an absolute") !=
        std::string::npos);
  CHECK(with_notes(read("smtp_user me\nsmtp_password file:pw\n"))
            .find("4:1 warning: 'smtp_password' should be an absolute") != std::string::npos);
  CHECK(with_notes(read("smtp_user me\nsmtp_password file:/pw\nsmtp_ca /ca.pem\n")).empty());
}

TEST_CASE("validate: the SSL block says what is missing, and who cannot read its files") {
  const std::string asks =
      "virtual_server 10.0.0.1 443 {\nprotocol TCP\nreal_server 10.0.0.2 443 {\n"
      "SSL_GET {\nurl {\npath /\n}\n}\n}\n}\n";
  const auto said = [&](const std::string& words) { return all("SSL {\n" + words + "}\n" + asks); };
  const bool is_root = ::geteuid() == 0;
  CHECK(said("certificate /nowhere.pem\n").starts_with(is_root ? "1:1 warning: " : "1:1 note: "));
  CHECK(said("key /k.pem\n") ==
        "1:1 warning: SSL has a 'key', but no 'certificate' that it belongs to: SSL_GET is never "
        "tried, and says nothing about its servers");
  CHECK(said("password x\n") ==
        "1:1 note: 'password' of SSL means nothing without a 'certificate': SSL_GET shows none");
  CHECK(said("certificate pki/c.pem\n")
            .starts_with("1:1 warning: 'certificate' of SSL should be an absolute path"));

  const std::string path = "/tmp/holdfast-validate-" + std::to_string(::getpid()) + ".pem";
  std::ofstream(path) << "text\n";
  REQUIRE(::chmod(path.c_str(), 0400) == 0);
  if (is_root && ::chown(path.c_str(), 1, 1) == 0) {
    CHECK(said("certificate " + path + "\n") ==
          "1:1 warning: the checkers cannot read " + path +
              " (owner 1, mode 0400): they are root without the right to pass over permissions: "
              "SSL_GET is never tried, and says nothing about its servers");
    REQUIRE(::seteuid(2) == 0);
    const std::string from_elsewhere = said("certificate " + path + "\n");
    CHECK(said("certificate /nowhere.pem\n").starts_with("1:1 note: "));
    REQUIRE(::seteuid(0) == 0);
    CHECK(from_elsewhere == "1:1 note: 'certificate' of SSL: cannot read " + path +
                                ": Permission denied: whether SSL_GET can use it is seen where the "
                                "director runs");
  }
  ::unlink(path.c_str());
}

TEST_CASE("validate: mail that cannot be sent, pipes with two writers") {
  CHECK(all(instance("smtp_alert"))
            .find("'smtp_alert' sends nothing without 'smtp_server' in global_defs") !=
        std::string::npos);
  CHECK(all("global_defs {\nnotify_fifo /tmp/f\nvrrp_notify_fifo /tmp/f\n}\n" + instance(""))
            .find("warning: 'notify_fifo' and 'vrrp_notify_fifo' are the same pipe, /tmp/f: the "
                  "second is left out") != std::string::npos);
}

TEST_CASE("validate: an unknown scheduler is a warning") {
  CHECK(all(service("lb_algo conhash")) ==
        "3:9 warning: 'conhash' is not a scheduler of the Linux kernel: wlc is used, as keepalived "
        "does");
}

TEST_CASE("validate: the interfaces that a model names") {
  const Loaded loaded =
      load(instance("virtual_ipaddress_excluded {\n10.0.0.1 dev eth9\n10.0.0.2 dev eth1\n}"));
  CHECK(interfaces_named_in(loaded.model) == std::vector<std::string>{"eth0", "eth1", "eth9"});
}

TEST_CASE("validate: broadcast addresses that are the address, or of another network") {
  const auto findings = [](std::string_view line) {
    return without_notes(load(instance(fmt::format("virtual_ipaddress {{\n{}\n}}\n", line))));
  };
  CHECK(
      findings("10.0.0.3/24 brd 10.0.0.3").find("warning: 'brd 10.0.0.3' is the address itself") !=
      std::string::npos);
  CHECK(findings("10.0.0.4/24 brd 192.168.0.255")
            .find("warning: 'brd 192.168.0.255' is not in the network of 10.0.0.4/24") !=
        std::string::npos);
  for (const char* line : {"10.0.0.3/24 brd 10.0.0.255", "10.0.0.3/24 brd +", "10.0.0.3/24 brd -",
                           "10.0.0.3/24", "10.0.0.3/32 brd 10.0.0.255"})
    CHECK_MESSAGE(findings(line).find("brd") == std::string::npos, line);
}
