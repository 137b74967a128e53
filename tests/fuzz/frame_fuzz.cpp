// Any bytes as a frame of the channel between the watchdog and a child: refused, or exactly the
// frame that encodes to these bytes.
#include "core/assertion.hpp"
#include "runtime/channel.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  const auto frame = runtime::decode_frame(bytes);
  if (!frame) {
    HOLDFAST_ASSERT(!frame.error().message.empty(), "a refusal says why");
    return 0;
  }
  const auto again = runtime::encode_frame(*frame);
  HOLDFAST_ASSERT(std::ranges::equal(again, bytes), "one form of every frame");
  return 0;
}
