#include "ipvs_wrapper/plan.hpp"
#include "ipvs_wrapper/text.hpp"
#include "tests/unit/ipvs_wrapper/random_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>

using namespace holdfast;
using namespace holdfast::ipvs;
using test::tcp;

namespace {

Table table_of(std::string_view text) {
  const auto table = parse_text(text);
  REQUIRE_MESSAGE(table.has_value(), table.error().message);
  return *table;
}

std::vector<std::string> lines_of(const Plan& steps) {
  std::vector<std::string> lines;
  for (const auto& step : steps) lines.push_back(to_string(step));
  return lines;
}

using Lines = std::vector<std::string>;

// A pool is published at most once: what clients meet is nothing at all, or (some of) what was
// there, or what is desired.
bool is_half_published(const Service& now, const Service& desired, bool was_published) {
  return !was_published && is_serving(now) && now != desired;
}

OwnedKeys some_keys(core::Rng& rng, const Table& table) {
  OwnedKeys keys;
  for (const auto& [key, service] : table.services) {
    if (rng.chance(50)) keys.insert(key);
  }
  return keys;
}

// What the plan promises: `desired`, plus what is foreign, exactly as it was.
Table promised(const Table& desired, const Table& actual, const OwnedKeys& owned) {
  Table table = desired;
  for (const auto& key : foreign_keys(desired, actual, owned))
    table.services.emplace(key, actual.services.at(key));
  return table;
}

}  // namespace

TEST_CASE("a new pool is published at once: scheduler none, servers, real scheduler [IPVS-3.1]") {
  const auto desired = table_of(
      "-A -t 192.0.2.1:80 -s wlc\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 2\n-a -t 192.0.2.1:80 -r "
      "10.0.0.1:80 -g -w 1\n");

  const auto steps = plan(desired, {}, {});

  CHECK(lines_of(steps) ==
        Lines{"-A -t 192.0.2.1:80 -s none", "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1",
              "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 2", "-E -t 192.0.2.1:80 -s wlc"});
}

TEST_CASE("the switch to a sorry server adds it before the dead servers go, and back likewise") {
  const auto normal =
      table_of("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1\n");
  const auto sorry =
      table_of("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.9:80 -g -w 1\n");

  CHECK(lines_of(plan(sorry, normal, {})) ==
        Lines{"-a -t 192.0.2.1:80 -r 10.0.0.9:80 -g -w 1", "-d -t 192.0.2.1:80 -r 10.0.0.1:80"});
  CHECK(lines_of(plan(normal, sorry, {})) ==
        Lines{"-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1", "-d -t 192.0.2.1:80 -r 10.0.0.9:80"});
}

TEST_CASE("weights rise before they fall, across services, and deletions come last") {
  const auto actual = table_of(
      "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 5\n-a -t 192.0.2.1:80 -r "
      "10.0.0.2:80 -g -w 0\n"
      "-A -t 192.0.2.2:80 -s rr\n-a -t 192.0.2.2:80 -r 10.0.0.1:80 -g -w 1\n-A -t 192.0.2.3:80 -s "
      "rr\n");
  const auto desired = table_of(
      "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 0\n-a -t 192.0.2.1:80 -r "
      "10.0.0.2:80 -g -w 5\n"
      "-A -t 192.0.2.2:80 -s wrr\n-a -t 192.0.2.2:80 -r 10.0.0.2:80 -g -w 1\n");

  const auto steps = plan(desired, actual, {tcp("192.0.2.3:80")});

  CHECK(lines_of(steps) == Lines{"-e -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 5",
                                 "-a -t 192.0.2.2:80 -r 10.0.0.2:80 -g -w 1",
                                 "-E -t 192.0.2.2:80 -s wrr",
                                 "-e -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 0",
                                 "-d -t 192.0.2.2:80 -r 10.0.0.1:80", "-D -t 192.0.2.3:80"});
}

TEST_CASE("a pool whose publication was interrupted is completed before its scheduler is set") {
  const auto actual = table_of(
      "-A -t 192.0.2.1:80 -s none\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1\n-a -t 192.0.2.1:80 "
      "-r 10.0.0.7:80 -g -w 1\n");
  const auto desired = table_of(
      "-A -t 192.0.2.1:80 -s mh\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1\n-a -t 192.0.2.1:80 -r "
      "10.0.0.2:80 -g -w 1\n");

  CHECK(lines_of(plan(desired, actual, {})) == Lines{"-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 1",
                                                     "-d -t 192.0.2.1:80 -r 10.0.0.7:80",
                                                     "-E -t 192.0.2.1:80 -s mh"});
}

TEST_CASE(
    "a desired service that exists is adopted: an equal one costs no step, a different weight "
    "costs one") {
  auto actual = table_of("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1\n");
  const auto desired = actual;
  CHECK(plan(desired, actual, {}).empty());

  actual.services.begin()->second.servers.begin()->second.weight = 3;

  CHECK(lines_of(plan(desired, actual, {})) == Lines{"-e -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1"});
}

