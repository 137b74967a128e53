#include "checkers/core/dialogue.hpp"

#include <fmt/format.h>

namespace holdfast::checkers {

Step TcpDialogue::advance(std::string_view, bool) {
  return Verdict{passed("connected")};
}

std::string to_string(const std::vector<StatusRange>& ranges) {
  std::string text;
  for (const StatusRange& range : ranges) {
    if (!text.empty()) text += ", ";
    text += range.first == range.last ? fmt::format("{}", range.first)
                                      : fmt::format("{}-{}", range.first, range.last);
  }
  return text;
}

}  // namespace holdfast::checkers
