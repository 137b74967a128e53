#include "core/rng.hpp"
#include "ipvs_wrapper/codec.hpp"
#include "tests/unit/ipvs_wrapper/fake_kernel.hpp"
#include "tests/unit/ipvs_wrapper/random_table.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::ipvs;
using test::kFamily;
using test::tcp;
using Bytes = std::vector<std::uint8_t>;

TEST_CASE("a request to add a server, byte for byte (little-endian hosts)") {
  Bytes out;
  Server server;
  server.weight = 7;
  append_step(out, {kFamily, 0x01020304}, Answer::always,
              AddServer{tcp("192.0.2.1:80"), test::endpoint("10.0.0.1:8080"), server});

  const Bytes expected = {0xa4, 0, 0, 0, kFamily, 0, 0x05, 0, 4, 3, 2, 1, 0, 0, 0,
                          0,                    // length 164, REQUEST|ACK, sequence, to the kernel
                          5, 1, 0, 0,           // NEW_DEST, version 1
                          0x30, 0, 0x01, 0x80,  // SERVICE, nested
                          6, 0, 1, 0, 2, 0, 0, 0,  // AF_INET
                          6, 0, 2, 0, 6, 0, 0, 0,  // TCP
                          20, 0, 3, 0, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 4, 0,
                          0, 80, 0, 0,          // address,
                                                // port
                          0x60, 0, 0x02, 0x80,  // DEST, nested
                          20, 0, 1, 0, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 2, 0,
                          0x1f, 0x90, 0, 0,         // address,
                                                    // port
                          6, 0, 11, 0, 2, 0, 0, 0,  // ADDR_FAMILY
                          8, 0, 3, 0, 3, 0, 0, 0, 8, 0, 4, 0, 7, 0, 0,
                          0,  // DROUTE, weight 7
                          8, 0, 5, 0, 0, 0, 0, 0, 8, 0, 6, 0, 0, 0, 0,
                          0,  // thresholds
                          5, 0, 13, 0, 0, 0, 0, 0, 6, 0, 14, 0, 0, 0, 0, 0, 6, 0, 15, 0, 0, 0, 0,
                          0};  // tunnel
  CHECK(out == expected);
}

TEST_CASE("every step survives being a message") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    core::Rng rng(seed);
    const auto actual = test::random_table(rng, 6, 4);
    const auto desired = test::random_table(rng, 6, 4);
    for (const auto& step : plan(desired, actual, {})) {
      Bytes out;
      append_step(out, {kFamily, 1}, Answer::on_failure, step);
      CHECK(out.size() % 4 == 0);
      CHECK(test::step_of(out) == step);
    }
  }
}

TEST_CASE("sync daemons and timeouts survive being a message") {
  const SyncDaemon four{.interface = "eth0",
                        .id = 51,
                        .max_length = 1000,
                        .port = 9000,
                        .ttl = 3,
                        .group = core::IpAddress::v4({239, 1, 1, 7})};
  SyncDaemon six = four;
  six.group = *core::IpAddress::parse("ff05::7");
  for (const SyncDaemon& daemon : {four, six, SyncDaemon{.interface = "eth0"}}) {
    Bytes out;
    append_sync_command(out, {kFamily, 7}, StartSync{SyncRole::backup, daemon});
    const auto replies = decode_replies(out, kFamily, core::Family::v4);
    REQUIRE(replies.has_value());
    REQUIRE(replies->size() == 1);
    const auto& told = std::get<SyncReply>(replies->front().body);
    CHECK(told.role == SyncRole::backup);
    CHECK(told.daemon == daemon);
  }
  Bytes out;
  append_sync_command(out, {kFamily, 8}, SetTimeouts{{.tcp = 100, .udp = 60}});
  const auto replies = decode_replies(out, kFamily, core::Family::v4);
  REQUIRE(replies.has_value());
  CHECK(std::get<Timeouts>(replies->at(0).body) == Timeouts{100, 0, 60});
}

TEST_CASE("a datagram cut or damaged anywhere is refused or read, never read beyond") {
  Bytes whole;
  append_step(whole, {kFamily, 1}, Answer::always, AddService{tcp("192.0.2.1:80"), {}});
  append_step(whole, {kFamily, 2}, Answer::always,
              AddServer{tcp("192.0.2.1:80"), test::endpoint("10.0.0.1:80"), {}});
  CHECK(decode_replies(whole, kFamily, core::Family::v4)->size() == 2);

  for (std::size_t length = 1; length < whole.size(); ++length) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    const auto replies = decode_replies(cut, kFamily, core::Family::v4);
    if (replies) CHECK(replies->size() <= 1);
  }
  core::Rng rng(7);
  for (int i = 0; i < 20'000; ++i) {
    auto damaged = whole;
    for (int flips = 0; flips < 3; ++flips)
      damaged[rng.below(std::uint64_t{damaged.size()})] = static_cast<std::uint8_t>(rng.next());
    static_cast<void>(decode_replies(damaged, kFamily, core::Family::v4));
  }
}

TEST_CASE("messages of other families are left out; a service without its key is an error") {
  Bytes other;
  append_step(other, {kFamily + 1, 1}, Answer::always, AddService{tcp("192.0.2.1:80"), {}});
  CHECK(decode_replies(other, kFamily, core::Family::v4)->empty());

  // NEW_SERVICE with an empty SERVICE nest.
  const Bytes keyless = {24, 0, 0, 0, kFamily, 0, 0, 0, 1, 0, 0, 0,
                         0,  0, 0, 0, 1,       1, 0, 0, 4, 0, 1, 0};
  const auto replies = decode_replies(keyless, kFamily, core::Family::v4);
  REQUIRE_FALSE(replies.has_value());
  CHECK(replies.error().message ==
        "the kernel's IPVS reply is malformed: a service without its key");
}

TEST_CASE("names that the kernel itself would not take are an error") {
  const auto read_back = [](std::size_t scheduler, std::size_t engine) {
    Settings settings;
    settings.scheduler = std::string(scheduler, 's');
    settings.persistence_engine = std::string(engine, 'e');
    Bytes out;
    append_step(out, {kFamily, 1}, Answer::always, AddService{tcp("192.0.2.1:80"), settings});
    return decode_replies(out, kFamily, core::Family::v4);
  };

  CHECK(read_back(15, 15).has_value());
  CHECK_FALSE(read_back(16, 15).has_value());
  CHECK_FALSE(read_back(15, 16).has_value());
}
