// The pure parts of `holdfastctl plan` and `what-if`: removal, warnings about the partner, the
// page.
#include "config/compare/partner.hpp"
#include "config/load.hpp"
#include "ctl/plan.hpp"
#include "ctl/rehearsal_view.hpp"
#include "tests/unit/config/support.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

using namespace holdfast;

namespace {

config::Model model(const std::string& text) {
  const config::Loaded loaded = config::test::load(text);
  REQUIRE_MESSAGE(!loaded.diagnostics.has_errors(), config::render_text(loaded.diagnostics));
  return loaded.model;
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

}  // namespace

// ---- the other director -------------------------------------------------------------------------

TEST_CASE("plan: a partner with keepalived that counts addresses becomes a second master") {
  using config::StateIs;
  const auto warned = [](const std::string& before, const std::string& after,
                         StateIs state = StateIs::known,
                         const std::set<std::string>& backups = {}) {
    return config::partner_warnings(model(before), model(after), backups, state);
  };
  const std::string one = director("");
  const std::string two = director("", 100, "VI_1", 51, "10.0.0.5\n10.0.0.6");

  REQUIRE(warned(one, two).size() == 1);
  CHECK(warned(one, two).front().starts_with(
      "VI_1: its adverts list 2 addresses instead of 1: a partner with "
      "keepalived before 2.3.3 drops adverts"));
  CHECK(warned(two, one).front().starts_with("VI_1: its adverts list 1 address "));
  CHECK(warned(one, two, StateIs::unknown)
            .front()
            .starts_with("VI_1: if it is master: its adverts list "));
  // A backup sends none, an equal number is accepted, excluded ones are not in the adverts.
  CHECK(warned(one, two, StateIs::known, {"VI_1"}).empty());
  CHECK(warned(one, director("", 100, "VI_1", 51, "10.0.0.6")).empty());
  CHECK(warned(one, director("virtual_ipaddress_excluded {\n10.0.0.6\n}\n")).empty());
  CHECK(warned(one, one + director("", 100, "VI_2", 52, "10.0.0.6")).empty());
}

TEST_CASE("plan: router ids that are exchanged are warned of once, a new name is not") {
  const auto warned = [](const std::string& before, const std::string& after) {
    return config::partner_warnings(model(before), model(after), {}, config::StateIs::unknown);
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

namespace {

boost::json::object answer(const char* actions, const char* more = "") {
  return boost::json::parse(std::string(R"({"actions":[)") + actions + "]" + more + "}")
      .as_object();
}

constexpr const char* kNow =
    R"({"after_ms":0.0,"subject":"VI_1","kind":"addresses","text":"places 10.0.0.6 dev eth0"})";
constexpr const char* kUnseen =
    R"({"after_ms":0,"subject":"VI_1","kind":"script","decision":"notify MASTER 100","text":""})";
constexpr const char* kLater =
    R"({"after_ms":3609.375,"subject":"VI_1","peer":"10.0.0.2","kind":"state","to":"MASTER",)"
    R"("text":"becomes MASTER: we were silent"})";

}  // namespace

TEST_CASE("rehearsal text: what can be seen, with its moment and whoever does it") {
  const std::string all = std::string(kNow) + "," + kUnseen + "," + kLater;
  const boost::json::object both = answer(all.c_str());

  CHECK(ctl::render_actions(both, ctl::Span::everything, ctl::Colours::no) ==
        "at once       VI_1: places 10.0.0.6 dev eth0\n"
        "after 3.6 s   VI_1: 10.0.0.2 becomes MASTER: we were silent\n");
  CHECK(ctl::render_actions(both, ctl::Span::at_once, ctl::Colours::no) ==
        "at once       VI_1: places 10.0.0.6 dev eth0\n");
  CHECK(ctl::render_actions(answer(kLater, R"(,"left_off":7,"ended_early":true)"),
                            ctl::Span::everything, ctl::Colours::no) ==
        "after 3.6 s   VI_1: 10.0.0.2 becomes MASTER: we were silent\n"
        "and 7 more\n"
        "what comes later was not rehearsed: too much happens\n");
  CHECK(ctl::render_actions(answer("", R"(,"notes":["nobody else was heard for VI_1"])"),
                            ctl::Span::everything,
                            ctl::Colours::no) == "note: nobody else was heard for VI_1\n");
  CHECK(ctl::acts_at_once(both));
  CHECK_FALSE(ctl::acts_at_once(answer(kUnseen)));
  CHECK_FALSE(ctl::acts_at_once(answer(kLater)));
  CHECK(ctl::render_actions({}, ctl::Span::everything, ctl::Colours::no).empty());
}

TEST_CASE("plan text: differences, what would be done, what is removed, warnings, a count") {
  ctl::PlanPage page{.from = "generation 1",
                     .to = "new.conf",
                     .changes = config::diff(model(director("")), model(director("", 150))),
                     .rehearsed = {{"vrrp", answer(kNow)}},
                     .warnings = {"mind the partner"},
                     .removal = {.addresses = 1, .of_addresses = 4, .servers = 0, .of_servers = 0},
                     .beyond_limit = "too much"};

  CHECK(ctl::render_plan(page, ctl::Colours::no) ==
        "generation 1 → new.conf\n"
        "vrrp_instance VI_1: priority 100 → 150\n"
        "rehearsed with today's state:\n"
        "at once       VI_1: places 10.0.0.6 dev eth0\n"
        "removes 1 of 4 addresses\n"
        "warning: mind the partner\n"
        "1 change, 1 warning\n"
        "will be refused: too much\n");
  const boost::json::object json = ctl::plan_json(page);
  CHECK(json.at("changes").as_bool());
  CHECK(boost::json::serialize(json.at("differences")) ==
        R"(["vrrp_instance VI_1: priority 100 → 150"])");
  CHECK(json.at("rehearsed").at("vrrp") == boost::json::value(answer(kNow)));
  CHECK(json.at("beyond_limit").as_string() == "too much");

  page.rehearsed = {{"vrrp", answer("")}};
  CHECK(ctl::render_plan(page, ctl::Colours::no)
            .find("\nrehearsed with today's state: nothing is sent, moved or run\n") !=
        std::string::npos);
}

TEST_CASE("plan text: without a difference only what a reload does at once counts") {
  ctl::PlanPage page{.from = "generation 1",
                     .to = "same.conf",
                     .changes = {},
                     .rehearsed = {{"vrrp", answer(kLater)}},
                     .warnings = {},
                     .removal = {},
                     .beyond_limit = {}};
  CHECK_FALSE(page.does_something());
  CHECK(ctl::render_plan(page, ctl::Colours::no) == "generation 1 → same.conf\nnothing changes\n");
  CHECK_FALSE(ctl::plan_json(page).at("changes").as_bool());

  page.rehearsed = {{"vrrp", answer(kNow)}};  // it tries again what failed
  CHECK(page.does_something());
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
