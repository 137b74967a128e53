// holdfast_manual [--check] DOCS: fills the word lists of DOCS/configuration.md and makes
// DOCS/holdfast.conf.5 out of DOCS/holdfast.conf.5.in, both from the schema. With --check nothing
// is written: the exit code says whether anything would change. A tool of the build; never
// installed.
//
// In configuration.md a list stands between `<!-- words: BLOCK [beyond BLOCK] -->` and
// `<!-- end of words -->`. In the manual page `.\" words: …` stands for a list and `.\" example:
// BLOCK` for the first example below the heading of that block in configuration.md.
#include "config/manual/words.hpp"
#include "core/result.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

namespace holdfast::config::manual {
namespace {

constexpr std::string_view kMarkdownWords = "<!-- words: ";
constexpr std::string_view kMarkdownEnd = "<!-- end of words -->";
constexpr std::string_view kManWords = ".\\\" words: ";
constexpr std::string_view kManExample = ".\\\" example: ";
constexpr std::string_view kFence = "```";

using Lines = std::vector<std::string>;

core::Result<Lines> read_lines(const std::string& path) {
  std::ifstream in(path);
  if (!in) return core::fail("cannot read {}", path);
  Lines lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::optional<Block> block_named(std::string_view name) {
  for (std::size_t number = 0; number < kBlockCount; ++number) {
    const auto block = static_cast<Block>(number);
    if (name_of(block) == name) return block;
  }
  return std::nullopt;
}

// "BLOCK", "BLOCK beyond BLOCK"
core::Result<Selection> selection_of(std::string_view text) {
  constexpr std::string_view kBeyond = " beyond ";
  const std::size_t split = text.find(kBeyond);
  const std::optional<Block> block = block_named(text.substr(0, split));
  if (!block) return core::fail("there is no block '{}'", text);
  Selection selection{*block, std::nullopt};
  if (split != std::string_view::npos) {
    selection.beyond = block_named(text.substr(split + kBeyond.size()));
    if (!selection.beyond) return core::fail("there is no block behind 'beyond' in '{}'", text);
  }
  return selection;
}

// Every block with words has a list, so that no word is left out.
core::Result<bool> complete(const std::set<Block>& seen, std::string_view path) {
  for (const Keyword& row : Schema::instance().all()) {
    if (!seen.contains(row.block)) {
      return core::fail("{} has no list of the words of '{}'", path, name_of(row.block));
    }
  }
  return true;
}

core::Result<std::string> filled_markdown(const Lines& lines, std::string_view path) {
  std::string out;
  std::set<Block> seen;
  bool inside = false;
  for (const std::string& line : lines) {
    if (line == kMarkdownEnd) inside = false;
    if (!inside) out += line + "\n";
    if (!line.starts_with(kMarkdownWords)) continue;
    std::string_view what = std::string_view(line).substr(kMarkdownWords.size());
    what = what.substr(0, what.find(" -->"));
    const auto selection = selection_of(what);
    if (!selection) return selection.error();
    seen.insert(selection->block);
    out += "\n" + markdown_words(*selection) + "\n";
    inside = true;
  }
  if (inside) return core::fail("{}: the last list of words has no end", path);
  if (const auto all = complete(seen, path); !all) return all.error();
  return out;
}

// The first block of code below the heading.
std::optional<std::string> example_of(const Lines& markdown, std::string_view heading) {
  bool below = false;
  bool code = false;
  std::string text;
  for (const std::string& line : markdown) {
    if (code && line.starts_with(kFence)) return text;
    if (code)
      text += line + "\n";
    else if (line.starts_with("#"))
      below = line.ends_with(fmt::format("# {}", heading));
    else if (below && line.starts_with(kFence))
      code = true;
  }
  return std::nullopt;
}

core::Result<std::string> filled_page(const Lines& lines, const Lines& markdown,
                                      std::string_view path) {
  std::string out =
      ".\\\" Made by holdfast_manual from holdfast.conf.5.in; changes belong there.\n";
  std::set<Block> seen;
  for (const std::string& line : lines) {
    const std::string_view text = line;
    if (text.starts_with(kManWords)) {
      const auto selection = selection_of(text.substr(kManWords.size()));
      if (!selection) return selection.error();
      seen.insert(selection->block);
      out += man_words(*selection);
    } else if (text.starts_with(kManExample)) {
      const std::string_view heading = text.substr(kManExample.size());
      const std::optional<std::string> example = example_of(markdown, heading);
      if (!example) return core::fail("configuration.md has no example below '{}'", heading);
      out += ".PP\n.EX\n" + man_text(*example) + ".EE\n";
    } else {
      out += line + "\n";
    }
  }
  if (const auto all = complete(seen, path); !all) return all.error();
  return out;
}

// True when the file says this (afterwards).
core::Result<bool> settle(const std::string& path, const std::string& text, bool check) {
  std::ifstream in(path);
  std::ostringstream present;
  present << in.rdbuf();
  if (present.str() == text) return true;
  if (check) return false;
  std::ofstream out(path);
  out << text;
  out.flush();
  if (!out) return core::fail("cannot write {}", path);
  return true;
}

core::Result<bool> run(const std::string& docs, bool check) {
  if (const std::vector<std::string> missing = undocumented(); !missing.empty()) {
    return core::fail("a row of the schema says nothing about its word: {}",
                      fmt::join(missing, ", "));
  }
  const std::string chapter = docs + "/configuration.md";
  const std::string source = docs + "/holdfast.conf.5.in";
  const auto markdown = read_lines(chapter);
  if (!markdown) return markdown.error();
  const auto page = read_lines(source);
  if (!page) return page.error();
  const auto new_chapter = filled_markdown(*markdown, chapter);
  if (!new_chapter) return new_chapter.error();
  const auto new_page = filled_page(*page, *markdown, source);
  if (!new_page) return new_page.error();
  const auto first = settle(chapter, *new_chapter, check);
  if (!first) return first.error();
  const auto second = settle(docs + "/holdfast.conf.5", *new_page, check);
  if (!second) return second.error();
  return *first && *second;
}

}  // namespace
}  // namespace holdfast::config::manual

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const bool check = words.size() == 2 && words[0] == "--check";
  if (words.empty() || words.size() > 2 || (words.size() == 2 && !check)) {
    fmt::print(stderr, "usage: holdfast_manual [--check] DOCS\n");
    return 2;
  }
  const auto done = holdfast::config::manual::run(words.back(), check);
  if (!done) {
    fmt::print(stderr, "holdfast_manual: {}\n", done.error().message);
    return 2;
  }
  if (!*done) {
    fmt::print(stderr,
               "the word lists of {0} are not those of the schema; write them with: "
               "holdfast_manual {0}\n",
               words.back());
  }
  return *done ? 0 : 1;
}
