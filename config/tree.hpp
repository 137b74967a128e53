// The statements of a configuration between reading and meaning: which word of the table, in which
// block, with which arguments. Every reader makes one, config/builders/build.hpp turns it into the
// model. Flat vectors: nothing is allocated a statement.
#pragma once

#include "config/report.hpp"
#include "config/schema/schema.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::config {

/// A word as it counts: without quotes and escapes. `range` is where it stands in the snapshot,
/// quotes included.
struct Word {
  std::string_view text;
  TextRange range;
  bool quoted = false;
};

inline constexpr std::uint32_t kNoStatement = 0xFFFFFFFF;

/// One statement; in a list block (addresses, mail) an entry, whose words are all in `args`.
struct Statement {
  /// the row as written (an alias is not resolved); meaningless for an entry
  KeywordId keyword = 0;
  bool entry = false;
  TextRange range;               ///< of the keyword
  std::uint32_t first_word = 0;  ///< arguments: words[first_word, first_word + word_count)
  std::uint32_t word_count = 0;
  std::uint32_t first_child = kNoStatement;
  std::uint32_t next = kNoStatement;  ///< the next statement of the same block
};

struct Tree {
  std::vector<Statement> statements;
  std::vector<Word> words;
  /// Words that are not a stretch of the snapshot. They stay where they are when the tree is moved.
  std::deque<std::string> unescaped;
  std::uint32_t first = kNoStatement;

  [[nodiscard]] std::span<const Word> args(const Statement& statement) const {
    return std::span(words).subspan(statement.first_word, statement.word_count);
  }
  /// Empties it; the room stays.
  void clear() {
    statements.clear();
    words.clear();
    unescaped.clear();
    first = kNoStatement;
  }
  /// The last statement of the top level; kNoStatement when there is none.
  [[nodiscard]] std::uint32_t last() const {
    std::uint32_t at = first;
    while (at != kNoStatement && statements[at].next != kNoStatement) at = statements[at].next;
    return at;
  }
};

/// A long configuration is several trees, so that each can go as soon as its objects are built. A
/// new one begins between two statements of the top level when the last one has this many.
inline constexpr std::size_t kTreeStatements = 2048;
/// Never a vector: its growth would copy them, and words point into `unescaped`.
using Trees = std::deque<Tree>;
/// Takes a tree that is large enough, or what it wants of it, and leaves it empty. It may leave the
/// room that the tree had.
using TreeSink = std::function<void(Tree&)>;

}  // namespace holdfast::config
