#include "runtime/memory.hpp"

#include <cstdint>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

/// Of one object: every part that is mapped from its file and that nobody writes to.
int unmap_pages(dl_phdr_info* object, std::size_t, void*) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int at = 0; at < object->dlpi_phnum; ++at) {
    const auto& part = object->dlpi_phdr[at];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (object->dlpi_addr + part.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = object->dlpi_addr + part.p_vaddr + part.p_memsz;
    // A refusal (the kernel's own vdso) leaves all as it was.
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void return_large_blocks() {
  ::mallopt(M_MMAP_THRESHOLD, static_cast<int>(kReturnedBlockBytes));
  ::mallopt(M_TRIM_THRESHOLD, static_cast<int>(kReturnedBlockBytes));
}

void return_free_memory() {
  ::malloc_trim(0);
}

void return_idle_code() {
  dl_iterate_phdr(unmap_pages, nullptr);
}

}  // namespace holdfast::runtime
