// The rules of `holdfastctl plan`: a table of edits with what follows from each.
#include "config/load.hpp"
#include "ctl/json_view.hpp"
#include "ctl/plan.hpp"
#include "tests/unit/config/support.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

using namespace holdfast;
using config::test::instance;

namespace {

config::Model model(const std::string& text) {
  const config::Loaded loaded = config::test::load(text);
  REQUIRE_MESSAGE(!loaded.diagnostics.has_errors(), config::render_text(loaded.diagnostics));
  return loaded.model;
}

/// "~ object: change: consequence", one line a step.
std::string lines(const std::string& before, const std::string& after,
                  const config::RunningView& running = {}) {
  std::string text;
  for (const config::PlanStep& step :
       config::plan_reload(model(before), model(after), running).steps) {
    const char mark = step.impact == config::Impact::harmless   ? ' '
                      : step.impact == config::Impact::disturbs ? '~'
                                                                : '!';
    text += fmt::format("{}{} {}: {}: {}", text.empty() ? "" : "\n", mark, step.object, step.change,
                        step.consequence);
  }
  return text;
}

std::string director(std::string_view extra, int priority = 100, std::string_view name = "VI_1",
                     int vrid = 51, std::string_view address = "10.0.0.5") {
  return fmt::format(
      "vrrp_instance {} {{\ninterface eth0\nvirtual_router_id {}\npriority {}\n"
      "virtual_ipaddress {{\n{}\n}}\n{}\n}}\n",
      name, vrid, priority, address, extra);
}

std::string cluster(std::string_view extra, std::string_view servers) {
  return fmt::format("virtual_server 198.51.100.7 80 {{\nprotocol TCP\n{}\n{}}}\n", extra, servers);
}
std::string server(int number, std::string_view inside = "weight 1") {
  return fmt::format("real_server 10.0.0.{} 80 {{\n{}\n}}\n", number, inside);
}

config::RunningView as_master(int priority = 100) {
  config::RunningView view;
  view.instances.push_back({.interface = "eth0",
                            .family = core::Family::v4,
                            .virtual_router_id = 51,
                            .is_master = true,
                            .is_in_fault = false,
                            .priority = priority,
                            .effective_priority = priority,
                            .master = "",
                            .master_priority = 0});
  return view;
}
config::RunningView as_backup(int effective = 100, int master_priority = 120) {
  config::RunningView view = as_master();
  view.instances[0].is_master = false;
  view.instances[0].effective_priority = effective;
  view.instances[0].master = "10.0.0.2";
  view.instances[0].master_priority = master_priority;
  return view;
}
config::RunningView in_fault() {
  config::RunningView view = as_backup();
  view.instances[0].is_in_fault = true;
  view.instances[0].master = "";
  return view;
}
config::RunningView serving(std::uint64_t connections_of_ten, std::uint64_t up_weight = 2) {
  config::RunningView view;
  view.services.push_back({"TCP 198.51.100.7:80", up_weight});
  view.servers.push_back({"TCP 198.51.100.7:80", "10.0.0.10:80", connections_of_ten});
  view.servers.push_back({"TCP 198.51.100.7:80", "10.0.0.11:80", 0});
  return view;
}

}  // namespace

TEST_CASE("plan: nothing changes when only the layout of the file does") {
  CHECK(lines(director(""), "# moved\n\n" + director("")).empty());
}

TEST_CASE("plan: priority, seen from a master, a backup, a fault and without knowing") {
  const std::string low = director("", 100);
  const std::string high = director("", 150);
  CHECK(lines(low, high, as_backup()) == "~ VI_1: priority 100 → 150: will preempt 10.0.0.2");
  CHECK(lines(low, director("preempt_delay 30", 150), as_backup())
            .starts_with("~ VI_1: priority 100 → 150: will preempt 10.0.0.2 after 30 s"));
  CHECK(lines(low, director("", 110), as_backup()) ==
        "  VI_1: priority 100 → 110: stays backup of 10.0.0.2 (priority 120)");
  CHECK(lines(low, director("", 120), as_backup()) ==
        "  VI_1: priority 100 → 120: stays backup of 10.0.0.2 (priority 120)");
  CHECK(lines(director("nopreempt"), director("nopreempt", 150), as_backup()) ==
        "  VI_1: priority 100 → 150: leaves 10.0.0.2 (priority 120) master because of nopreempt");
  CHECK(lines(low, high, as_master()) == "  VI_1: priority 100 → 150: stays master");
  CHECK(lines(high, low, as_master(150)) ==
        "~ VI_1: priority 150 → 100: stays master only if no peer that may preempt is above 100");
  CHECK(lines(low, high, in_fault()) ==
        "  VI_1: priority 100 → 150: counts when the fault is over");
  CHECK(lines(low, high) == "~ VI_1: priority 100 → 150: will preempt a master below 150");
  CHECK(lines(high, low) ==
        "~ VI_1: priority 150 → 100: as master it gives way to a peer above 100");
  CHECK(lines(director("nopreempt"), director("nopreempt", 150)) ==
        "  VI_1: priority 100 → 150: a master that is there stays master because of nopreempt");
}

