#include "watchdog/io/loader_reply.hpp"
#include "watchdog/io/process.hpp"

#include <doctest/doctest.h>

using namespace holdfast::watchdog;

namespace {

constexpr std::size_t kHeadBytes = 8 + 11 * 4;

LoaderReply some_reply(bool usable) {
  return {.finished = {.usable = usable,
                       .roles = RoleSet::of(Role::checkers),
                       .diagnostics = "a.conf:1:2: warning: odd\n",
                       .exit_code = usable ? ExitCode::ok : ExitCode::no_config_file,
                       .changes = "vrrp_instance VI_1: removed\n",
                       .refused_unless_forced = "removes 1 of 1 addresses"},
          .directives = {.router_id = "director_1",
                         .reload_time_file = "/run/at",
                         .reload_repeat = true,
                         .reload_file = "",
                         .check_log = "/var/log/check",
                         .umask = 0177,
                         .startup_limit_ms = 10'000,
                         .shutdown_limit_ms = 1'000,
                         .net_namespace = "blue"}};
}

void check_equal(const LoaderReply& one, const LoaderReply& other) {
  CHECK(one.finished.usable == other.finished.usable);
  CHECK(one.finished.roles == other.finished.roles);
  CHECK(one.finished.diagnostics == other.finished.diagnostics);
  CHECK(one.finished.exit_code == other.finished.exit_code);
  CHECK(one.finished.changes == other.finished.changes);
  CHECK(one.finished.refused_unless_forced == other.finished.refused_unless_forced);
  CHECK(one.directives == other.directives);
}

}  // namespace

TEST_CASE("loader reply: what goes in comes out") {
  for (const bool usable : {true, false}) {
    const auto back = decode_reply(encode_reply(some_reply(usable)));
    REQUIRE(back);
    check_equal(*back, some_reply(usable));
  }
  LoaderReply bare;
  bare.finished.exit_code = ExitCode::bad_config;
  const auto back = decode_reply(encode_reply(bare));
  REQUIRE(back);
  check_equal(*back, bare);
}

TEST_CASE("loader reply: every truncation, every further byte, every foreign byte of the head") {
  const std::string good = encode_reply(some_reply(false));
  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK_FALSE(decode_reply(good.substr(0, length)));
  CHECK_FALSE(decode_reply(good + "x"));
  for (std::size_t at = 0; at < kHeadBytes; ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(0x7f);
    CHECK_FALSE(decode_reply(bad));
  }
}

TEST_CASE("loader reply: not usable with exit code 0 would start nothing and call it success") {
  LoaderReply reply = some_reply(false);
  reply.finished.exit_code = ExitCode::ok;

  CHECK_FALSE(decode_reply(encode_reply(reply)));
}

TEST_CASE("loader reply: texts are cut at their bounds, so that the reader takes them") {
  LoaderReply reply = some_reply(true);
  reply.finished.diagnostics = std::string(kMaxDiagnosticBytes + 10, 'x');
  reply.finished.changes = std::string(kMaxChangeBytes + 10, 'x');
  reply.finished.refused_unless_forced = std::string(kMaxSentenceBytes + 10, 'x');

  const std::string bytes = encode_reply(reply);

  CHECK(bytes.size() <= kMaxReplyBytes);
  const auto back = decode_reply(bytes);
  REQUIRE(back);
  CHECK(back->finished.diagnostics.size() == kMaxDiagnosticBytes);
  CHECK(back->finished.changes.size() == kMaxChangeBytes);
  CHECK(back->finished.refused_unless_forced.size() == kMaxSentenceBytes);
}

TEST_CASE("loader reply: a path that cannot be opened is left out, and refused from a stranger") {
  LoaderReply reply = some_reply(true);
  reply.directives.reload_time_file = std::string(kMaxPathBytes + 1, 'x');
  reply.directives.check_log = std::string("a\0b", 3);
  const auto back = decode_reply(encode_reply(reply));
  REQUIRE(back);
  CHECK(back->directives.reload_time_file.empty());
  CHECK(back->directives.check_log == "");

  std::string foreign = encode_reply(some_reply(true));
  foreign[kHeadBytes] = '\0';  // the first byte of the first path

  CHECK_FALSE(decode_reply(foreign));
}

TEST_CASE("how a process ended is a sentence") {
  CHECK(to_sentence({ExitStatus::Kind::signalled, 11}) ==
        "was killed by signal 11 (Segmentation fault)");
  CHECK(to_sentence({ExitStatus::Kind::exited, 4}) ==
        "ended with exit code 4 (a permission is missing)");
  CHECK(to_sentence({ExitStatus::Kind::exited, 77}) == "ended with exit code 77");
}
