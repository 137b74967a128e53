#include "runtime/memory.hpp"

#include <malloc.h>

namespace holdfast::runtime {

void return_large_blocks() {
  ::mallopt(M_MMAP_THRESHOLD, static_cast<int>(kReturnedBlockBytes));
  ::mallopt(M_TRIM_THRESHOLD, static_cast<int>(kReturnedBlockBytes));
}

void return_free_memory() {
  ::malloc_trim(0);
}

}  // namespace holdfast::runtime
