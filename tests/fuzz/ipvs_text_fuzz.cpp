// Any text as lines of ipvsadm: refused with line and column, or a table that survives being
// written and read again, and that the kernel can be told.
#include "core/assertion.hpp"
#include "ipvs_wrapper/codec.hpp"
#include "ipvs_wrapper/text.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

using namespace holdfast;
using namespace holdfast::ipvs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto table = parse_text({reinterpret_cast<const char*>(data), size});
  if (!table) {
    HOLDFAST_ASSERT(table.error().message.starts_with("line "), "a refusal says where");
    return 0;
  }
  const auto again = parse_text(write_text(*table));
  HOLDFAST_ASSERT(again.has_value(), "what we write can be read");
  HOLDFAST_ASSERT(*again == *table, "and means the same");
  std::vector<std::uint8_t> requests;
  for (const auto& step : plan(*table, {}, {}))
    append_step(requests, {0x1b, 1}, Answer::always, step);
  return 0;
}
