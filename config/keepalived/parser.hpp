// The machine behind parse.hpp: a stack of open blocks and one statement at a time. Iterative, so
// that a file full of braces cannot exhaust the stack.
#pragma once

#include "config/keepalived/braces.hpp"
#include "config/keepalived/lexer.hpp"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::config::keepalived {

class Parser {
 public:
  /// Reads `part` of the snapshot into `tree`, behind what is there already.
  /// Trees that are large enough go to `finished`, unless that is nullptr.
  Parser(const Snapshot& snapshot, TextRange part, Reporter& reporter, Tree& tree,
         const TreeSink* finished);
  void run();

 private:
  struct Open {
    Block block = Block::root;
    std::string_view name;                   // the word that opened it; several share a block
    std::uint32_t statement = kNoStatement;  // the statement whose body this is
    std::uint32_t last_child = kNoStatement;
    bool again = false;  // the same block: its '{' was given twice
    TextRange opened_at;
  };
  struct Closed {
    Open block;
    TextRange brace;
  };

  [[nodiscard]] Braces& braces();
  [[nodiscard]] bool next_fault(BraceFault::Kind kind);
  void close_unclosed();
  void begin_tree(std::size_t rest);
  void finish_large_tree();
  void advance() { token_ = lexer_.next(); }
  void read_statement();
  void read_close();
  void read_stray_open();
  void read_statement_here();
  void read_entry();
  void read_args();
  void read_args_of(const Keyword& keyword);
  void read_command_words();
  void repair_args(const Keyword& keyword);
  void repair_entry();
  void split_account(const Arg& user, std::size_t position);
  void look_for_cut_password();
  void forget_extra_close();
  void handle_word(KeywordId id);
  void handle_unknown();
  void skip_unknown();
  [[nodiscard]] bool is_worth_reading(KeywordId misspelt) const;
  [[nodiscard]] bool recover_missing_brace();
  [[nodiscard]] bool recover_extra_brace();
  [[nodiscard]] std::optional<KeywordId> guess();
  [[nodiscard]] std::optional<KeywordId> guess_by_body();
  [[nodiscard]] std::optional<KeywordId> unglue();
  [[nodiscard]] std::string_view keep(std::string text);
  [[nodiscard]] bool valid_here(Block block) const;
  [[nodiscard]] std::string describe_unknown() const;
  [[nodiscard]] std::string where_it_belongs();
  [[nodiscard]] std::string describe_guess(KeywordId near, bool taken) const;
  [[nodiscard]] bool at_open_brace();
  void skip_block();
  void push(const Statement& statement);
  void open(Block block, bool expect_brace);
  [[nodiscard]] Block here() const { return stack_.back().block; }
  [[nodiscard]] std::string_view name_here() const { return stack_.back().name; }
  [[nodiscard]] std::string name_and_line(const Open& block);

  const Schema& schema_;
  Reporter& reporter_;
  std::string_view text_;  // up to the end of the part
  std::size_t begin_;      // of the part
  Tree& tree_;
  const TreeSink* finished_;  // the caller's
  Lexer lexer_;
  Token token_;
  Word word_;                    // first word of the current statement
  std::uint32_t first_arg_ = 0;  // its arguments: tree_.words from here on
  std::vector<Open> stack_;
  std::optional<Closed> last_closed_;  // the block that ended just before the current statement
  std::optional<Braces> braces_;       // counted when there is something wrong
  std::size_t fault_ = 0;              // the first of braces_->faults that is still to come
  std::size_t guesses_ = 0;
};

}  // namespace holdfast::config::keepalived
