// Which processes are meant, and when there are enough of them.
#include "vrrp/core/process_checks.hpp"

#include <doctest/doctest.h>

using namespace holdfast::vrrp;
using namespace std::chrono_literals;
using Actions = ProcessChecks::Actions;

namespace {

const Instant t0{1h};

ProcessFacts process(std::string name, std::vector<std::string> line = {}) {
  return {std::move(name), std::move(line)};
}

ProcessCheck check(std::string program) {
  return {.name = "p",
          .program = std::move(program),
          .parameters = {},
          .match = ParameterMatch::any,
          .by_command_line = false,
          .quorum = 1,
          .quorum_max = std::nullopt,
          .fork_delay = Duration::zero(),
          .terminate_delay = Duration::zero()};
}

/// `count` processes run when the first look is over.
struct Bench {
  ProcessChecks checks;
  Instant now = t0;
  Actions out;

  Bench(const ProcessCheck& one, int count) {
    CHECK(checks.follow({one}));
    std::set<ProcessNumber> seen;
    for (int number = 1; number <= count; ++number) {
      checks.found(number, process("web"), now, out);
      seen.insert(number);
    }
    CHECK(out.empty());  // nobody knows yet how many there are
    checks.looked(seen, now, out);
  }
  Actions step(const auto& what) {
    out.clear();
    what();
    return out;
  }
  Actions exec(ProcessNumber number, const std::string& name = "web") {
    return step([&] { checks.found(number, process(name), now, out); });
  }
  Actions fork(ProcessNumber parent, ProcessNumber child) {
    return step([&] { checks.forked(parent, child, now, out); });
  }
  Actions end(ProcessNumber number) {
    return step([&] { checks.ended(number, now, out); });
  }
  Actions wait_for_deadline() {
    now = checks.deadline().value();
    return step([&] { checks.tick(now, out); });
  }
};

Actions good(const std::string& why) {
  return {{"p", Verdict::good, why}};
}
Actions bad(const std::string& why) {
  return {{"p", Verdict::bad, why}};
}

}  // namespace

TEST_CASE("processes: by name, or by the command line with its parameters") {
  ProcessCheck one = check("web");
  CHECK(is_meant(one, process("web", {"/usr/bin/web", "-x"})));
  CHECK_FALSE(is_meant(one, process("webd")));
  one.program = "/usr/bin/web";
  one.by_command_line = true;
  CHECK(is_meant(one, process("web", {"/usr/bin/web", "-x"})));
  CHECK_FALSE(is_meant(one, process("/usr/bin/web")));  // a thread of the kernel

  const auto meant = [&](ParameterMatch match, std::vector<std::string> wants,
                         std::vector<std::string> has) {
    one.match = match;
    one.parameters = std::move(wants);
    has.insert(has.begin(), one.program);
    return is_meant(one, process("web", has));
  };
  CHECK(meant(ParameterMatch::equal, {"-x", "1"}, {"-x", "1"}));
  CHECK_FALSE(meant(ParameterMatch::equal, {"-x", "1"}, {"-x", "1", "2"}));
  CHECK_FALSE(meant(ParameterMatch::equal, {"-x", "1"}, {"-x", "12"}));
  CHECK(meant(ParameterMatch::first_ones, {"-x"}, {"-x", "1"}));
  CHECK_FALSE(meant(ParameterMatch::first_ones, {"-x"}, {"-xy"}));
  CHECK_FALSE(meant(ParameterMatch::first_ones, {"-x", "1"}, {"-x"}));
  CHECK(meant(ParameterMatch::last_may_be_longer, {"-x", "/etc/"}, {"-x", "/etc/web", "more"}));
  CHECK_FALSE(meant(ParameterMatch::last_may_be_longer, {"-x", "/etc/"}, {"-xx", "/etc/web"}));
  CHECK_FALSE(meant(ParameterMatch::last_may_be_longer, {"-x", "/etc/"}, {"-x"}));
  CHECK(meant(ParameterMatch::last_may_be_longer, {}, {"-x"}));
}

TEST_CASE("processes: quorum and quorum_max are bounds of how many may run") {
  ProcessCheck one = check("web");
  one.quorum = 2;
  one.quorum_max = 3;
  Bench bench(one, 1);
  CHECK(bench.out == bad("1 of web runs, 2 to 3 wanted"));

  CHECK(bench.exec(2) == good("2 of web run, 2 to 3 wanted"));
  CHECK(bench.exec(3).empty());
  CHECK(bench.exec(4) == bad("4 of web run, 2 to 3 wanted"));
  CHECK(bench.end(1) == good("3 of web run, 2 to 3 wanted"));
  CHECK(bench.exec(2, "other").empty());
  CHECK(bench.exec(3, "other") == bad("1 of web runs, 2 to 3 wanted"));
  CHECK(bench.end(99).empty());
}

TEST_CASE("processes: quorum_max 0 means that none may run") {
  ProcessCheck one = check("web");
  one.quorum_max = 0;
  Bench bench(one, 0);
  CHECK(bench.out == good("0 of web run, none wanted"));
  CHECK(bench.exec(1) == bad("1 of web runs, none wanted"));
}

TEST_CASE("processes: terminate_delay waits for a successor, and who execs counts at once") {
  ProcessCheck one = check("web");
  one.terminate_delay = 2s;
  one.fork_delay = 1s;
  Bench bench(one, 1);

  CHECK(bench.end(1).empty());
  CHECK(bench.checks.deadline() == t0 + 2s);
  bench.now += 1s;
  CHECK(bench.exec(2).empty());
  CHECK_FALSE(bench.checks.deadline());
  CHECK(bench.end(2).empty());
  CHECK(bench.wait_for_deadline() == bad("0 of web run, at least 1 wanted"));
  CHECK(bench.now == t0 + 3s);
  CHECK(bench.exec(3) == good("1 of web runs, at least 1 wanted"));
}

TEST_CASE("processes: a fork that becomes another program within fork_delay is no second one") {
  ProcessCheck one = check("web");
  one.quorum_max = 1;
  one.fork_delay = 1s;
  Bench bench(one, 1);

  CHECK(bench.fork(1, 2).empty());
  CHECK(bench.exec(2, "helper").empty());
  CHECK_FALSE(bench.checks.deadline());
  CHECK(bench.fork(50, 51).empty());  // nobody's
  CHECK(bench.fork(1, 3).empty());
  CHECK(bench.wait_for_deadline() == bad("2 of web run, 1 to 1 wanted"));
}

TEST_CASE("processes: what was lost is found by the next look") {
  Bench bench(check("web"), 2);
  CHECK(bench.step([&] { bench.checks.looked({2}, t0, bench.out); }).empty());
  CHECK(bench.checks.counted() == std::set<ProcessNumber>{2});
  CHECK(bench.step([&] { bench.checks.looked({}, t0, bench.out); }) ==
        bad("0 of web run, at least 1 wanted"));
}

TEST_CASE("processes: a reload keeps what is known of those that it does not change") {
  ProcessCheck one = check("web");
  Bench bench(one, 1);
  CHECK_FALSE(bench.checks.follow({one}));
  CHECK(bench.end(1) == bad("0 of web run, at least 1 wanted"));
  CHECK_FALSE(bench.checks.needs_command_lines());
  one.by_command_line = true;
  CHECK(bench.checks.follow({one}));
  CHECK(bench.checks.needs_command_lines());
  CHECK(bench.exec(7).empty());
  CHECK_FALSE(bench.checks.follow({}));
  CHECK(bench.checks.empty());
}
