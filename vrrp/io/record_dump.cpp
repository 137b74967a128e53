#include "vrrp/io/record_dump.hpp"

#include "runtime/unique_fd.hpp"
#include "vrrp/io/record_ring.hpp"
#include "vrrp/scenario/lines.hpp"
#include "vrrp/scenario/words.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::vrrp {
namespace {

core::Result<void> write_whole(int file, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return core::fail_errno(errno, "cannot write the recording {}", name);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::string numbered(const std::string& stem, int number) {
  return fmt::format("{}.{}", stem, number);
}

}  // namespace

core::Result<void> dump_ring(std::span<const std::uint8_t> memory, const std::string& stem,
                             const std::string& remark) {
  std::string body;
  const auto content = RecordRing::read(
      memory, kMostDumpBytes, [&](std::optional<core::Instant> at, std::string_view line) {
        if (at) body += scenario::time_text(*at) + ' ';
        body += scenario::one_line(line);
        body += '\n';
      });
  if (!content) return {};
  const std::string head =
      fmt::format("{}\n# {}\n",
                  *content == RecordRing::Content::everything ? scenario::kFirstLine
                                                              : scenario::kFirstLineOfExcerpt,
                  scenario::one_line(remark));
  const std::string unfinished = stem + ".new";
  ::unlink(unfinished.c_str());
  const runtime::UniqueFd file(
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return core::fail_errno(errno, "cannot make the recording {}", unfinished);
  auto written = write_whole(file.get(), head, unfinished);
  if (written) written = write_whole(file.get(), body, unfinished);
  if (!written) {
    ::unlink(unfinished.c_str());
    return written;
  }
  for (int number = kKeptDumps - 1; number >= 1; --number)
    std::rename(numbered(stem, number).c_str(), numbered(stem, number + 1).c_str());
  if (std::rename(unfinished.c_str(), numbered(stem, 1).c_str()) != 0)
    return core::fail_errno(errno, "cannot rename {} to {}", unfinished, numbered(stem, 1));
  return {};
}

}  // namespace holdfast::vrrp
