#include "config/keepalived/include.hpp"

#include "config/diagnostic.hpp"

#include <climits>

#include <algorithm>
#include <array>
#include <filesystem>
#include <glob.h>

namespace holdfast::config::keepalived {
namespace {

constexpr std::size_t kMaxLookedAt = 1000;  // files of a directory, for a suggestion

struct IncludeWord {
  std::string_view word;
  IncludeCheck check;
};
constexpr IncludeCheck kAll{
    .read = true, .match = true, .wildcard_match = true, .brace_match = true};
constexpr std::array<IncludeWord, 6> kIncludeWords = {
    {{"include", {}},
     {"includer", {.read = true}},
     {"includem", {.match = true}},
     {"includew", {.read = true, .match = true, .wildcard_match = true}},
     {"includeb", {.brace_match = true}},
     {"includea", kAll}}};

bool* flag_named(IncludeCheck& check, std::string_view name) {
  if (name == "read" || name == "readable") return &check.read;  // keepalived's manual: readable
  if (name == "match") return &check.match;
  if (name == "wildcard_match") return &check.wildcard_match;
  if (name == "brace_match") return &check.brace_match;
  return nullptr;
}

// Splits the inside of braces at commas of its own level.
std::vector<std::string_view> alternatives(std::string_view inside) {
  std::vector<std::string_view> parts;
  std::size_t depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= inside.size(); ++i) {
    if (i < inside.size() && inside[i] == '{') ++depth;
    if (i < inside.size() && inside[i] == '}' && depth > 0) --depth;
    if (i < inside.size() && (inside[i] != ',' || depth > 0)) continue;
    parts.push_back(inside.substr(begin, i - begin));
    begin = i + 1;
  }
  return parts;
}

std::size_t closing_of(std::string_view pattern, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t i = open; i < pattern.size(); ++i) {
    if (pattern[i] == '{') ++depth;
    if (pattern[i] == '}' && --depth == 0) return i;
  }
  return std::string_view::npos;
}

}  // namespace

IncludeCheck IncludeCheck::with(const IncludeCheck& other) const {
  return {.read = read || other.read,
          .match = match || other.match,
          .wildcard_match = wildcard_match || other.wildcard_match,
          .brace_match = brace_match || other.brace_match};
}

std::optional<IncludeCheck> include_word(std::string_view word) {
  for (const IncludeWord& one : kIncludeWords) {
    if (one.word == word) return one.check;
  }
  return std::nullopt;
}

IncludeCheck read_include_check(IncludeCheck now, std::string_view words) {
  bool any = false;
  IncludeCheck set;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find_first_of(" \t"), words.size());
    std::string_view name = words.substr(0, end);
    words.remove_prefix(std::min(end + 1, words.size()));
    if (name.empty()) continue;
    const char sign = name.front();
    const bool changes = sign == '+' || sign == '-';
    if (changes) name.remove_prefix(1);
    if (bool* const flag = flag_named(changes ? now : set, name)) *flag = sign != '-';
    any = true;
    if (!changes) now = set;
  }
  return any ? now : kAll;
}

std::vector<std::string> expand_braces(std::string_view pattern) {
  if (pattern.size() > PATH_MAX) return {std::string(pattern)};
  std::vector<std::string> done;
  std::vector<std::string> waiting = {std::string(pattern)};
  while (!waiting.empty() && done.size() < kMaxAlternatives) {
    const std::string one = std::move(waiting.back());
    waiting.pop_back();
    const std::size_t open = one.find('{');
    const std::size_t close = open == std::string::npos ? std::string::npos : closing_of(one, open);
    if (close == std::string::npos) {
      done.push_back(one);
      continue;
    }
    const std::vector<std::string_view> parts =
        alternatives(std::string_view(one).substr(open + 1, close - open - 1));
    const std::size_t room = kMaxAlternatives - std::min(kMaxAlternatives, waiting.size());
    // The last one first, so that the first one is taken next.
    for (std::size_t i = std::min(parts.size(), room); i-- > 0;)
      waiting.push_back(one.substr(0, open) + std::string(parts[i]) + one.substr(close + 1));
  }
  return done;
}

bool is_pattern(std::string_view name) {
  return name.find_first_of("*?[") != std::string_view::npos;
}

std::vector<std::string> matches_of(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t matches{};
  if (::glob(pattern.c_str(), 0, nullptr, &matches) == 0)
    paths.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  ::globfree(&matches);
  return paths;
}

std::string near_file(const std::string& path) {
  const std::filesystem::path wanted(path);
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator files(wanted.parent_path(), error);
  while (!error && files != std::filesystem::directory_iterator() && names.size() < kMaxLookedAt) {
    names.push_back(files->path().filename().string());
    files.increment(error);
  }
  std::sort(names.begin(), names.end());
  return std::string(nearest_word(wanted.filename().string(), {names.begin(), names.end()}));
}

}  // namespace holdfast::config::keepalived
