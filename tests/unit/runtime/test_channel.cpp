#include "runtime/channel.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::runtime;
using testing::run_until;

namespace {

struct Ends {
  boost::asio::io_context io;
  UniqueFd raw;
  std::unique_ptr<Channel> channel;
  std::vector<Frame> frames;
  std::string closed;

  Ends() {
    auto pair = make_channel_pair();
    REQUIRE(pair.has_value());
    raw = std::move(pair->child);
    channel = std::make_unique<Channel>(io, std::move(pair->parent));
    channel->start([this](Frame frame) { frames.push_back(std::move(frame)); },
                   [this](std::string why) { closed = std::move(why); });
  }
};

}  // namespace

TEST_CASE("frame: every type survives the wire, text is cut at its bound") {
  for (auto type = FrameType::prepare; type <= FrameType::dump;
       type = static_cast<FrameType>(static_cast<int>(type) + 1)) {
    const auto decoded = decode_frame(encode_frame({type, 0x0123456789abcdef, "why not", {}}));
    REQUIRE(decoded.has_value());
    CHECK(decoded->type == type);
    CHECK(decoded->number == 0x0123456789abcdef);
    CHECK(decoded->text == "why not");
  }
  const auto cut =
      decode_frame(encode_frame({FrameType::refused, 1, std::string(kMaxFrameText + 5, 'x'), {}}));
  REQUIRE(cut.has_value());
  CHECK(cut->text.size() == kMaxFrameText);
}

TEST_CASE("frame: anything that is not exactly one frame is refused") {
  const auto good = encode_frame({FrameType::refused, 1, "text", {}});
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(decode_frame({good.data(), size}).has_value());
  }
  auto longer = good;
  longer.push_back(0);
  CHECK_FALSE(decode_frame(longer).has_value());
  for (const std::size_t field : {0U, 4U, 5U, 6U}) {  // magic, version, type, length
    auto wrong = good;
    wrong[field] = 0xee;
    CHECK_FALSE(decode_frame(wrong).has_value());
  }
}

TEST_CASE("channel: frames arrive whole and in order, a descriptor rides along") {
  auto pair = make_channel_pair();
  REQUIRE(pair.has_value());
  boost::asio::io_context io;
  Channel parent(io, std::move(pair->parent));
  Channel child(io, std::move(pair->child));
  std::vector<Frame> got;
  child.start([&](Frame frame) { got.push_back(std::move(frame)); }, [](const std::string&) {});

  UniqueFd null_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(parent.send({FrameType::prepare, 3, {}, std::move(null_fd)}).has_value());
  CHECK(parent.send({FrameType::commit, 3, {}, {}}).has_value());

  REQUIRE(run_until(io, [&] { return got.size() == 2; }));
  CHECK(got[0].type == FrameType::prepare);
  CHECK(got[0].number == 3);
  CHECK(bool(got[0].fd));
  CHECK((::fcntl(got[0].fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(got[1].type == FrameType::commit);
  CHECK_FALSE(bool(got[1].fd));
}

TEST_CASE("channel: the end of the other side is told once") {
  Ends ends;
  ends.raw.reset();
  CHECK(run_until(ends.io, [&] { return !ends.closed.empty(); }));
  CHECK_FALSE(ends.channel->send({FrameType::stop, 0, {}, {}}).has_value());
}

TEST_CASE("channel: nonsense closes it with a sentence") {
  Ends ends;
  const char nonsense[] = "GET / HTTP/1.1\r\n\r\n";
  REQUIRE(::send(ends.raw.get(), nonsense, sizeof nonsense, 0) > 0);
  CHECK(run_until(ends.io, [&] { return !ends.closed.empty(); }));
  CHECK(ends.closed.find("same binary") != std::string::npos);
  CHECK(ends.frames.empty());
}

TEST_CASE(
    "channel: a side that does not read fills a bounded outbox; heartbeats are dropped, the rest "
    "fails") {
  Ends ends;
  bool failed = false;
  std::size_t sent = 0;
  for (; sent < 100'000 && !failed; ++sent) {
    failed = !ends.channel->send({FrameType::refused, 1, std::string(4000, 'x'), {}}).has_value();
  }
  CHECK(failed);
  CHECK(ends.channel->send({FrameType::heartbeat, 1, {}, {}}).has_value());

  // Reading again lets the rest through.
  std::vector<char> buffer(8192);
  std::size_t received = 0;
  CHECK(run_until(ends.io, [&] {
    while (::recv(ends.raw.get(), buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) ++received;
    return received == sent - 1;
  }));
}

TEST_CASE("channel: either callback may destroy the channel, and lives until it returns") {
  for (const bool by_a_frame : {true, false}) {
    CAPTURE(by_a_frame);
    Ends ends;
    auto pair = make_channel_pair();
    auto channel = std::make_unique<Channel>(ends.io, std::move(pair->parent));
    int called = 0;
    bool lived = false;
    auto destroy = [&, mine = std::make_shared<int>()](const auto&) {
      const std::weak_ptr<int> seen = mine;
      ++called;
      channel.reset();
      lived = !seen.expired();
    };
    if (by_a_frame) {
      channel->start(std::move(destroy), [&](const std::string&) { called += 100; });
      const auto frame = encode_frame({});
      REQUIRE(::send(pair->child.get(), frame.data(), frame.size(), 0) > 0);
    } else {
      channel->start([&](Frame) { called += 100; }, std::move(destroy));
    }
    pair->child.reset();

    CHECK(run_until(ends.io, [&] { return called != 0; }));
    ends.io.poll();

    CHECK(called == 1);
    CHECK(lived);
  }
}

TEST_CASE("channel: what has arrived can be taken before the loop comes by, and once only") {
  Ends ends;
  for (const std::uint64_t number : {1, 2}) {
    const auto bytes = encode_frame({FrameType::commit, number, {}, {}});
    REQUIRE(::send(ends.raw.get(), bytes.data(), bytes.size(), 0) ==
            static_cast<ssize_t>(bytes.size()));
  }

  ends.channel->take_waiting();

  REQUIRE(ends.frames.size() == 2);
  CHECK(ends.frames[1].number == 2);
  ends.io.poll();
  CHECK(ends.frames.size() == 2);
  const auto bytes = encode_frame({FrameType::abort, 3, {}, {}});
  REQUIRE(::send(ends.raw.get(), bytes.data(), bytes.size(), 0) ==
          static_cast<ssize_t>(bytes.size()));
  CHECK(run_until(ends.io, [&] { return ends.frames.size() == 3; }));
}
