// The machine behind parse.hpp: a stack of open blocks and one statement at a time. Iterative, so
// that a file full of braces cannot exhaust the stack.
#pragma once

#include "config/keepalived/lexer.hpp"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::config::keepalived {

class Parser {
 public:
  Parser(const Snapshot& snapshot, Reporter& reporter);
  [[nodiscard]] Tree run();

 private:
  struct Open {
    Block block = Block::root;
    std::uint32_t statement = kNoStatement;  // the statement whose body this is
    std::uint32_t last_child = kNoStatement;
    TextRange opened_at;
  };
  struct Closed {
    Open block;
    TextRange brace;
  };

  // Braces that open more often than they close in the whole file, and that close nothing.
  struct Braces {
    std::size_t missing_closes;
    std::size_t extra_closes;
  };
  [[nodiscard]] Braces& braces();
  void advance() { token_ = lexer_.next(); }
  void read_statement();
  void read_close();
  void read_entry();
  void read_args();
  void handle_word(KeywordId id);
  void handle_known(const Keyword& keyword);
  void handle_unknown();
  [[nodiscard]] bool recover_missing_brace();
  [[nodiscard]] bool recover_extra_brace();
  [[nodiscard]] std::optional<KeywordId> guess();
  [[nodiscard]] bool valid_here(Block block) const;
  [[nodiscard]] std::string describe_unknown(std::string& help) const;
  void glued_word(std::string& help) const;
  [[nodiscard]] bool at_open_brace();
  void skip_block();
  void push(const Statement& statement);
  void open(Block block, bool expect_brace);
  [[nodiscard]] Block here() const { return stack_.back().block; }
  [[nodiscard]] std::string name_and_line(const Open& block);

  const Schema& schema_;
  Reporter& reporter_;
  std::string_view text_;
  Tree tree_;
  Lexer lexer_;
  Token token_;
  Word word_;                    // first word of the current statement
  std::uint32_t first_arg_ = 0;  // its arguments: tree_.words from here on
  std::vector<Open> stack_;
  std::optional<Closed> last_closed_;  // the block that ended just before the current statement
  std::optional<Braces> braces_;       // counted when the first word is out of place
  std::size_t guesses_ = 0;
};

}  // namespace holdfast::config::keepalived
