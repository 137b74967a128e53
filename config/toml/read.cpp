#include "config/toml/read.hpp"

#include "config/toml/reader.hpp"
#include "config/write/form.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::config {
namespace {

// Deeper keys than any configuration has; toml++ takes a table apart recursively.
constexpr std::size_t kMaxDots = 500;

std::string_view part_of(const Snapshot& snapshot, TextRange part) {
  return std::string_view(snapshot.text).substr(part.offset, part.length);
}

// "a.a.a.a": a stretch without anything but names and dots that has too many of these.
std::optional<std::size_t> too_deep(std::string_view text) {
  std::size_t dots = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    const bool ends = std::string_view("=,[]{}#\n:/").find(letter) != std::string_view::npos;
    dots = ends ? 0 : dots + (letter == '.' ? 1 : 0);
    if (dots > kMaxDots) return i;
  }
  return std::nullopt;
}

// A line such as "vrrp_instance VI_1 {".
bool looks_like_keepalived(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t word = std::min(line.find_first_of(" \t{"), line.size());
    if (line.ends_with('{') && line.find('=') == std::string_view::npos &&
        Schema::instance().find(Block::root, line.substr(0, word)))
      return true;
  }
  return false;
}

struct Failure {
  std::string message;
  ::toml::source_region region;
};

// nullopt after `failure` was filled in.
std::optional<::toml::table> parse(std::string_view text, Failure& failure) {
  try {
    return ::toml::parse(text);
  } catch (const ::toml::parse_error& error) {
    failure = {std::string(error.description()), error.source()};
    return std::nullopt;
  }
}

struct Sentence {
  std::string message;
  std::string help = "nothing of this file is read";
};

// toml++ says "Error while parsing array: expected …". The mistakes that people make most get words
// of their own.
Sentence readable(std::string_view message, char at) {
  const auto says = [&](std::string_view words) {
    return message.find(words) != std::string_view::npos;
  };
  if (says("could not determine value type"))
    return {"this is not TOML: a value must be a number, true or false, or stand between quotes",
            "put it between quotes"};
  if (says("unescaped control characters") && at == '\n')
    return {"this is not TOML: a string is not closed on its line", "put a second \" at its end"};
  if (const std::size_t name = message.find('\''); says("cannot redefine existing")) {
    const std::string_view rest = message.substr(name);
    return {fmt::format("this is not TOML: {} is given a second time",
                        rest.substr(0, rest.find('\'', 1) + 1)),
            "remove one of them; tables that come several times are written [[NAME]]"};
  }
  const std::size_t colon = message.find(": ");
  const bool has_context = message.starts_with("Error while parsing ") && colon != message.npos;
  return {fmt::format("this is not TOML: {}", has_context ? message.substr(colon + 2) : message)};
}

void report(const Failure& failure, const Snapshot& snapshot, TextRange part, Reporter& reporter) {
  const TextRange range = TomlPositions(snapshot, part).range_of(failure.region);
  const char at = range.offset < snapshot.text.size() ? snapshot.text[range.offset] : '\n';
  Sentence sentence = readable(failure.message, at);
  if (looks_like_keepalived(part_of(snapshot, part)))
    sentence.help = "this is keepalived's syntax: give the file a name that does not end in .toml";
  reporter.error(range, std::move(sentence.message), std::move(sentence.help));
}

}  // namespace

void read_toml(const Snapshot& snapshot, TextRange part, Reporter& reporter, Tree& tree) {
  const std::string_view text = part_of(snapshot, part);
  if (const std::optional<std::size_t> at = too_deep(text)) {
    reporter.error({part.offset + static_cast<std::uint32_t>(*at), 1},
                   "this is not TOML: a key with too many dots", "nothing of this file is read");
    return;
  }
  Failure failure;
  const std::optional<::toml::table> root = parse(text, failure);
  if (root)
    TomlReader(snapshot, part, reporter, tree).read(*root);
  else
    report(failure, snapshot, part, reporter);
}

std::vector<TomlInclude> toml_includes(const Snapshot& snapshot, TextRange part) {
  const std::string_view text = part_of(snapshot, part);
  // Only a text with that word is read twice.
  if (text.find(kIncludeKey) == std::string_view::npos || too_deep(text)) return {};
  Failure ignored;
  const std::optional<::toml::table> root = parse(text, ignored);
  const ::toml::node* const include = root ? root->get(kIncludeKey) : nullptr;
  if (include == nullptr) return {};
  TomlPositions positions(snapshot, part);
  std::vector<TomlInclude> list;
  const auto add = [&](const ::toml::node& value) {
    TomlInclude& added = list.emplace_back();
    added.range = positions.range_of(value.source());
    if (const auto* pattern = value.as_string(); pattern != nullptr && !pattern->get().empty())
      added.pattern = pattern->get();
    else
      added.problem = "'include' must be the name of a file or an array of such names";
  };
  if (const ::toml::array* const array = include->as_array())
    for (const ::toml::node& one : *array) add(one);
  else
    add(*include);
  return list;
}

}  // namespace holdfast::config
