#include "config/words/lines.hpp"

namespace holdfast::config {

std::uint8_t scope_of(const Args& args) {
  // In the order of the row.
  constexpr std::uint8_t kScopes[] = {core::kScopeGlobal, core::kScopeSite, core::kScopeLink,
                                      core::kScopeHost, core::kScopeNowhere};
  const auto number = args.as<std::uint8_t>(0);
  return args.value(0).last == 1 ? number : kScopes[number];
}

LineOption as_written(const Args& args) {
  const Schema& schema = Schema::instance();
  LineOption option{std::string(schema[schema.canonical(args.statement().keyword)].name), {}};
  for (std::size_t i = 0; i < args.size(); ++i) option.values.push_back(args.text(i));
  return option;
}

void append_options(std::vector<std::string>& words, const std::vector<LineOption>& options) {
  for (const LineOption& each : options) {
    words.push_back(each.name);
    words.insert(words.end(), each.values.begin(), each.values.end());
  }
}

Node entry_of(std::vector<std::string> words) {
  Node made;
  made.entry = true;
  made.args = std::move(words);
  return made;
}

}  // namespace holdfast::config
