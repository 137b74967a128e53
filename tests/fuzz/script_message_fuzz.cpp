// Any bytes as a message between a process that asks for scripts and the one that runs them:
// refused, or exactly the message that encodes to these bytes.
#include "core/assertion.hpp"
#include "runtime/script_messages.hpp"
#include "runtime/tidings.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  if (const auto job = runtime::decode_script_job(bytes)) {
    const auto again = runtime::decode_script_job(runtime::encode(*job));
    HOLDFAST_ASSERT(again == job, "what was read is what is written");
  }
  if (const auto report = runtime::decode_script_report(bytes))
    HOLDFAST_ASSERT(std::ranges::equal(runtime::encode(*report), bytes), "one form of a report");
  if (const auto tidings = runtime::decode_tidings(bytes))
    HOLDFAST_ASSERT(std::ranges::equal(runtime::encode(*tidings), bytes), "one form of tidings");
  if (const auto told = runtime::decode_tidings_report(bytes))
    HOLDFAST_ASSERT(std::ranges::equal(runtime::encode(*told), bytes), "one form of an answer");
  return 0;
}