TEST_CASE("plan: what tracking takes from the priority stays taken") {
  CHECK(lines(director(""), director("", 150), as_backup(60)) ==
        "  VI_1: priority 100 → 150: stays backup of 10.0.0.2 (priority 120)");
}

TEST_CASE("plan: a backup that hears nobody") {
  config::RunningView lonely = as_backup();
  lonely.instances[0].master = "";
  CHECK(lines(director(""), director("", 150), lonely) ==
        "  VI_1: priority 100 → 150: becomes master when no other is heard");
}

TEST_CASE("plan: preemption is allowed or forbidden") {
  const std::string strong = director("", 150);
  const std::string shy = director("nopreempt", 150);
  CHECK(lines(shy, strong, as_backup(150)).ends_with(": will preempt 10.0.0.2"));
  CHECK(lines(shy, strong, as_master(150)).ends_with(": stays master"));
  CHECK(lines(shy, strong).starts_with("~ "));
  CHECK(lines(strong, shy, as_backup(150))
            .ends_with(": a master that is there is left alone from now on"));
}

TEST_CASE("plan: addresses come, go and change") {
  const std::string one = director("");
  const std::string two = director("", 100, "VI_1", 51, "10.0.0.5\n10.0.0.6");
  CHECK(lines(one, two, as_master()).ends_with(": takes 10.0.0.6 and announces it"));
  CHECK(lines(one, two, as_backup()).ends_with(": holds 10.0.0.6 when it becomes master"));
  CHECK(lines(two, one, as_master()).starts_with("! VI_1: virtual_ipaddress 10.0.0.6"));
  CHECK(lines(two, one, as_master()).ends_with(": releases 10.0.0.6, which nobody holds then"));
  CHECK(lines(two, one, as_backup())
            .ends_with(": the master holds 10.0.0.6 until it is reloaded too"));
  CHECK(lines(two, one).ends_with(": if it is master: releases 10.0.0.6, which nobody holds then"));
  const std::string other = director("", 100, "VI_2", 52, "10.0.0.6");
  const std::string moved = lines(two, one + other, as_master());
  CHECK(moved.starts_with("~ VI_1: virtual_ipaddress 10.0.0.6"));
  CHECK(moved.find(": 10.0.0.6 goes to another instance") != moved.npos);
  const std::string relabelled =
      lines(one, director("", 100, "VI_1", 51, "10.0.0.5 label eth0:x"), as_master());
  CHECK(relabelled.ends_with(": 10.0.0.5 is taken off and put on again"));
}

TEST_CASE("plan: a partner with keepalived that counts addresses becomes a second master") {
  const auto warned = [](const std::string& before, const std::string& after,
                         const config::RunningView& running = {}) {
    return config::plan_reload(model(before), model(after), running).warnings;
  };
  const std::string one = director("");
  const std::string two = director("", 100, "VI_1", 51, "10.0.0.5\n10.0.0.6");

  REQUIRE(warned(one, two, as_master()).size() == 1);
  CHECK(warned(one, two, as_master())
            .front()
            .starts_with("VI_1: its adverts list 2 addresses instead of 1: a partner with "
                         "keepalived before 2.3.3 drops adverts"));
  CHECK(warned(two, one, as_master()).front().starts_with("VI_1: its adverts list 1 address "));
  CHECK(warned(one, two).front().starts_with("VI_1: if it is master: its adverts list "));
  // A backup sends none, an equal number is accepted, excluded ones are not in the adverts.
  CHECK(warned(one, two, as_backup()).empty());
  CHECK(warned(one, director("", 100, "VI_1", 51, "10.0.0.6"), as_master()).empty());
  CHECK(warned(one, director("virtual_ipaddress_excluded {\n10.0.0.6\n}\n"), as_master()).empty());
  CHECK(warned(one, one + director("", 100, "VI_2", 52, "10.0.0.6")).empty());

  const config::Plan plan = config::plan_reload(model(one), model(two), as_master());
  const std::string text = ctl::render_plan(plan, ctl::Colours::no);
  CHECK(text.find("\nwarning: VI_1: its adverts list ") != text.npos);
  CHECK(text.ends_with("\n1 change, 1 warning\n"));
  CHECK(ctl::plan_json(plan).at("warnings").as_array().size() == 1);
}