TEST_CASE("a service that others made stays; one that was ours and is no longer desired goes") {
  const auto actual = table_of("-A -t 192.0.2.1:80 -s rr\n-A -t 192.0.2.2:80 -s rr\n");

  CHECK(lines_of(plan({}, actual, {tcp("192.0.2.2:80")})) == Lines{"-D -t 192.0.2.2:80"});
  CHECK(foreign_keys({}, actual, {tcp("192.0.2.2:80")}) == OwnedKeys{tcp("192.0.2.1:80")});
}

TEST_CASE(
    "property: applying a plan gives the desired table, foreign services untouched, in half a "
    "thousand drawn pairs") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    core::Rng rng(seed);
    const auto actual = test::random_table(rng, 8, 5);
    const auto desired = test::random_table(rng, 8, 5);
    const auto owned = some_keys(rng, actual);

    const auto steps = plan(desired, actual, owned);

    CAPTURE(seed);
    CHECK(write_text(apply(steps, actual)) == write_text(promised(desired, actual, owned)));
    CHECK(apply(steps, actual) == promised(desired, actual, owned));
    CHECK(plan(desired, apply(steps, actual), owned).empty());
  }
}

TEST_CASE(
    "property: at every step, no step fails, no pool in service goes empty and no new pool is seen "
    "in parts") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    core::Rng rng(seed);
    const auto actual = test::random_table(rng, 6, 5);
    const auto desired = test::random_table(rng, 6, 5);
    auto now = actual;
    for (const auto& step : plan(desired, actual, {})) {
      REQUIRE(apply_step(step, now) == 0);
      for (const auto& [key, service] : desired.services) {
        CAPTURE(seed);
        CAPTURE(to_string(step));
        const auto before = actual.services.find(key);
        const auto present = now.services.find(key);
        const bool served = before != actual.services.end() && is_serving(before->second);
        if (served && is_serving(service)) CHECK(is_serving(present->second));
        const bool published =
            before != actual.services.end() && before->second.settings.scheduler != kNoScheduler;
        if (present != now.services.end())
          CHECK_FALSE(is_half_published(present->second, service, published));
      }
    }
  }
}

TEST_CASE("differences are told in sentences") {
  const auto actual = table_of(
      "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 3\n-a -t 192.0.2.1:80 -r "
      "10.0.0.2:80 -m -w 1\n"
      "-a -t 192.0.2.1:80 -r 10.0.0.3:80 -g -w 1\n-A -u 192.0.2.9:53 -s rr\n");
  const auto desired = table_of(
      "-A -t 192.0.2.1:80 -s wlc -p 50\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1\n"
      "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 1\n-a -t 192.0.2.1:80 -r 10.0.0.4:80 -g -w 1\n-A -f "
      "7\n");

  Lines sentences;
  for (const auto& difference : diff(desired, actual)) sentences.push_back(to_string(difference));

  CHECK(sentences == Lines{"TCP 192.0.2.1:80 has -s rr, should have -s wlc -p 50",
                           "TCP 192.0.2.1:80: server 10.0.0.1:80 has weight 3, should have 1",
                           "TCP 192.0.2.1:80: server 10.0.0.2:80 has -m -w 1, should have -g -w 1",
                           "TCP 192.0.2.1:80: server 10.0.0.3:80 should not be there",
                           "TCP 192.0.2.1:80: server 10.0.0.4:80 is missing",
                           "UDP 192.0.2.9:53 should not be there", "FWM 7 is missing"});
  CHECK(diff(desired, desired).empty());
}

TEST_CASE(
    "the rehearsal refuses what the kernel refuses, with its numbers, and changes nothing then") {
  auto table = table_of("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1\n");
  const auto before = table;
  const auto key = tcp("192.0.2.1:80");
  const auto missing = tcp("192.0.2.2:80");
  const auto server = test::endpoint("10.0.0.1:80");
  const auto other = test::endpoint("10.0.0.2:80");
  const auto with = [](auto change) {
    Server s;
    change(s);
    return s;
  };

  CHECK(apply_step(AddService{key, {}}, table) == EEXIST);
  CHECK(apply_step(EditService{missing, {}}, table) == ESRCH);
  CHECK(apply_step(DeleteService{missing}, table) == ESRCH);
  CHECK(apply_step(AddServer{missing, server, {}}, table) == ESRCH);
  CHECK(apply_step(AddServer{key, server, {}}, table) == EEXIST);
  CHECK(apply_step(EditServer{key, other, {}}, table) == ENOENT);
  CHECK(apply_step(DeleteServer{key, other}, table) == ENOENT);
  CHECK(apply_step(AddServer{key, other, with([](Server& s) { s.lower_threshold = 1; })}, table) ==
        ERANGE);
  CHECK(apply_step(AddServer{key, other, with([](Server& s) { s.weight = 0x80000000; })}, table) ==
        ERANGE);
  CHECK(apply_step(AddServer{key, test::endpoint("0.0.0.0:80"), {}}, table) == EINVAL);
  CHECK(apply_step(AddServer{key, test::endpoint("224.0.0.1:80"), {}}, table) == EINVAL);
  CHECK(apply_step(AddServer{key, test::endpoint("[2001:db8::1]:80"), {}}, table) == EINVAL);
  const auto gue = with([](Server& s) {
    s.forwarding = Forwarding::tunnel;
    s.tunnel.type = TunnelType::gue;
  });
  CHECK(apply_step(AddServer{key, other, gue}, table) == EINVAL);

  CHECK(table == before);
}
