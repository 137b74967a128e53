// Any text as a scenario, long or short form, and any bytes as the recorder's memory: understood,
// or refused with a line and a sentence. The election never sees what would break it.
#include "core/assertion.hpp"
#include "vrrp/io/record_ring.hpp"
#include "vrrp/scenario/replay.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

using namespace holdfast;
using namespace holdfast::vrrp;

namespace {

void play(std::string_view text) {
  scenario::Replay replay([](std::string_view) {});
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    replay.feed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  replay.finish();
  const bool unreadable = replay.verdict() == scenario::Replay::Verdict::unreadable;
  HOLDFAST_ASSERT(unreadable == replay.trouble().has_value(), "trouble is what is unreadable");
  HOLDFAST_ASSERT(!unreadable || !replay.trouble()->sentence.empty(), "a refusal says why");
}

/// The head is right, the rest is as it comes.
void read_memory(std::span<const std::uint8_t> bytes) {
  std::vector<std::uint8_t> memory(RecordRing::kBytes);
  const RecordRing head(memory);
  const std::size_t some = std::min(bytes.size(), RecordRing::kSegmentBytes);
  std::copy_n(bytes.begin(), some, memory.begin() + RecordRing::kHeadBytes);
  std::size_t lines = 0;
  std::ignore = RecordRing::read(memory, std::size_t{1} << 20,
                                 [&](std::optional<core::Instant>, std::string_view) { ++lines; });
  HOLDFAST_ASSERT(lines <= RecordRing::kSegmentBytes, "every line has its bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  play({reinterpret_cast<const char*>(data), size});
  read_memory({data, size});
  return 0;
}
