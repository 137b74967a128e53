// The recorder's memory: lines come back as they were, the oldest part goes first, and nothing that
// a crash or a disk leaves behind misleads the reader.
#include "core/rng.hpp"
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/router.hpp"
#include "vrrp/io/file_tape.hpp"
#include "vrrp/io/record_dump.hpp"
#include "vrrp/io/ring_tape.hpp"
#include "vrrp/scenario/replay.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;
using Line = std::pair<std::optional<core::Instant>, std::string>;
using Lines = std::vector<Line>;

namespace {

const core::Instant t0{1h};

struct Memory {
  std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(RecordRing::kBytes);
  Lines read(std::size_t most = std::size_t{1} << 30) const {
    Lines lines;
    std::ignore = RecordRing::read(
        bytes, most, [&](auto at, std::string_view line) { lines.emplace_back(at, line); });
    return lines;
  }
};

struct Directory {
  std::string path = "/tmp/holdfast-ring-" + std::to_string(::getpid());
  Directory() { std::filesystem::create_directories(path); }
  ~Directory() { std::filesystem::remove_all(path); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path + "/" + name; }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ostringstream all;
    all << std::ifstream(file(name)).rdbuf();
    return all.str();
  }
};

scenario::Replay::Verdict play(const std::string& text) {
  scenario::Replay replay([](std::string_view) {});
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) replay.feed(line);
  replay.finish();
  if (replay.trouble()) MESSAGE(replay.trouble()->line, ": ", replay.trouble()->sentence);
  if (replay.difference())
    MESSAGE(replay.difference()->line, ": ", replay.difference()->expected, " | ",
            replay.difference()->got);
  return replay.verdict();
}

InstanceSettings numbered(int number) {
  InstanceSettings settings = everyday();
  settings.name = "VI_" + std::to_string(number);
  settings.interface = "eth" + std::to_string(number / 200);
  settings.vrid = static_cast<std::uint8_t>(1 + number % 200);
  return settings;
}

/// A daemon's life with `count` instances at `tape`: a start, and a wake-up at every deadline.
struct Life {
  scenario::RecordedDriver driver{Router{}};
  core::Instant now = t0;
  Actions actions;

  Life(scenario::Tape& tape, int count) {
    driver.attach(tape, {1, 2}, now);
    std::vector<InstanceSettings> all;
    for (int i = 0; i < count; ++i) all.push_back(numbered(i));
    const InterfaceStatus up{.exists = true, .up = true, .primary_address = ip("192.0.2.1")};
    for (int i = 0; i <= count / 200; ++i) {
      handle(InterfaceChanged{"eth" + std::to_string(i), up});
    }
    handle(Reload{all});
    handle(Startup{});
  }
  void handle(const Event& event) {
    actions.clear();
    driver.handle(event, now, actions);
    end();
  }
  void end() {
    for (std::size_t i = 0; i < actions.size(); ++i) {
      if (const auto* advert = std::get_if<SendAdvert>(&actions[i])) {
        const AdvertSent sent{advert->router->key, advert->priority};
        driver.answer(sent, actions);
      }
    }
    driver.settle(actions);
  }
  void run(int wake_ups) {
    for (int i = 0; i < wake_ups; ++i) {
      now = driver.deadline().value();
      actions.clear();
      driver.begin(now, core::Duration::zero(), actions);
      driver.finish(actions);
      end();
    }
  }
};

}  // namespace

TEST_CASE("record ring: lines come back with their times, and repeated ones cost a few bytes") {
  Memory memory;
  RecordRing ring(memory.bytes);
  ring.begin_segment(RecordRing::Content::everything);
  const Lines lines{{t0, "wake"}, {std::nullopt, "=> nothing"}, {t0 - 1s, "back in time"}};
  for (const auto& [at, line] : lines) CHECK(ring.write(at, line));

  CHECK(memory.read() == lines);

  const std::size_t before = ring.bytes_left();
  for (int i = 0; i < 1000; ++i) CHECK(ring.write(t0 + i * 1s, "wake"));
  CHECK(before - ring.bytes_left() < 6000);
}

