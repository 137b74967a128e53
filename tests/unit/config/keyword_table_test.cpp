// Every keyword of keepalived, as a table of its documentation has them, beside our own table.
#include "config/schema/schema.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace holdfast::config;

namespace {

const std::filesystem::path kKeywords = std::filesystem::path(HOLDFAST_SOURCE_DIR) / ".." /
                                        "shared" / "ref" / "keepalived-keywords.tsv";

// "virtual_server/real_server/HTTP_GET/url" → url; the list of "(route line: …)" → its block.
std::optional<Block> block_of(std::string_view path) {
  if (path == "(root)") return Block::root;
  if (path.starts_with("(address line")) return Block::address_list;
  if (path.starts_with("(route line")) return Block::route_list;
  if (path.starts_with("(rule line")) return Block::rule_list;
  if (path == "vrrp_track_file") return Block::track_file;
  const std::size_t slash = path.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? path : path.substr(slash + 1);
  for (std::size_t i = 0; i < kBlockCount; ++i) {
    if (name_of(static_cast<Block>(i)) == last) return static_cast<Block>(i);
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("schema: every keyword of keepalived is a word of its block, and is read") {
  std::ifstream file(kKeywords);
  if (!file) {
    fmt::print("skipped: {} is not here\n", kKeywords.string());
    return;
  }
  const Schema& schema = Schema::instance();
  std::size_t rows = 0;
  std::size_t counts[5] = {};
  std::string line;
  std::getline(file, line);  // headings
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string path;
    std::string word;
    std::getline(fields, path, '\t');
    std::getline(fields, word, '\t');
    // What is no word: the language itself, and what an entry of a list begins with.
    if (path == "(language)" || word.starts_with('(')) continue;
    word = word.substr(0, word.find(' '));
    ++rows;
    std::optional<KeywordId> id;
    if (path.starts_with("(removed")) {
      const std::vector<Block> blocks = schema.blocks_of(word);
      if (!blocks.empty()) id = schema.find(blocks.front(), word);
    } else if (const std::optional<Block> block = block_of(path)) {
      id = schema.find(*block, word);
    }
    if (!id) {
      FAIL_CHECK(path, ": ", word, " is not in the table");
      continue;
    }
    ++counts[static_cast<std::size_t>(schema[*id].effect)];
  }
  fmt::print("keywords: {} of keepalived; {} active, {} kept without effect, {} checked\n", rows,
             counts[0] + counts[1] + counts[2], counts[3], counts[4]);
  CHECK(rows > 600);
}
