#include "checkers/core/switches.hpp"

#include <doctest/doctest.h>

using namespace holdfast::checkers;

TEST_CASE("switches: what differs is written, and what was there is remembered once") {
  const SwitchPlan first = plan_switches({{"conntrack", "1"}, {"sloppy_tcp", "1"}}, {},
                                         {{"conntrack", "0"}, {"sloppy_tcp", "1"}});

  CHECK((first.write == Switches{{"conntrack", "1"}}));
  CHECK((first.found == Switches{{"conntrack", "0"}}));
  CHECK(first.altered.empty());

  // Somebody sets it to something else: that is not what was there before us.
  const SwitchPlan again = plan_switches({{"conntrack", "1"}}, first.found, {{"conntrack", "7"}});
  CHECK((again.write == Switches{{"conntrack", "1"}}));
  CHECK(again.found == first.found);
  CHECK(again.altered == std::vector<std::string>{"conntrack"});
}

TEST_CASE("switches: a word that goes gives back what was there, unless it is there already") {
  const Switches found{{"conntrack", "0"}, {"sync_threshold", "3 50"}};

  const SwitchPlan plan = plan_switches({}, found, {{"conntrack", "0"}, {"sync_threshold", "5 9"}});

  CHECK((plan.write == Switches{{"sync_threshold", "3 50"}}));
  CHECK(plan.found.empty());
}

TEST_CASE("switches: one that this kernel does not have is named, and the others are set") {
  const SwitchPlan plan =
      plan_switches({{"conn_max", "9"}, {"conntrack", "1"}}, {}, {{"conntrack", "0"}});

  CHECK(plan.absent == std::vector<std::string>{"conn_max"});
  CHECK((plan.write == Switches{{"conntrack", "1"}}));
  CHECK(plan.found.count("conn_max") == 0);
  CHECK(kernel_of("conn_max") == "Linux 7.1");
  CHECK(kernel_of("conntrack").empty());
}

TEST_CASE("switches: a defence that acts is no change of somebody") {
  for (const char* name : {"drop_entry", "drop_packet", "secure_tcp"}) {
    CHECK(is_as_wanted(name, "1", "2"));
    CHECK_FALSE(is_as_wanted(name, "1", "3"));
    CHECK_FALSE(is_as_wanted(name, "3", "2"));
  }
  CHECK_FALSE(is_as_wanted("conn_reuse_mode", "1", "2"));
}

TEST_CASE("switches: of two numbers only those that were written count") {
  CHECK(is_as_wanted("sync_threshold", "3", "3 50"));
  CHECK_FALSE(is_as_wanted("sync_threshold", "3", "30 50"));
  CHECK_FALSE(is_as_wanted("sync_threshold", "3 9", "3 50"));
  CHECK(normal_value(" 3\t50\n") == "3 50");
  CHECK(normal_value("\n").empty());
}

TEST_CASE("switches: what was found reads back, of this boot only, and names files only") {
  const Switches found{{"conntrack", "0"}, {"est_cpulist", ""}, {"sync_threshold", "3 50"}};
  const std::string text = write_found(found, "boot");

  const auto back = parse_found(text, "boot");
  REQUIRE(back.has_value());
  CHECK(*back == found);
  CHECK(parse_found(text, "another")->empty());
  CHECK_FALSE(parse_found("", "boot").has_value());
  CHECK_FALSE(parse_found("something else\n", "boot").has_value());
  for (const char* line : {"../../kernel/core_pattern x\n", " 1\n", "a/b 1\n"})
    CHECK_FALSE(parse_found(write_found({}, "boot") + line, "boot").has_value());
}
