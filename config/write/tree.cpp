// Statements of a source → document: what the author wrote, word for word.
#include "config/text.hpp"
#include "config/write/write.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

// An alias becomes the word it stands for where both take the same arguments.
KeywordId written_as(KeywordId id) {
  const Schema& schema = Schema::instance();
  const KeywordId canonical = schema.canonical(id);
  const auto& own = schema[id].args;
  const auto& other = schema[canonical].args;
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i].type != other[i].type || own[i].line != other[i].line) return id;
  }
  return canonical;
}

Document read(const Tree& tree, std::uint32_t first) {
  Document document;
  for (std::uint32_t at = first; at != kNoStatement; at = tree.statements[at].next) {
    const Statement& statement = tree.statements[at];
    Node& node = document.emplace_back();
    node.entry = statement.entry;
    if (!statement.entry) node.keyword = written_as(statement.keyword);
    for (const Word& word : tree.args(statement)) node.args.emplace_back(word.text);
    node.body = read(tree, statement.first_child);
  }
  return document;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (!character.valid) return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

// Why a word cannot be written; empty: it can.
std::string problem_with(std::string_view word, Syntax syntax) {
  if (syntax == Syntax::toml) return is_utf8(word) ? "" : "TOML holds UTF-8 only";
  if (word.find('"') != std::string_view::npos)
    return "keepalived's syntax has no way to write a quotation mark inside a word";
  if (word.find("${") != std::string_view::npos)
    return "keepalived's syntax takes ${…} for a definition";
  return {};
}

}  // namespace

bool can_be_written(const Tree& tree, Syntax syntax, Reporter& reporter) {
  bool sound = true;
  for (const Word& word : tree.words) {
    const std::string problem = problem_with(word.text, syntax);
    if (problem.empty()) continue;
    reporter.error(word.range, fmt::format("this word cannot be written: {}", problem));
    sound = false;
  }
  return sound;
}

Document document_of(const Tree& tree) {
  return read(tree, tree.first);
}

}  // namespace holdfast::config
