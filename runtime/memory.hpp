// How little memory a process keeps that it does not use. The allocator of the C library holds on
// to what was freed: after a configuration was read or a long answer was written, that is several
// times what is in use. Called by main and by whoever has just freed much.
#pragma once

#include <cstddef>

namespace holdfast::runtime {

/// Blocks of at least this size go back to the kernel when they are freed, one by one.
inline constexpr std::size_t kReturnedBlockBytes = std::size_t{128} << 10;

/// Once, first thing in main. Without it the allocator raises that bound to the size of the largest
/// block that was ever freed (mallopt(3): M_MMAP_THRESHOLD), and keeps all blocks below it.
void return_large_blocks();

/// Gives free pages of all threads' heaps back. Takes 0.1 ms for
/// memory in one piece, 4 ms for 20 MB in 60,000 pieces; another thread that allocates may wait.
void return_free_memory();

/// Lets go of the pages of program code and constants, of which a reader of configurations needs
/// more than all that follows. They stay in the kernel's page cache; what is used again is mapped
/// again by its first use, sixteen pages at a time, without a disk. Takes 0.1 ms.
void return_idle_code();

}  // namespace holdfast::runtime
