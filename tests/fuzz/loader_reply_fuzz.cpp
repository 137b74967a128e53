// Any bytes as the loader's reply: refused, or a reply that is the same when it is sent on.
#include "core/assertion.hpp"
#include "watchdog/io/loader_reply.hpp"

#include <cstdint>
#include <string_view>

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto reply = watchdog::decode_reply(bytes);
  if (!reply) return 0;
  HOLDFAST_ASSERT(size <= watchdog::kMaxReplyBytes, "no reply is longer");
  const std::string sent = watchdog::encode_reply(*reply);
  const auto again = watchdog::decode_reply(sent);
  HOLDFAST_ASSERT(again.has_value(), "what is sent can be read");
  HOLDFAST_ASSERT(watchdog::encode_reply(*again) == sent, "nothing is lost or added on the way");
  return 0;
}
