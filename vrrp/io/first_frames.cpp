#include "vrrp/io/first_frames.hpp"

#include "runtime/clock.hpp"
#include "runtime/small_file.hpp"
#include "vrrp/messages.hpp"

#include <fmt/ranges.h>

#include <charconv>
#include <utility>
#include <vector>

namespace holdfast::vrrp {
namespace {

constexpr std::size_t kLongestTable = std::size_t{4} << 20;

std::map<std::string, std::uint64_t> received_now() {
  const auto text = runtime::read_small_file("/proc/net/dev", kLongestTable);
  return text ? received_frames(*text) : std::map<std::string, std::uint64_t>{};
}

std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

// "  eth0: BYTES PACKETS …", below two lines of headings.
std::map<std::string, std::uint64_t> received_frames(std::string_view text) {
  std::map<std::string, std::uint64_t> frames;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view name = line.substr(0, colon);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    line.remove_prefix(colon + 1);
    next_word(line);
    const std::string_view count = next_word(line);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), number);
    if (error == std::errc{} && end == count.data() + count.size())
      frames.emplace(std::string(name), number);
  }
  return frames;
}

FirstFrames::FirstFrames(boost::asio::io_context& io, runtime::Logger& logger,
                         std::function<void(const std::string&)> on_changed)
    : logger_(logger), on_changed_(std::move(on_changed)), timer_(io, [this] { look(); }) {}

void FirstFrames::wait_until(core::Instant end) {
  began_ = runtime::now();
  end_ = end;
  waits_ = end > began_;
}

void FirstFrames::follow(const std::set<std::string>& interfaces) {
  if (!waits_) return;
  std::map<std::string, std::uint64_t> received;
  for (const std::string& each : interfaces) {
    if (!known_.insert(each).second) continue;
    if (received.empty()) received = received_now();
    if (const auto found = received.find(each); found != received.end())
      silent_.emplace(each, found->second);
  }
  if (!silent_.empty()) timer_.arm(runtime::now() + kLookEvery);
}

void FirstFrames::look() {
  const core::Instant now = runtime::now();
  const bool is_over = now >= end_;
  std::vector<std::string> changed;
  const auto received = received_now();
  for (const auto& [name, before] : silent_) {
    const auto found = received.find(name);
    if (is_over || found == received.end() || found->second != before) changed.push_back(name);
  }
  if (is_told_ && !changed.empty())
    logger_.log(kHears, "{}: {}", fmt::join(changed, ", "),
                is_over ? "nothing has been received still: elections go on all the same"
                        : "something is received now: elections go on");
  for (const std::string& each : changed) silent_.erase(each);
  if (is_over) waits_ = false;
  if (!silent_.empty()) {
    timer_.arm(std::min(now + kLookEvery, end_));
    if (now - began_ >= kTellAfter && !std::exchange(is_told_, true)) {
      std::vector<std::string> names;
      for (const auto& [name, before] : silent_) names.push_back(name);
      logger_.log(
          kDeafAfterBoot,
          "nothing at all has been received on {} since the start: elections there wait for "
          "a first frame, {} s more at most",
          fmt::join(names, ", "), (end_ - now) / std::chrono::seconds(1));
    }
  }
  for (const std::string& each : changed) on_changed_(each);
}

}  // namespace holdfast::vrrp