TEST_CASE("plan: router ids that are exchanged are warned of once, a new name is not") {
  const auto warned = [](const std::string& before, const std::string& after) {
    return config::plan_reload(model(before), model(after)).warnings;
  };
  const auto pair = [](int first, int second) {
    return director("", 100, "VI_1", first) + director("", 100, "VI_2", second, "10.0.0.6");
  };

  REQUIRE(warned(pair(51, 52), pair(52, 51)).size() == 1);
  CHECK(warned(pair(51, 52), pair(52, 51))
            .front()
            .starts_with("VI_1: virtual_router_id 52 on eth0 was that of VI_2: until the other "
                         "director has the new file"));
  CHECK(warned(pair(51, 52), pair(52, 53)).size() == 1);  // one moves up to where the other was
  CHECK(warned(pair(51, 52), pair(53, 54)).empty());
  CHECK(warned(director(""), director("", 100, "VI_9")).empty());
}

TEST_CASE("plan: an instance comes or goes") {
  const std::string first = director("");
  const std::string second = director("", 100, "VI_2", 52, "10.0.0.6");
  CHECK(lines(first, first + second) ==
        "  VI_2: added: begins as backup and takes 10.0.0.6 when no master is heard");
  CHECK(lines(second + first, second, as_master()) ==
        "! VI_1: removed: releases 10.0.0.5, its peer takes over");
  CHECK(lines(second + first, second, as_backup()) ==
        "  VI_1: removed: nothing is released; 10.0.0.2 has one backup less");
  CHECK(lines(second + first, second, in_fault()) ==
        "  VI_1: removed: was in fault and held nothing");
  CHECK(lines(second + first, second) ==
        "! VI_1: removed: if it is master: releases 10.0.0.5, its peer takes over");
  CHECK(lines(first, director("", 255), as_backup()).starts_with("~ VI_1: priority 100 → 255"));
}

TEST_CASE("plan: the same name on another interface is told once, as what it is") {
  const std::string moved = lines(director(""), director("", 100, "VI_1", 77), as_master());
  CHECK(moved ==
        "! VI_1: virtual_router_id 51 → 77: another virtual router for its peers: releases "
        "10.0.0.5 and begins anew as backup");
}

TEST_CASE("plan: what peers must have too") {
  CHECK(lines(director(""), director("advert_int 2"), as_master())
            .starts_with("~ VI_1: advert_int 1 → 2: peers with another interval"));
  const auto with = [](const char* password) {
    return director(fmt::format("authentication {{\nauth_type PASS\nauth_pass {}\n}}", password));
  };
  const std::string changed = lines(with("one"), with("two"), as_master());
  CHECK(changed.find("peers with another password") != changed.npos);
  CHECK(changed.find("one") == changed.npos);  // a password is never shown
}

TEST_CASE("plan: names and scripts are harmless") {
  CHECK(lines(director(""), director("", 100, "VI_9")) ==
        "  VI_9: name VI_1 → VI_9: another name in messages and scripts, nothing else");
}

TEST_CASE("plan: a service comes, goes or schedules in another way") {
  const std::string one = cluster("lb_algo wrr", server(10) + server(11));
  CHECK(lines(one, cluster("lb_algo mh", server(10) + server(11))) ==
        "~ TCP 198.51.100.7:80: lb_algo wrr → mh: new connections move, established ones stay");
  CHECK(lines(director(""), director("") + one) ==
        "  TCP 198.51.100.7:80: added: serves with 2 servers");
  CHECK(lines(director("") + one, director(""), serving(7)) ==
        "! TCP 198.51.100.7:80: removed: nobody answers there any more; 7 connections are cut off");
  CHECK(lines(director("") + one, director("")) ==
        "! TCP 198.51.100.7:80: removed: nobody answers there any more; its connections are cut "
        "off");
}

TEST_CASE("plan: a quorum that changes is compared with the weight that is up") {
  const auto with = [](const char* quorum, const char* sorry = "") {
    return cluster(fmt::format("quorum {}\n{}", quorum, sorry), server(10) + server(11));
  };
  CHECK(lines(with("1"), with("2"), serving(0, 2)).ends_with(": still met"));
  CHECK(lines(with("1"), with("2"), serving(0, 1))
            .ends_with(": lost with weight 1: no server is left"));
  CHECK(lines(with("1", "sorry_server 10.0.0.99 80"), with("2", "sorry_server 10.0.0.99 80"),
              serving(0, 1))
            .ends_with(": lost with weight 1: the sorry server takes over"));
  CHECK(lines(with("2"), with("1"), serving(0, 1)).ends_with(": met again with weight 1"));
}

