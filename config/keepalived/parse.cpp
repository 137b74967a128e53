#include "config/keepalived/parse.hpp"

#include "config/keepalived/parser.hpp"
#include "core/ip_address.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::config::keepalived {
namespace {

constexpr std::size_t kMaxGuesses =
    200;  // spelling look-ups a file: each compares with every word of a block

}  // namespace

Tree parse(const Snapshot& snapshot, Reporter& reporter) {
  return Parser(snapshot, reporter).run();
}

Parser::Parser(const Snapshot& snapshot, Reporter& reporter)
    : schema_(Schema::instance()),
      reporter_(reporter),
      text_(snapshot.text),
      lexer_(snapshot.text, reporter, tree_.unescaped) {}

// How many braces are missing or too many decides which of the two a word in the wrong block is
// blamed on. A second reading of the whole text, so it waits until it is needed: a file without
// mistakes is read once.
Parser::Braces& Parser::braces() {
  if (braces_) return *braces_;
  braces_ = Braces{.missing_closes = 0, .extra_closes = 0};
  Diagnostics ignored;
  const Snapshot none;
  Reporter silent(none, ignored);
  std::deque<std::string> unescaped;
  Lexer lexer(text_, silent, unescaped);
  std::size_t depth = 0;
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
    if (token.kind == TokenKind::open) ++depth;
    if (token.kind == TokenKind::close && depth == 0) ++braces_->extra_closes;
    if (token.kind == TokenKind::close && depth > 0) --depth;
  }
  braces_->missing_closes = depth;
  return *braces_;
}

Tree Parser::run() {
  // Nine statements in ten are short lines: this is near enough to avoid most moves of the vectors.
  tree_.statements.reserve(text_.size() / 32);
  tree_.words.reserve(text_.size() / 24);
  stack_.push_back({});
  advance();
  while (token_.kind != TokenKind::end) {
    if (token_.kind == TokenKind::newline) {
      advance();
    } else if (token_.kind == TokenKind::close) {
      read_close();
    } else if (token_.kind == TokenKind::open) {
      reporter_.error(token_.word.range, "this '{' follows no word that opens a block",
                      "the block is skipped; put its name before the brace");
      skip_block();
    } else {
      read_statement();
    }
  }
  if (stack_.size() > 1) {
    reporter_.error(stack_.back().opened_at,
                    fmt::format("the block '{}' that opens here is not closed", name_of(here())),
                    "add the missing '}'");
  }
  return std::move(tree_);
}

void Parser::read_close() {
  if (stack_.size() == 1) {
    reporter_.error(token_.word.range, "this '}' closes nothing: no block is open",
                    "remove it, or look for a '}' too many above");
    if (braces().extra_closes > 0) --braces().extra_closes;
    advance();
    return;
  }
  last_closed_ = Closed{stack_.back(), token_.word.range};
  stack_.pop_back();
  advance();
}

void Parser::read_statement() {
  word_ = token_.word;
  advance();
  if (is_list(here())) {
    read_entry();
    last_closed_.reset();
    return;
  }
  const std::optional<KeywordId> id =
      word_.quoted ? std::nullopt : schema_.find(here(), word_.text);
  if (id) {
    read_args();
    handle_word(*id);
    last_closed_.reset();
    return;
  }
  if (recover_missing_brace() || recover_extra_brace()) {
    const std::optional<KeywordId> again = schema_.find(here(), word_.text);
    read_args();
    if (again) handle_word(*again);
  } else {
    read_args();
    handle_unknown();
  }
  last_closed_.reset();
}

void Parser::read_args() {
  first_arg_ = static_cast<std::uint32_t>(tree_.words.size());
  while (token_.kind == TokenKind::word) {
    tree_.words.push_back(token_.word);
    advance();
  }
}

void Parser::read_entry() {
  const bool looks_like_entry =
      here() == Block::mail_list ||
      core::IpPrefix::parse(word_.text.substr(0, word_.text.find('/'))).has_value();
  if (!looks_like_entry && recover_missing_brace()) {
    const std::optional<KeywordId> id = schema_.find(here(), word_.text);
    read_args();
    if (id) handle_word(*id);
    return;
  }
  first_arg_ = static_cast<std::uint32_t>(tree_.words.size());
  tree_.words.push_back(word_);
  while (token_.kind == TokenKind::word) {
    tree_.words.push_back(token_.word);
    advance();
  }
  Statement entry;
  entry.entry = true;
  entry.range = word_.range;
  push(entry);
  if (token_.kind == TokenKind::open) {
    reporter_.error(token_.word.range,
                    fmt::format("an entry of '{}' has no block", name_of(here())));
    skip_block();
  }
}

void Parser::push(const Statement& statement) {
  const auto index = static_cast<std::uint32_t>(tree_.statements.size());
  tree_.statements.push_back(statement);
  tree_.statements.back().first_word = first_arg_;
  tree_.statements.back().word_count = static_cast<std::uint32_t>(tree_.words.size()) - first_arg_;
  Open& parent = stack_.back();
  if (parent.last_child != kNoStatement) {
    tree_.statements[parent.last_child].next = index;
  } else if (parent.statement != kNoStatement) {
    tree_.statements[parent.statement].first_child = index;
  } else {
    tree_.first = index;
  }
  parent.last_child = index;
}

