// The half of the parser that deals with mistakes: braces, and words out of place.
#include "config/keepalived/parser.hpp"
#include "config/schema/hint.hpp"
#include "config/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::config::keepalived {
namespace {

constexpr std::size_t kMaxGuesses =
    200;  // spelling look-ups a file: each compares with every word of a block

}  // namespace

// How many braces are missing or too many decides which of the two a word in the wrong block is
// blamed on. A second reading of the whole text, so it waits until it is needed: a file without
// mistakes is read once.
Braces& Parser::braces() {
  if (!braces_) braces_ = examine_braces(text_, begin_);
  return *braces_;
}

// Whether indentation says that something is wrong with the braces at the current token.
bool Parser::next_fault(BraceFault::Kind kind) {
  if (!braces_) return false;
  const std::vector<BraceFault>& faults = braces_->faults;
  while (fault_ < faults.size() && faults[fault_].offset < token_.word.range.offset) ++fault_;
  if (fault_ == faults.size() || faults[fault_].offset != token_.word.range.offset) return false;
  if (faults[fault_].kind != kind) return false;
  if (kind == BraceFault::Kind::extra_close) ++fault_;
  return true;
}

void Parser::close_unclosed() {
  ++fault_;
  if (stack_.size() == 1) return;
  const std::string block = name_and_line(stack_.back());
  const bool at_close = token_.kind == TokenKind::close && stack_.size() > 2;
  reporter_.error(
      token_.word.range,
      at_close ? fmt::format("the block {} is not closed before the '}}' of {}", block,
                             name_and_line(stack_[stack_.size() - 2]))
               : fmt::format("the block {} is not closed before '{}'", block, token_.word.text),
      at_close ? "add the missing '}' above this line, whose '}' stands further out"
               : "add the missing '}' above this line");
  if (braces().missing_closes > 0) --braces().missing_closes;
  stack_.pop_back();
}

bool Parser::valid_here(Block block) const {
  return schema_.find(block, word_.text).has_value();
}

std::string Parser::name_and_line(const Open& block) {
  return fmt::format("'{}' (opened on line {})", block.name,
                     reporter_.locate(block.opened_at.offset).line);
}

// More blocks open than close, and the word belongs into a block that is open further out: the '}'
// is missing here.
bool Parser::recover_missing_brace() {
  if (braces().missing_closes == 0) return false;
  for (std::size_t depth = stack_.size() - 1; depth > 0; --depth) {
    if (!valid_here(stack_[depth - 1].block) || stack_.size() - depth > braces().missing_closes)
      continue;
    reporter_.error(word_.range,
                    fmt::format("the block {} is not closed before '{}'",
                                name_and_line(stack_.back()), word_.text),
                    "add the missing '}' above this line");
    braces().missing_closes -= stack_.size() - depth;
    stack_.resize(depth);
    return true;
  }
  return false;
}

// More blocks close than open, and the word belongs into the block that has just ended: its '}'
// came too early.
bool Parser::recover_extra_brace() {
  if (!last_closed_ || braces().extra_closes == 0 || !valid_here(last_closed_->block.block))
    return false;
  reporter_.error(last_closed_->brace,
                  fmt::format("this '}}' is one too many: it ends the block '{}' before '{}'",
                              last_closed_->block.name, word_.text),
                  "remove it");
  --braces().extra_closes;
  stack_.push_back(last_closed_->block);
  return true;
}

// The word of this block that is spelt most like it. Two that are as near are a question, not an
// answer.
std::optional<KeywordId> Parser::guess() {
  if (guesses_++ >= kMaxGuesses) return std::nullopt;
  if (!schema_.blocks_of(word_.text).empty()) return std::nullopt;
  std::vector<std::string_view> words = schema_.words_of(here());
  const std::string_view near = nearest_word(word_.text, words);
  if (near.empty()) return std::nullopt;
  std::erase(words, near);
  const std::string_view second = nearest_word(word_.text, words);
  const auto distance = [&](std::string_view word) {
    return spelling_distance(folded(word_.text), folded(word));
  };
  const bool tie = !second.empty() && distance(second) <= distance(near);
  return tie ? std::nullopt : schema_.find(here(), near);
}

// A block with a name that nobody knows, whose first word belongs to one kind of block only.
std::optional<KeywordId> Parser::guess_by_body() {
  if (!at_open_brace()) return std::nullopt;
  const Lexer lexer_before = lexer_;
  const Token token_before = token_;
  advance();
  while (token_.kind == TokenKind::newline) advance();
  const std::string_view first =
      token_.kind == TokenKind::word ? token_.word.text : std::string_view();
  lexer_ = lexer_before;
  token_ = token_before;
  std::optional<KeywordId> found;
  for (const std::string_view name : schema_.words_of(here())) {
    const KeywordId id = *schema_.find(here(), name);
    const std::optional<Block>& block = schema_[id].opens;
    if (!block || is_list(*block) || !schema_.find(*block, first)) continue;
    if (found && schema_[*found].opens != block) return std::nullopt;
    found = id;
  }
  return found;
}

