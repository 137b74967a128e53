#include "vrrp/io/process_files.hpp"

#include "runtime/unique_fd.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <unistd.h>

namespace holdfast::vrrp {
namespace {

/// Of a command line; what is longer is cut.
constexpr std::size_t kMostRead = 4096;

std::string read_file(ProcessNumber process, const char* name) {
  const std::string path = fmt::format("/proc/{}/{}", process, name);
  const runtime::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, kMostRead> text;
  const ssize_t count = fd ? ::read(fd.get(), text.data(), text.size()) : 0;
  return {text.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
}

// proc(5): words that each end with a NUL.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\0'), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

std::optional<ProcessFacts> read_process(ProcessNumber process, CommandLine line) {
  // proc(5): "PID (name) STATE …"; the name may itself hold parentheses.
  const std::string text = read_file(process, "stat");
  const std::size_t begin = text.find('(');
  const std::size_t end = text.rfind(") ");
  if (begin == std::string::npos || end == std::string::npos || end < begin) return std::nullopt;
  const char state = text.at(end + 2);
  if (state == 'Z' || state == 'X') return std::nullopt;
  ProcessFacts facts{.name = text.substr(begin + 1, end - begin - 1), .command_line = {}};
  if (line == CommandLine::wanted) facts.command_line = words_of(read_file(process, "cmdline"));
  return facts;
}

std::optional<ProcessNumber> ProcessList::next() {
  while (directory_) {
    const dirent* entry = ::readdir(directory_.get());
    if (entry == nullptr) break;
    const std::string_view name(entry->d_name);
    ProcessNumber number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc{} && end == name.data() + name.size()) return number;
  }
  return std::nullopt;
}

}  // namespace holdfast::vrrp
