#include "config/words/lines.hpp"

#include <fmt/format.h>

namespace holdfast::config {

std::uint8_t scope_of(const Args& args) {
  // In the order of the row.
  constexpr std::uint8_t kScopes[] = {core::kScopeGlobal, core::kScopeSite, core::kScopeLink,
                                      core::kScopeHost, core::kScopeNowhere};
  const auto number = args.as<std::uint8_t>(0);
  return args.value(0).last == 1 ? number : kScopes[number];
}

std::string scope_text(std::uint8_t scope) {
  switch (scope) {
    case core::kScopeGlobal:
      return "global";
    case core::kScopeSite:
      return "site";
    case core::kScopeLink:
      return "link";
    case core::kScopeHost:
      return "host";
    case core::kScopeNowhere:
      return "nowhere";
  }
  return fmt::format("{}", scope);
}

std::string prefix_text(const core::IpPrefix& prefix) {
  const bool whole = prefix.length == prefix.address.max_prefix_length();
  return whole ? prefix.address.to_string() : prefix.to_string();
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
