// Bytes that nobody can change any more, handed to other processes as a file descriptor: the
// snapshot of the configuration. The reader needs to trust only the kernel.
#pragma once

#include "core/result.hpp"
#include "runtime/unique_fd.hpp"

#include <string>
#include <string_view>

namespace holdfast::runtime {

/// Larger snapshots are refused: a configuration of 10,000 services is about 4 MB.
inline constexpr std::size_t kMaxSealedBytes = 256u << 20;

/// A close-on-exec memfd holding `bytes`, sealed against writing, growing, shrinking and further
/// sealing.
[[nodiscard]] core::Result<UniqueFd> write_sealed_memfd(const char* name, std::string_view bytes);

/// Reads from offset 0 whatever the file position is (several children share one). Refuses a
/// descriptor that is not a sealed memfd or is larger than kMaxSealedBytes.
[[nodiscard]] core::Result<std::string> read_sealed_memfd(int fd);

}  // namespace holdfast::runtime
