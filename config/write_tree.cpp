// Statements of a source → document: what the author wrote, word for word.
#include "config/write.hpp"

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

}  // namespace

Document document_of(const Tree& tree) {
  return read(tree, tree.first);
}

}  // namespace holdfast::config
