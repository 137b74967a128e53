#include "watchdog/io/loader_reply.hpp"
#include "watchdog/io/process.hpp"

#include <doctest/doctest.h>

using namespace holdfast::watchdog;

TEST_CASE("loader reply: what goes in comes out") {
  for (const bool usable : {true, false}) {
    const LoaderFinished reply{.usable = usable,
                               .roles = RoleSet::of(Role::checkers),
                               .diagnostics = "a.conf:1:2: warning: odd\n",
                               .exit_code = usable ? ExitCode::ok : ExitCode::no_config_file};
    const auto back = decode_reply(encode_reply(reply));
    REQUIRE(back);
    CHECK(back->usable == reply.usable);
    CHECK(back->roles == reply.roles);
    CHECK(back->diagnostics == reply.diagnostics);
    CHECK(back->exit_code == reply.exit_code);
  }
}

TEST_CASE("loader reply: every truncation of the head and every foreign byte in it is refused") {
  const std::string good = encode_reply(
      {.usable = false, .roles = {}, .diagnostics = "x", .exit_code = ExitCode::bad_config});
  for (std::size_t length = 0; length < 7; ++length)
    CHECK_FALSE(decode_reply(good.substr(0, length)));
  for (std::size_t at = 0; at < 7; ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(0x7f);
    CHECK_FALSE(decode_reply(bad));
  }
}

TEST_CASE("loader reply: not usable with exit code 0 would start nothing and call it success") {
  CHECK_FALSE(decode_reply(
      encode_reply({.usable = false, .roles = {}, .diagnostics = "", .exit_code = ExitCode::ok})));
}

TEST_CASE("loader reply: both sides cut the diagnostics at their bound") {
  const LoaderFinished head{
      .usable = true, .roles = {}, .diagnostics = "", .exit_code = ExitCode::ok};
  LoaderFinished full = head;
  full.diagnostics = std::string(kMaxDiagnosticBytes + 10, 'x');

  CHECK(encode_reply(full).size() == encode_reply(head).size() + kMaxDiagnosticBytes);
  const auto back = decode_reply(encode_reply(head) + full.diagnostics);
  REQUIRE(back);
  CHECK(back->diagnostics.size() == kMaxDiagnosticBytes);
}

TEST_CASE("how a process ended is a sentence") {
  CHECK(to_sentence({ExitStatus::Kind::signalled, 11}) ==
        "was killed by signal 11 (Segmentation fault)");
  CHECK(to_sentence({ExitStatus::Kind::exited, 4}) ==
        "ended with exit code 4 (a permission is missing)");
  CHECK(to_sentence({ExitStatus::Kind::exited, 77}) == "ended with exit code 77");
}