// A '{' may stand on a later line, after blank lines and comments.
bool Parser::at_open_brace() {
  if (token_.kind != TokenKind::newline) return token_.kind == TokenKind::open;
  const Lexer lexer_before = lexer_;
  const Token token_before = token_;
  while (token_.kind == TokenKind::newline) advance();
  if (token_.kind == TokenKind::open) return true;
  lexer_ = lexer_before;
  token_ = token_before;
  return false;
}

void Parser::skip_block() {
  std::size_t depth = 0;
  while (token_.kind != TokenKind::end) {
    if (token_.kind == TokenKind::open) ++depth;
    if (token_.kind == TokenKind::close && --depth == 0) break;
    advance();
  }
  if (token_.kind == TokenKind::close) advance();
}

void Parser::open(Block block, bool expect_brace) {
  if (at_open_brace()) {
    advance();
  } else if (expect_brace) {
    reporter_.error(word_.range,
                    fmt::format("'{}' must be followed by a block in braces", word_.text),
                    "write '{' at the end of this line");
    // The body goes on as if the brace were there, when there is a '}' to end it.
    if (braces().extra_closes == 0) return;
    --braces().extra_closes;
  }
  Open opened;
  opened.block = block;
  opened.statement = static_cast<std::uint32_t>(tree_.statements.size()) - 1;
  opened.opened_at = word_.range;
  stack_.push_back(opened);
}

void Parser::handle_word(KeywordId id) {
  const Keyword& keyword = schema_[id];
  if (keyword.effect == Effect::known) {
    handle_known(keyword);
    return;
  }
  Statement statement;
  statement.keyword = id;
  statement.range = word_.range;
  push(statement);
  if (keyword.opens) {
    open(*keyword.opens, true);
  } else if (token_.kind == TokenKind::open) {
    reporter_.error(token_.word.range, fmt::format("'{}' has no block", word_.text),
                    "the block is skipped; remove the braces");
    skip_block();
  }
}

void Parser::handle_known(const Keyword& keyword) {
  tree_.words.resize(first_arg_);
  const std::string standard = fmt::format("accepted, without effect yet: '{}'", keyword.name);
  reporter_.warn_once(word_.range, keyword.notice.empty() ? standard : std::string(keyword.notice));
  const bool opens = keyword.opens ? at_open_brace() : token_.kind == TokenKind::open;
  if (opens) skip_block();
}

bool Parser::valid_here(Block block) const {
  return schema_.find(block, word_.text).has_value();
}

std::string Parser::name_and_line(const Open& block) {
  return fmt::format("'{}' (opened on line {})", name_of(block.block),
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
                              name_of(last_closed_->block.block), word_.text),
                  "remove it");
  --braces().extra_closes;
  stack_.push_back(last_closed_->block);
  return true;
}

std::optional<KeywordId> Parser::guess() {
  const std::vector<Block> blocks = schema_.blocks_of(word_.text);
  if (!blocks.empty()) return std::nullopt;
  const std::string_view near = nearest_word(word_.text, schema_.words_of(here()));
  if (near.empty()) return std::nullopt;
  return schema_.find(here(), near);
}

std::string Parser::describe_unknown(std::string& help) const {
  const std::vector<Block> blocks = schema_.blocks_of(word_.text);
  if (blocks.empty()) {
    help = here() == Block::root
               ? "valid here are blocks such as global_defs, vrrp_instance, virtual_server"
               : "the line is skipped";
    return here() == Block::root
               ? fmt::format("unknown word '{}' at the top level", word_.text)
               : fmt::format("unknown word '{}' in '{}'", word_.text, name_of(here()));
  }
  std::string names;
  for (std::size_t i = 0; i < blocks.size() && i < 4; ++i) {
    names += fmt::format("{}'{}'", i == 0 ? "" : ", ", name_of(blocks[i]));
  }
  help = fmt::format("it belongs into {}{}", names, blocks.size() > 4 ? " and others" : "");
  return here() == Block::root
             ? fmt::format("'{}' cannot stand at the top level", word_.text)
             : fmt::format("'{}' is not a word of '{}'", word_.text, name_of(here()));
}

// "virtual_server192.168.0.100": a word of this block with its value glued to it.
void Parser::glued_word(std::string& help) const {
  const std::size_t letters = std::min(word_.text.find_first_of("0123456789=:"), word_.text.size());
  if (letters == word_.text.size() || !schema_.find(here(), word_.text.substr(0, letters))) return;
  help = fmt::format("put a blank after '{}'", word_.text.substr(0, letters));
}

void Parser::handle_unknown() {
  std::string help;
  std::string message = describe_unknown(help);
  const std::optional<KeywordId> near = guesses_++ < kMaxGuesses ? guess() : std::nullopt;
  if (near) help = fmt::format("did you mean '{}'?", schema_[*near].name);
  if (!near) glued_word(help);
  reporter_.error(word_.range, std::move(message), std::move(help));
  if (!near) {
    tree_.words.resize(first_arg_);
    if (token_.kind == TokenKind::open || at_open_brace()) skip_block();
    return;
  }
  // Read on as if it had been spelt right: what follows from the misspelling is not a second
  // mistake.
  handle_word(*near);
}

}  // namespace holdfast::config::keepalived
