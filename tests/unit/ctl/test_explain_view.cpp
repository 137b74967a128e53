#include "ctl/explain_view.hpp"
#include "ctl/json_view.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace holdfast::ctl;

TEST_CASE("explain: everything that is told has its line, and only that") {
  const auto told = boost::json::parse(R"({"instance":"VI_1","interface":"eth0","vrid":51,
    "state":"BACKUP","since_at":"2026-11-21T00:00:01.000Z","since_ms":63000.5,
    "why":"192.0.2.2 advertises priority 150, ours is 100","priority":90,
    "priority_sum":"100 + 20 (chk succeeds) - 30 (eth1 is down or has no carrier) = 90",
    "trackers":[{"text":"chk succeeds","adds":20},
                {"text":"eth1 is down or has no carrier","adds":-30},
                {"text":"other succeeds","adds":0}],
    "heard":{"address":"192.0.2.2","priority":150,"heard_ms":350.25},
    "closed":["to its 2 addresses are dropped"],
    "rejected":[{"source":"192.0.2.3","what":"uses another password","adverts":7}],
    "timers":[{"in_ms":3200.5,"what":"becomes master"},{"in_ms":9000,"what":"may pre-empt"}],
    "changes":["one","another"],"faults":[],"troubles":["a trouble"],
    "history":[{"at":"2026-11-21T00:00:01.000Z","from":"MASTER","to":"BACKUP","why":"so"}]})");

  CHECK(render_explanation(told.as_object()) ==
        "VI_1 (eth0, VRID 51) is BACKUP since 2026-11-21T00:00:01.000Z (1 min 3 s)\n"
        "  why       192.0.2.2 advertises priority 150, ours is 100\n"
        "  priority  90: 100 + 20 (chk succeeds) - 30 (eth1 is down or has no carrier) = 90\n"
        "  tracks    chk succeeds (+20)\n"
        "            eth1 is down or has no carrier (-30)\n"
        "            other succeeds\n"
        "  heard     192.0.2.2 with priority 150, 350 ms ago\n"
        "  packets   to its 2 addresses are dropped\n"
        "  rejects   192.0.2.3 uses another password (7 adverts)\n"
        "  next      in 3.2 s: becomes master\n"
        "            in 9.0 s: may pre-empt\n"
        "  then      one\n"
        "            another\n"
        "  trouble   a trouble\n"
        "  before    2026-11-21T00:00:01.000Z  MASTER -> BACKUP: so\n");
}

TEST_CASE("explain: a sync group has a line for each member, and what keeps it where it is") {
  const auto told = boost::json::parse(R"({"group":"pair","state":"FAULT",
    "since_at":"2026-11-21T00:00:01.000Z","since_ms":63000.5,"why":"B: eth1 is down",
    "members":[{"name":"A","priority":100,"state":"FAULT","since_at":"2026-11-21T00:00:01.000Z",
                "since_ms":63000,"why":"B is in FAULT","is_waited_for":false},
               {"name":"B","priority":90,"state":"BACKUP","since_at":"2026-11-21T00:00:02.000Z",
                "since_ms":62000,"why":"started","is_waited_for":true}],
    "waits_for":[],"faults":["B: eth1 is down"],"changes":["one","another"],
    "history":[{"at":"2026-11-21T00:00:01.000Z","member":"B","from":"MASTER","to":"FAULT",
                "why":"so"}]})");

  CHECK(render_explanation(told.as_object()) ==
        "sync group pair is FAULT since 2026-11-21T00:00:01.000Z (1 min 3 s)\n"
        "  why       B: eth1 is down\n"
        "  members   A with priority 100 is FAULT since 2026-11-21T00:00:01.000Z (1 min 3 s): "
        "B is in FAULT\n"
        "            B with priority 90 is BACKUP since 2026-11-21T00:00:02.000Z (1 min 2 s): "
        "started; the others wait for it\n"
        "  fault     B: eth1 is down\n"
        "  then      one\n"
        "            another\n"
        "  before    2026-11-21T00:00:01.000Z  B: MASTER -> FAULT: so\n");
  CHECK(render_explanation({{"group", "new"}, {"state", "INIT"}, {"members", {1, nullptr}}}) ==
        "sync group new is INIT\n");
}

TEST_CASE("explain: an answer of another version is no crash") {
  CHECK(render_explanation({{"heard", 5}, {"timers", {1, 2}}, {"changes", nullptr}})
            .find("no other router yet") != std::string::npos);
}

TEST_CASE("json: a number beyond all counts reads as nothing") {
  const auto told = boost::json::parse(R"({"many":1e300,"few":-1e300,"some":12.5})").as_object();
  CHECK(number(told, "many") == std::nullopt);
  CHECK(number(told, "few") == std::nullopt);
  CHECK(number(told, "some") == 12);
}