// "virtual_server192.168.0.100", "priority=100": a word of this block with its value glued to it.
std::optional<KeywordId> Parser::unglue() {
  const std::size_t letters = std::min(word_.text.find_first_of("0123456789=:"), word_.text.size());
  const std::optional<KeywordId> id = schema_.find(here(), word_.text.substr(0, letters));
  if (letters == word_.text.size() || !id) return std::nullopt;
  std::size_t value = letters;
  while (value < word_.text.size() && (word_.text[value] == '=' || word_.text[value] == ':'))
    ++value;
  if (value < word_.text.size()) {
    Word rest;
    rest.text = word_.text.substr(value);
    rest.range = {word_.range.offset + static_cast<std::uint32_t>(value),
                  word_.range.length - static_cast<std::uint32_t>(value)};
    tree_.words.insert(tree_.words.begin() + first_arg_, rest);
  }
  return id;
}

std::string Parser::describe_unknown() const {
  const bool at_root = here() == Block::root;
  if (schema_.blocks_of(word_.text).empty()) {
    return at_root ? fmt::format("unknown word '{}' at the top level", word_.text)
                   : fmt::format("unknown word '{}' in '{}'", word_.text, name_here());
  }
  return at_root ? fmt::format("'{}' cannot stand at the top level", word_.text)
                 : fmt::format("'{}' is not a word of '{}'", word_.text, name_here());
}

// For a word of other blocks: one that is open, one that can stand here, or any.
std::string Parser::where_it_belongs() {
  std::vector<Block> blocks = schema_.blocks_of(word_.text);
  std::erase_if(blocks, [](Block block) { return is_list(block) || is_line(block); });
  for (std::size_t i = stack_.size() - 1; i-- > 1;) {
    if (valid_here(stack_[i].block))
      return fmt::format("move it out, into {}", name_and_line(stack_[i]));
  }
  if (last_closed_ && valid_here(last_closed_->block.block)) {
    return fmt::format("move it into '{}', whose '}}' is on line {}", last_closed_->block.name,
                       reporter_.locate(last_closed_->brace.offset).line);
  }
  std::string names;
  for (std::size_t i = 0; i < blocks.size() && i < 4; ++i)
    names += fmt::format("{}'{}'", i == 0 ? "" : ", ", name_of(blocks[i]));
  if (blocks.empty()) return "the line is skipped";
  if (blocks.front() == Block::root) return "it belongs outside of all blocks";
  return fmt::format("it belongs into {}{}", names, blocks.size() > 4 ? " and others" : "");
}

std::string Parser::describe_guess(KeywordId near, bool taken) const {
  const std::string_view name = schema_[near].name;
  const bool case_only =
      folded(name) == folded(word_.text) && word_.text.find('-') == std::string_view::npos;
  return fmt::format("{} It is {}",
                     case_only ? fmt::format("write '{}': upper and lower case count.", name)
                               : fmt::format("did you mean '{}'?", name),
                     taken ? "read as that" : "skipped, as in keepalived");
}

// A misspelt block is read as what it was meant to be, and so is a word that its block cannot do
// without: skipping it would cost the whole block. Any other line is skipped as keepalived skips
// it: beside a partner that runs the same file with keepalived, an interval or a password that
// counts on one side only makes two masters.
bool Parser::is_worth_reading(KeywordId misspelt) const {
  return schema_[misspelt].opens.has_value() || schema_[misspelt].required;
}

void Parser::handle_unknown() {
  std::string message = describe_unknown();
  if (const std::optional<KeywordId> glued = unglue()) {
    const std::string_view name = schema_[*glued].name;
    const bool taken = is_worth_reading(*glued);
    reporter_.warning(word_.range, std::move(message),
                      fmt::format("put a blank after '{}'{}", name,
                                  taken ? "" : "; the line is skipped, as in keepalived"));
    if (!taken) return skip_unknown();
    word_.text = name;
    repair_args(schema_[*glued]);
    handle_word(*glued);
    return;
  }
  std::optional<KeywordId> near = guess();
  bool taken = near && is_worth_reading(*near);
  std::string help = near ? describe_guess(*near, taken) : look_alike_hint(word_.text);
  if (!near && schema_.blocks_of(word_.text).empty() && (near = guess_by_body())) {
    help = fmt::format("its words are those of '{}': it is read as that", schema_[*near].name);
    taken = true;
  }
  if (taken) {
    // Read on as if it had been spelt right: what follows from the misspelling is not a second
    // mistake.
    reporter_.warning(word_.range, std::move(message), std::move(help));
    handle_word(*near);
    return;
  }
  const bool block = token_.kind == TokenKind::open || at_open_brace();
  if (help.empty() && !schema_.blocks_of(word_.text).empty()) help = where_it_belongs();
  if (help.empty()) help = block ? "the block is skipped" : "the line is skipped";
  reporter_.warning(word_.range, std::move(message), std::move(help));
  skip_unknown();
}

void Parser::skip_unknown() {
  tree_.words.resize(first_arg_);
  if (token_.kind == TokenKind::open || at_open_brace()) skip_block();
}

}  // namespace holdfast::config::keepalived