TEST_CASE("plan: servers come, go and get other weights") {
  const std::string two = cluster("", server(10) + server(11));
  const auto first_weighs = [](int weight) {
    return cluster("", server(10, fmt::format("weight {}", weight)) + server(11));
  };
  CHECK(lines(two, cluster("", server(11)), serving(5)) ==
        "! TCP 198.51.100.7:80 10.0.0.10:80: removed: 5 connections are cut off");
  CHECK(lines(two, cluster("", server(10)), serving(5)) ==
        "~ TCP 198.51.100.7:80 10.0.0.11:80: removed: no connection is cut off");
  CHECK(lines(two, two.substr(0, two.size() - 2) + server(12) + "}\n") ==
        "  TCP 198.51.100.7:80 10.0.0.12:80: added: takes new connections at once");
  CHECK(lines(two, first_weighs(0), serving(1)) ==
        "~ TCP 198.51.100.7:80 10.0.0.10:80: weight 1 → 0: takes no new connections, 1 connection "
        "stays");
  CHECK(lines(two, first_weighs(3)) ==
        "  TCP 198.51.100.7:80 10.0.0.10:80: weight 1 → 3: gets more of the new connections");
  CHECK(lines(first_weighs(0), two) ==
        "  TCP 198.51.100.7:80 10.0.0.10:80: weight 0 → 1: takes new connections again");
}

// ---- how much is removed ------------------------------------------------------------------------

TEST_CASE("removal: addresses that another instance holds now and servers that stay are not gone") {
  const auto before = model(director("", 100, "VI_1", 51, "10.0.0.5\n10.0.0.6\n10.0.0.7") +
                            cluster("", server(10) + server(11) + server(12)));
  const auto after = model(director("", 100, "VI_2", 60, "10.0.0.5\n10.0.0.7\n10.0.0.9") +
                           cluster("lb_algo rr", server(12) + server(13)));

  const config::Removal counts = config::removal(before, after);

  CHECK(counts ==
        config::Removal{.addresses = 1, .of_addresses = 3, .servers = 2, .of_servers = 3});
  CHECK(config::removed_text(counts) == "removes 1 of 3 addresses and 2 of 3 servers");
  CHECK(config::removed_text(config::removal(before, before)).empty());
}

TEST_CASE("limit: only more than the share is beyond it, and what runs decides") {
  config::Model before = model(cluster("", server(10) + server(11) + server(12) + server(13)));
  config::Model after = model(cluster("", server(10) + server(11) + server(12)));
  CHECK(config::beyond_limit(before, after).empty());
  after.globals.reload_limit = 24;
  CHECK(config::beyond_limit(before, after)
            .starts_with("the new configuration removes 1 of 4 servers, more than the 24 %"));
  before.globals.reload_limit = 25;
  CHECK(config::beyond_limit(before, after).empty());
  before.globals.reload_limit = 0;
  CHECK_FALSE(config::beyond_limit(before, after).empty());
  CHECK(config::beyond_limit(before, before).empty());
  CHECK(config::beyond_limit(after, before).empty());  // more servers than before
}

TEST_CASE("limit: without one, a file in which a whole kind is gone is beyond it") {
  const std::string routers = director("", 100, "VI_1") + director("", 100, "VI_2", 52);
  const std::string service = cluster("", server(10));
  const config::Model both = model(routers + service);
  const config::Model nothing = model("# vrrp_instance VI_1 {\n");

  CHECK(config::beyond_limit(both, nothing) ==
        "the new configuration has no vrrp_instance any more (2 are in use) and no virtual_server "
        "any more (1 is in use); if that is meant, take it into use with `holdfastctl reload "
        "--force`");
  CHECK(config::beyond_limit(both, model(routers))
            .starts_with("the new configuration has no virtual_server any more (1 is in use); if"));
  CHECK(config::beyond_limit(both, model(service))
            .starts_with("the new configuration has no vrrp_instance any more (2 are in use); if"));
  CHECK(config::beyond_limit(both, model(director("", 100) + service)).empty());
  CHECK(config::beyond_limit(nothing, nothing).empty());
  CHECK(config::beyond_limit(model(service), model(service)).empty());

  config::Model careless = both;
  careless.globals.reload_limit = 100;
  CHECK(config::beyond_limit(careless, nothing).empty());
}

// ---- what the command line makes of it ----------------------------------------------------------