TEST_CASE("record ring: the oldest part goes first, and a dump takes as many as it may") {
  Memory memory;
  RecordRing ring(memory.bytes);
  for (int part = 0; part < 7; ++part) {
    ring.begin_segment(RecordRing::Content::everything);
    for (int i = 0; ring.write(t0, "line " + std::to_string(part * 10000 + i)); ++i) {
    }
    ring.write_last("gap");
  }

  const Lines all = memory.read();

  CHECK(all.front().second == "line 30000");
  CHECK(all.back().second == "gap");
  CHECK(memory.read(1).front().second == "line 60000");
}

TEST_CASE("record ring: only parts of the newest kind are told") {
  Memory memory;
  RecordRing ring(memory.bytes);
  ring.begin_segment(RecordRing::Content::everything);
  CHECK(ring.write(t0, "old"));
  ring.begin_segment(RecordRing::Content::changes);
  CHECK(ring.write(t0, "new"));

  CHECK(memory.read() == Lines{{t0, "new"}});
}

TEST_CASE("record ring: damaged memory is read as far as it makes sense") {
  Memory memory;
  RecordRing ring(memory.bytes);
  core::Rng rng(9);
  for (int part = 0; part < 4; ++part) {
    ring.begin_segment(RecordRing::Content::everything);
    for (int i = 0; i < 200; ++i)
      CHECK(ring.write(t0 + i * 1s, "line " + std::to_string(rng.below(std::uint64_t{50}))));
  }
  const std::size_t whole = memory.read().size();
  const auto good = memory.bytes;
  std::size_t fewer = 0;
  for (int i = 0; i < 3000; ++i) {
    memory.bytes = good;
    for (int flips = 0; flips < 3; ++flips) {
      const std::size_t part = rng.below(std::uint64_t{4});
      memory.bytes[RecordRing::kHeadBytes + part * RecordRing::kSegmentBytes +
                   rng.below(std::uint64_t{1500})] = static_cast<std::uint8_t>(rng.next());
    }
    fewer += memory.read().size() < whole ? 1 : 0;
  }
  CHECK(fewer > 100);

  memory.bytes.assign(memory.bytes.size(), 0);
  CHECK(memory.read().empty());
  memory.bytes.resize(100);
  CHECK(memory.read().empty());
}

TEST_CASE("ring tape: a dump plays from its oldest part on, however long the process lived") {
  const Directory directory;
  Memory memory;
  int masterships = 0;
  RingTape tape(memory.bytes, [&] { ++masterships; });
  Life life(tape, 20);
  life.run(20000);

  CHECK(masterships > 0);
  CHECK(tape.past().states.size() == 40);
  REQUIRE(dump_ring(memory.bytes, directory.file("dump"), "a remark").has_value());
  const std::string text = directory.text("dump.1");
  CHECK(text.starts_with("holdfast-scenario 1\n# a remark\n"));
  CHECK(text.find("do startup") == std::string::npos);  // long overwritten
  CHECK(text.size() < kMostDumpBytes + 2 * RecordRing::kSegmentBytes);
  CHECK(play(text) == scenario::Replay::Verdict::same);
}

TEST_CASE("ring tape: a turn that does not fit leaves a gap, and the next one begins anew") {
  const Directory directory;
  Memory memory;
  RingTape tape(memory.bytes, [] {});
  Life life(tape, 100);
  std::vector<InstanceSettings> large;
  for (int i = 0; i < 60; ++i) {
    large.push_back(numbered(i));
    for (int j = 1; j < 100; ++j)
      large.back().addresses.push_back({{core::IpAddress::v4({10, 1, static_cast<std::uint8_t>(i),
                                                              static_cast<std::uint8_t>(j)}),
                                         32},
                                        {},
                                        {},
                                        {},
                                        {}});
  }
  life.handle(Reload{large});
  life.handle(Reload{{numbered(1), numbered(2)}});
  life.run(100);

  REQUIRE(dump_ring(memory.bytes, directory.file("dump"), "").has_value());

  const std::string text = directory.text("dump.1");
  CHECK(text.find("VI_1 send advert") != std::string::npos);
  CHECK(play(text) == scenario::Replay::Verdict::same);
}

