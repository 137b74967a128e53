#include "config/compare/diff_fields.hpp"

#include "config/schema/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace holdfast::config {
namespace {

bool holds_lines(const Node& node) {
  return std::any_of(node.body.begin(), node.body.end(),
                     [](const Node& each) { return each.entry; });
}

class Comparison {
 public:
  void compare(const Document& before, const Document& after, const std::string& inside) {
    lines(before, after, inside);
    const Statements old_statements = statements_of(before);
    const Statements new_statements = statements_of(after);
    for (const auto& [key, node] : old_statements.list) {
      const auto found = new_statements.index.find(key);
      statement(node, found == new_statements.index.end() ? nullptr : found->second, inside);
    }
    for (const auto& [key, node] : new_statements.list)
      if (!old_statements.index.contains(key)) statement(nullptr, node, inside);
  }
  std::vector<FieldChange> take() { return std::move(changes_); }

 private:
  /// A word and how often it stood before: several checkers of one kind are told apart by their
  /// order.
  using Key = std::pair<KeywordId, std::size_t>;
  struct Statements {
    std::vector<std::pair<Key, const Node*>> list;
    std::map<Key, const Node*> index;
  };

  static Statements statements_of(const Document& document) {
    Statements statements;
    std::map<KeywordId, std::size_t> times;
    for (const Node& node : document) {
      if (node.entry) continue;
      const Key key{node.keyword, times[node.keyword]++};
      statements.list.emplace_back(key, &node);
      statements.index.emplace(key, &node);
    }
    return statements;
  }

  // Lines of a list block are the same or they are not.
  void lines(const Document& before, const Document& after, const std::string& inside) {
    const auto has = [](const Document& document, const Node& line) {
      return std::find(document.begin(), document.end(), line) != document.end();
    };
    for (const Node& line : before)
      if (line.entry && !has(after, line)) note(inside, line_of(line), "");
    for (const Node& line : after)
      if (line.entry && !has(before, line)) note(inside, "", line_of(line));
  }

  void statement(const Node* before, const Node* after, const std::string& inside) {
    const Node& some = before != nullptr ? *before : *after;
    const Keyword& row = Schema::instance()[some.keyword];
    const std::string word(row.name);
    const std::string field = inside.empty() ? word : fmt::format("{} {}", inside, word);
    static const Document kNone;
    if (before != nullptr && after != nullptr) {
      if (*before == *after) return;
      note(field, value_of(*before), value_of(*after), row.secret);
      compare(before->body, after->body, field);
    } else if (holds_lines(some)) {
      compare(before == nullptr ? kNone : before->body, after == nullptr ? kNone : after->body,
              field);
    } else {
      note(field, before == nullptr ? absent(some) : shown(some),
           after == nullptr ? absent(some) : shown(some), row.secret);
    }
  }

  static std::string value_of(const Node& node) {
    return fmt::format("{}", fmt::join(node.args, " "));
  }
  static bool is_flag(const Node& node) { return node.args.empty() && node.body.empty(); }
  static std::string absent(const Node& node) { return is_flag(node) ? "no" : ""; }
  static std::string shown(const Node& node) {
    if (is_flag(node)) return "yes";
    return node.args.empty() ? std::string(kWholeBlock) : value_of(node);
  }

  void note(const std::string& field, std::string before, std::string after,
            bool is_secret = false) {
    if (before == after) return;
    if (is_secret) {
      if (!before.empty()) before = kHiddenValue;
      if (!after.empty()) after = kHiddenValue;
    }
    changes_.push_back({field, std::move(before), std::move(after)});
  }

  std::vector<FieldChange> changes_;
};

}  // namespace

std::vector<FieldChange> compare_nodes(const Node& before, const Node& after) {
  std::vector<FieldChange> changes = compare_documents(before.body, after.body);
  if (before.args != after.args)
    changes.insert(changes.begin(),
                   FieldChange{"name", fmt::format("{}", fmt::join(before.args, " ")),
                               fmt::format("{}", fmt::join(after.args, " "))});
  return changes;
}

std::vector<FieldChange> compare_documents(const Document& before, const Document& after) {
  Comparison comparison;
  comparison.compare(before, after, "");
  return comparison.take();
}

std::string line_of(const Node& entry) {
  return fmt::format("{}", fmt::join(entry.args, " "));
}

}  // namespace holdfast::config
