// Any bytes as the page that a killed process left: opened, or refused; whatever it holds can be
// read, and stored over. The page is sparse, so the input is written to its begin.
#include "core/assertion.hpp"
#include "runtime/handover_page.hpp"

#include <algorithm>
#include <cstdint>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::runtime;

namespace {

template <class Record>
void open_and_use(const UniqueFd& file) {
  auto page = HandoverPage<Record>::open(file.duplicate());
  if (!page) return;
  for (const std::uint64_t key : page->keys()) {
    static_cast<void>(page->load(key));
    page->erase(key);
    HOLDFAST_ASSERT(!page->load(key), "what was erased is gone");
  }
  page->visit([](const Record& record) { static_cast<void>(record); });
  HOLDFAST_ASSERT(page->store(handover_key("VI_1"), Record{}), "there is room now");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool vrrp = (data[0] & 1) != 0;
  const auto file = create_handover_page(vrrp ? HandoverKind::vrrp : HandoverKind::checkers);
  HOLDFAST_ASSERT(file.has_value(), "the system gives memory files");
  const std::size_t length = std::min(size - 1, handover_page_bytes());
  const ssize_t written = ::pwrite(file->get(), data + 1, length, 0);
  HOLDFAST_ASSERT(written == static_cast<ssize_t>(length), "a memory file takes it");
  if (vrrp)
    open_and_use<VrrpRecord>(*file);
  else
    open_and_use<CheckRecord>(*file);
  return 0;
}