TEST_CASE(
    "ring tape: with very many instances only changes are kept, and steady seconds are free") {
  const Directory directory;
  Memory memory;
  RingTape tape(memory.bytes, [] {});
  Life life(tape, 400);
  life.run(2);  // all become master
  REQUIRE(dump_ring(memory.bytes, directory.file("dump"), "").has_value());
  const std::string before = directory.text("dump.1");
  life.run(500);
  REQUIRE(dump_ring(memory.bytes, directory.file("dump"), "").has_value());

  CHECK(before.starts_with("holdfast-scenario 1 excerpt\n"));
  CHECK(before.find("=> VI_399 BACKUP -> MASTER: no master was heard") != std::string::npos);
  CHECK(directory.text("dump.1") == before);
  CHECK(directory.text("dump.2") == before);
  CHECK(tape.past().states.size() == Past::kMost);
}

TEST_CASE("record dump: the newest is number 1, and the oldest goes") {
  const Directory directory;
  Memory memory;
  RecordRing ring(memory.bytes);
  REQUIRE(dump_ring(memory.bytes, directory.file("dump"), "").has_value());
  CHECK_FALSE(std::filesystem::exists(directory.file("dump.1")));  // an empty ring is no recording
  ring.begin_segment(RecordRing::Content::everything);
  CHECK(ring.write(t0, "life"));
  for (const std::string_view remark : {"1", "2", "3", "4"})
    REQUIRE(dump_ring(memory.bytes, directory.file("dump"), std::string(remark)).has_value());

  CHECK(directory.text("dump.1") == "holdfast-scenario 1\n# 4\n3600.000000 life\n");
  CHECK(directory.text("dump.3") == "holdfast-scenario 1\n# 2\n3600.000000 life\n");
  CHECK_FALSE(std::filesystem::exists(directory.file("dump.4")));
  CHECK_FALSE(std::filesystem::exists(directory.file("dump.new")));
  const auto failed = dump_ring(memory.bytes, directory.file("nowhere/dump"), "");
  CHECK(failed.error().message ==
        fmt::format("cannot make the recording {}.new: No such file or directory",
                    directory.file("nowhere/dump")));
}

TEST_CASE("file tape: a killed writer's successor goes on behind the last whole line") {
  const Directory directory;
  const std::string path = directory.file("all.txt");
  {
    auto tape = FileTape::create({path, 1 << 20});
    REQUIRE(tape.has_value());
    Life life(**tape, 3);
    life.run(20);
    life.driver.detach(**tape);
  }
  const std::string first = directory.text("all.txt");
  std::ofstream(path, std::ios::app) << "3625.5000";  // torn
  {
    auto tape = FileTape::resume({path, 1 << 20});
    REQUIRE(tape.has_value());
    CHECK((*tape)->bytes() == first.size());
    Life life(**tape, 3);
    life.run(20);
    life.driver.detach(**tape);
  }

  const std::string both = directory.text("all.txt");

  CHECK(both.starts_with(first + "3600.000000 life\n"));
  CHECK(play(both) == scenario::Replay::Verdict::same);
  CHECK(FileTape::create({path, 1 << 20}).error().message ==
        path + " is there already: name a new file");
}

TEST_CASE("file tape: the limit ends the recording between two turns, said once") {
  const Directory directory;
  const std::string path = directory.file("all.txt");
  int ends = 0;
  {
    auto tape = FileTape::create({path, 4000});
    REQUIRE(tape.has_value());
    (*tape)->on_ended([&] { ++ends; });
    Life life(**tape, 3);
    life.run(200);
    CHECK((*tape)->ended() == path + " has reached its limit of 4000 bytes");
    life.driver.detach(**tape);
  }

  CHECK(ends == 1);
  const std::string text = directory.text("all.txt");
  CHECK(text.size() <= 4000);
  CHECK(text.size() > 3000);
  CHECK(play(text) == scenario::Replay::Verdict::same);
}
