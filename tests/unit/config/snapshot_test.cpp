#include "config/accounts.hpp"
#include "config/source_set.hpp"
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

Snapshot sample() {
  Snapshot snapshot =
      load("$VIP=192.168.1.200\n" + instance("virtual_ipaddress_excluded {\n${VIP}/24 dev eth1\n}\n"
                                             "notify /bin/true somebody"))
          .snapshot;
  snapshot.accounts = {{"somebody", "", 1001, 1002, {1002, 27}, ""},
                       {"nobody_here", "users", 0, 0, {}, "there is no user 'nobody_here'"}};
  return snapshot;
}

}  // namespace

TEST_CASE("snapshot: bytes and back are the same snapshot, and parse to the same model") {
  const Snapshot before = sample();

  const auto after = from_bytes(to_bytes(before));

  REQUIRE(after.has_value());
  CHECK(*after == before);
  CHECK(parse_snapshot(*after).model == parse_snapshot(before).model);
}

TEST_CASE("snapshot: every truncation and every damaged byte is refused or read, never a crash") {
  const std::vector<std::uint8_t> bytes = to_bytes(sample());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CHECK_FALSE(from_bytes(std::span(bytes).first(length)).has_value());
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::vector<std::uint8_t> damaged = bytes;
    damaged[i] ^= 0xFF;
    if (const auto snapshot = from_bytes(damaged)) static_cast<void>(parse_snapshot(*snapshot));
  }
  std::vector<std::uint8_t> longer = bytes;
  longer.push_back(0);
  CHECK_FALSE(from_bytes(longer).has_value());
}

TEST_CASE("snapshot: bytes of another format are refused with a sentence") {
  const std::vector<std::uint8_t> bytes = {1, 2, 3, 4};
  CHECK(from_bytes(bytes).error().message ==
        "cannot read the configuration snapshot: it is not of this version of Holdfast");
}

TEST_CASE("snapshot: the cursor agrees with locate, forwards, backwards and across segments") {
  const Snapshot snapshot = sample();
  LocationCursor cursor(snapshot);
  const auto same = [&](std::size_t offset) {
    const SourceLocation a = cursor.locate(offset);
    const SourceLocation b = snapshot.locate(offset);
    return a.file == b.file && a.line == b.line && a.column == b.column;
  };
  const std::size_t size = snapshot.text.size();
  for (std::size_t i = 0; i <= size; ++i) CHECK(same(i));
  for (std::size_t i = size + 1; i-- > 0;) CHECK(same(i));
  for (std::size_t i = 0; i <= size; ++i) CHECK(same(i * 37 % (size + 1)));
}

TEST_CASE("snapshot: an account that is not there is told once, alike by reader and children") {
  Loaded loaded = load("global_defs {\nscript_user gone\n}\n" +
                       instance("notify /bin/true\nnotify_master /bin/false\n"
                                "notify_backup /bin/true known"));
  CHECK(accounts_named_in(loaded.model) ==
        std::vector<holdfast::core::AccountName>{{"gone", ""}, {"known", ""}});

  add_accounts(loaded, {{.user = "gone", .problem = "there is no user 'gone' on this host"},
                        {.user = "known", .uid = 7}});

  const Parsed parsed = parse_snapshot(*from_bytes(to_bytes(loaded.snapshot)));
  CHECK(render_text(parsed.diagnostics) == render_text(loaded.diagnostics));
  CHECK(render_text(loaded.diagnostics)
            .find("there is no user 'gone' on this host: its scripts are not run") !=
        std::string::npos);
  CHECK(parsed.diagnostics.warnings() == 1);
  const VrrpInstance& written = parsed.model.instances.at(0);
  CHECK(command_of(*written.notify, parsed.model).problem ==
        "there is no user 'gone' on this host");
  CHECK(command_of(*written.notify_backup, parsed.model).user.uid == 7);
}

TEST_CASE("snapshot: without script_user a script runs as keepalived_script, else as root") {
  Loaded loaded = load(instance("notify /bin/true"));
  const auto runs_as = [&] { return command_of(*loaded.model.instances[0].notify, loaded.model); };
  CHECK(accounts_named_in(loaded.model) ==
        std::vector<holdfast::core::AccountName>{{std::string(kDefaultScriptUser), ""}});

  add_accounts(loaded, {});  // it does not exist
  CHECK(runs_as().user == holdfast::core::ScriptUser{0, 0, {0}});
  CHECK(runs_as().problem.empty());
  CHECK(loaded.diagnostics.all().empty());

  add_accounts(loaded, {{.user = std::string(kDefaultScriptUser), .problem = "nobody answers"}});
  CHECK(runs_as().problem == "nobody answers");
  CHECK(loaded.diagnostics.warnings() == 1);

  add_accounts(loaded, {{.user = std::string(kDefaultScriptUser), .uid = 5, .gid = 6}});
  CHECK(runs_as().user == holdfast::core::ScriptUser{5, 6, {}});
}
