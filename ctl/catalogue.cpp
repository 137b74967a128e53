#include "ctl/catalogue.hpp"

#include "config/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace holdfast::ctl {
namespace {

std::string_view level_text(runtime::Level level) {
  switch (level) {
    case runtime::Level::debug:
      return "debug";
    case runtime::Level::detail:
      return "detail";
    case runtime::Level::info:
      return "info";
    case runtime::Level::warning:
      return "warning";
    case runtime::Level::error:
      return "error";
    case runtime::Level::critical:
      return "critical";
  }
  return "info";
}

/// Breaks at blanks, at most 78 columns.
std::string wrapped(std::string_view paragraph) {
  constexpr std::size_t kWidth = 78;
  std::string result;
  std::size_t column = 0;
  while (!paragraph.empty()) {
    const std::size_t end = std::min(paragraph.find(' '), paragraph.size());
    const std::string_view word = paragraph.substr(0, end);
    paragraph.remove_prefix(std::min(end + 1, paragraph.size()));
    if (column != 0 && column + 1 + word.size() > kWidth) {
      result += '\n';
      column = 0;
    }
    if (column != 0) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result;
}

}  // namespace

const runtime::Message* find_message(std::string_view id) {
  const auto all = catalogue();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const runtime::Message* one) { return one->id == id; });
  return found == all.end() ? nullptr : *found;
}

std::string explain(const runtime::Message& message) {
  return fmt::format("{} ({})\n\n{}\n", message.id, level_text(message.level),
                     wrapped(message.help));
}

std::string list_messages() {
  std::vector<std::string> lines;
  for (const runtime::Message* message : catalogue()) {
    lines.push_back(fmt::format("{:<36} {}\n", message->id, level_text(message->level)));
  }
  std::sort(lines.begin(), lines.end());
  return fmt::format("{}", fmt::join(lines, ""));
}

std::string_view nearest_id(std::string_view id) {
  std::vector<std::string_view> ids;
  for (const runtime::Message* message : catalogue()) ids.push_back(message->id);
  return config::nearest_word(id, ids);
}

}  // namespace holdfast::ctl