TEST_CASE("plan view: state, master and connections come out of the status answers") {
  ctl::Reply vrrp{"vrrp",
                  boost::json::parse(R"({"instances":[
      {"name":"VI_1","interface":"eth0","vrid":51,"family":"ipv4","state":"BACKUP","priority":100,
       "effective_priority":90,"master":{"address":"10.0.0.2","priority":120,"heard_ms":3}},
      {"name":"VI_2","interface":"eth1","vrid":7,"family":"ipv4","state":"MASTER","priority":100,
       "effective_priority":100,"master":{"address":"10.0.0.1","priority":100,"heard_ms":0}}]})")
                      .as_object(),
                  ""};
  ctl::Reply checkers{"checkers",
                      boost::json::parse(R"({"services":[{"protocol":"TCP",
      "address":"198.51.100.7","port":80,"up_weight":3,"servers":[
        {"address":"10.0.0.10","port":80,"active_connections":12}]},
      {"protocol":"FWM","mark":7,"family":"ipv4","up_weight":1,"servers":[]},
      {"protocol":"FWM","mark":7,"family":"ipv6","up_weight":2,"servers":[
        {"address":"fd00::1","port":80,"active_connections":5}]}]})")
                          .as_object(),
                      ""};

  const config::RunningView view = ctl::running_view(vrrp, checkers);

  REQUIRE(view.instances.size() == 2);
  CHECK(view.instances[0].master == "10.0.0.2");
  CHECK(view.instances[0].effective_priority == 90);
  CHECK(view.instances[1].is_master);
  CHECK(view.instances[1].master.empty());
  REQUIRE(view.servers.size() == 2);
  REQUIRE(view.services.size() == 3);
  CHECK(view.services[0].service == "TCP 198.51.100.7:80");
  CHECK(view.services[1].service == "fwmark 7");
  CHECK(view.services[2].service == "fwmark 7 IPv6");
  CHECK(view.servers[1].service == "fwmark 7 IPv6");
  CHECK(view.servers[0].server == "10.0.0.10:80");
  CHECK(view.servers[0].connections == 12);
  const config::RunningView nothing = ctl::running_view({"vrrp", {}, "gone"}, {"checkers", {}, ""});
  CHECK(nothing.instances.empty());
}

TEST_CASE("plan text: marks without colours, a line about what is removed, a count") {
  const config::Plan plan{
      .steps = {{"VI_1", "priority 100 → 150", "will preempt 10.0.0.2", config::Impact::disturbs},
                {"VI_2", "removed", "releases 10.0.0.5", config::Impact::drops},
                {"VI_3", "name A → B", "", config::Impact::harmless}},
      .removal = {.addresses = 1, .of_addresses = 4, .servers = 0, .of_servers = 0},
      .beyond_limit = "too much"};

  CHECK(ctl::render_plan(plan, ctl::Colours::no) ==
        "~ VI_1: priority 100 → 150: will preempt 10.0.0.2\n"
        "! VI_2: removed: releases 10.0.0.5\n"
        "  VI_3: name A → B\n"
        "removes 1 of 4 addresses\n"
        "3 changes, 1 (~) moves traffic, 1 (!) drops addresses or connections\n"
        "will be refused: too much\n");
  CHECK(ctl::render_plan({}, ctl::Colours::no) == "nothing changes\n");
  CHECK(boost::json::serialize(ctl::plan_json(plan)) ==
        R"({"changes":true,"steps":[{"object":"VI_1","change":"priority 100 → 150",)"
        R"("consequence":"will preempt 10.0.0.2","impact":"disturbs"},{"object":"VI_2",)"
        R"("change":"removed","consequence":"releases 10.0.0.5","impact":"drops"},)"
        R"({"object":"VI_3","change":"name A → B","consequence":"","impact":"harmless"}],)"
        R"("warnings":[],)"
        R"("removal":{"addresses":1,"of_addresses":4,"servers":0,"of_servers":0},)"
        R"("beyond_limit":"too much"})");
}

TEST_CASE("durations on the command line") {
  CHECK(ctl::parse_duration("60") == std::chrono::seconds(60));
  CHECK(ctl::parse_duration("90s") == std::chrono::seconds(90));
  CHECK(ctl::parse_duration("5m") == std::chrono::minutes(5));
  CHECK(ctl::parse_duration("1h") == std::chrono::hours(1));
  CHECK(ctl::parse_duration("200ms") == std::chrono::milliseconds(200));
  for (const char* words : {"", "0", "0s", "-5", "5 s", "s", "5d", "1.5", "99999999999999999999"})
    CHECK_MESSAGE(!ctl::parse_duration(words), words);
}
