#include "config/keepalived/parse.hpp"

#include "config/keepalived/parser.hpp"
#include "config/schema/decode.hpp"
#include "config/schema/hint.hpp"
#include "core/ip_address.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::config::keepalived {

void parse(const Snapshot& snapshot, TextRange part, Reporter& reporter, Tree& tree,
           const TreeSink* finished) {
  Parser(snapshot, part, reporter, tree, finished).run();
}

Parser::Parser(const Snapshot& snapshot, TextRange part, Reporter& reporter, Tree& tree,
               const TreeSink* finished)
    : schema_(Schema::instance()),
      reporter_(reporter),
      text_(std::string_view(snapshot.text).substr(0, std::size_t{part.offset} + part.length)),
      begin_(part.offset),
      tree_(tree),
      finished_(finished),
      lexer_(text_, reporter, tree.unescaped, begin_) {}

// Room for what is read from the `rest` bytes to come. Nine statements in ten are short lines: this
// is near enough to avoid most moves of the vectors.
void Parser::begin_tree(std::size_t rest) {
  constexpr std::size_t kLastBlock = 64;  // statements behind the limit: one tree ends with a block
  const std::size_t most =
      finished_ == nullptr ? rest : std::min(rest, (kTreeStatements + kLastBlock) * 32);
  tree_.statements.reserve(tree_.statements.size() + most / 32);
  tree_.words.reserve(tree_.words.size() + most / 24);
}

// Before a statement of the top level. What is closed can no longer be opened again: the word that
// follows is in its place.
void Parser::finish_large_tree() {
  if (finished_ == nullptr || stack_.size() != 1 || tree_.statements.size() < kTreeStatements)
    return;
  // The next word, which is read already, must not belong to the old tree.
  if (!token_.word.quoted && token_.word.text.size() != token_.word.range.length) return;
  last_closed_.reset();
  stack_.back().last_child = kNoStatement;
  (*finished_)(tree_);
  begin_tree(text_.size() - word_.range.offset);
}

void Parser::run() {
  begin_tree(text_.size() - begin_);
  stack_.push_back({});
  stack_.back().last_child = tree_.last();
  if (!look_balanced(text_.substr(begin_))) static_cast<void>(braces());
  advance();
  while (token_.kind != TokenKind::end) {
    while (next_fault(BraceFault::Kind::missing_close)) close_unclosed();
    if (token_.kind == TokenKind::newline) {
      advance();
    } else if (token_.kind == TokenKind::close) {
      read_close();
    } else if (token_.kind == TokenKind::open) {
      read_stray_open();
    } else {
      read_statement();
    }
  }
  if (stack_.size() > 1) {
    reporter_.error(stack_.back().opened_at,
                    fmt::format("the block '{}' that opens here is not closed", name_here()),
                    "add the missing '}'; is the file complete?");
  }
}

void Parser::read_close() {
  const bool is_extra = next_fault(BraceFault::Kind::extra_close);
  if (stack_.size() == 1) {
    reporter_.warning(token_.word.range, "this '}' closes nothing: no block is open",
                      "remove it, or look for a '}' too many above");
  } else if (is_extra) {
    reporter_.error(token_.word.range,
                    fmt::format("this '}}' is one too many: it stands deeper than the block {}",
                                name_and_line(stack_.back())),
                    "remove it");
  }
  if (stack_.size() == 1 || is_extra) {
    if (braces().extra_closes > 0) --braces().extra_closes;
    advance();
    return;
  }
  last_closed_ = Closed{stack_.back(), token_.word.range};
  stack_.pop_back();
  if (last_closed_->block.again) stack_.back().last_child = last_closed_->block.last_child;
  advance();
}

// A '{' behind another one is a slip: what follows belongs to the block that is open already.
void Parser::read_stray_open() {
  const bool twice = stack_.size() > 1 && stack_.back().last_child == kNoStatement;
  if (!twice) {
    reporter_.error(token_.word.range, "this '{' follows no word that opens a block",
                    "the block is skipped; put its name before the brace");
    skip_block();
    return;
  }
  reporter_.warning(token_.word.range,
                    fmt::format("a second '{{' for the block {}", name_and_line(stack_.back())),
                    "remove it");
  if (braces().missing_closes > 0) {
    --braces().missing_closes;
  } else {
    stack_.push_back(stack_.back());
    stack_.back().again = true;
  }
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
    finish_large_tree();
    read_args_of(schema_[*id]);
    handle_word(*id);
    last_closed_.reset();
    return;
  }
  if (recover_missing_brace() || recover_extra_brace()) {
    read_statement_here();
  } else {
    read_args();
    handle_unknown();
  }
  last_closed_.reset();
}

void Parser::read_statement_here() {
  const std::optional<KeywordId> id = schema_.find(here(), word_.text);
  if (!id) {
    read_args();
    return;
  }
  read_args_of(schema_[*id]);
  handle_word(*id);
}

void Parser::read_args() {
  first_arg_ = static_cast<std::uint32_t>(tree_.words.size());
  while (token_.kind == TokenKind::word) {
    tree_.words.push_back(token_.word);
    advance();
  }
}

std::string_view Parser::keep(std::string text) {
  tree_.unescaped.push_back(std::move(text));
  return tree_.unescaped.back();
}

void Parser::read_args_of(const Keyword& keyword) {
  read_args();
  const std::size_t count = tree_.words.size() - first_arg_;
  if (count > 1 && tree_.words[first_arg_].text == "=" && !tree_.words[first_arg_].quoted) {
    reporter_.warning(tree_.words[first_arg_].range,
                      fmt::format("a '=' between '{}' and its value", keyword.name), "remove it");
    tree_.words.erase(tree_.words.begin() + first_arg_);
  }
  if (count == 0) return;
  if (keyword.has_command || keyword.name == "regex") read_command_words();
  if (keyword.user_at) split_account(keyword.args[*keyword.user_at], *keyword.user_at);
  repair_args(keyword);
  if (keyword.name == "auth_pass") look_for_cut_password();
}

// USER:GROUP, USER : GROUP and USER : are USER GROUP and USER; a lone colon names nobody.
void Parser::split_account(const Arg& user, std::size_t position) {
  const std::size_t from = first_arg_ + position;
  for (std::size_t at = from; at < tree_.words.size();) {
    Word word = tree_.words[at];
    const std::size_t colon = word.quoted ? std::string_view::npos : word.text.find(':');
    const bool is_all = word.text.size() == 1 && at == from && !user.optional;
    if (colon == std::string_view::npos || is_all) {
      ++at;
      continue;
    }
    tree_.words.erase(tree_.words.begin() + static_cast<std::ptrdiff_t>(at));
    for (const std::string_view part : {word.text.substr(colon + 1), word.text.substr(0, colon)}) {
      word.text = part;
      if (!part.empty())
        tree_.words.insert(tree_.words.begin() + static_cast<std::ptrdiff_t>(at), word);
    }
  }
}

void Parser::look_for_cut_password() {
  const Word& password = tree_.words.back();
  const std::size_t end = std::size_t{password.range.offset} + password.range.length;
  if (password.quoted || end >= text_.size() || (text_[end] != '#' && text_[end] != '!')) return;
  reporter_.note(password.range,
                 fmt::format("the password ends before '{}', which begins a comment", text_[end]),
                 fmt::format("put it between double quotes, or write \\{}", text_[end]));
}

// Commands and regular expressions have words of their own: single quotes group, a backslash
// escapes. keepalived: keywords with quoted values.
void Parser::read_command_words() {
  const std::size_t begin = tree_.words[first_arg_].range.offset;
  const TextRange& last = tree_.words.back().range;
  const std::string_view raw = text_.substr(begin, last.offset + last.length - begin);
  if (raw.find_first_of("'\\") == std::string_view::npos) return;
  CommandLine command = read_command(raw);
  bool closed = command.closed;
  tree_.words.resize(first_arg_);
  for (CommandWord& one : command.words) {
    Word word;
    word.range = {static_cast<std::uint32_t>(begin + one.begin),
                  static_cast<std::uint32_t>(one.end - one.begin)};
    word.quoted = raw[one.begin] == '"' || raw[one.begin] == '\'';
    word.text = keep(std::move(one.text));
    closed = closed && read_command(word.text).closed;
    tree_.words.push_back(word);
  }
  if (!closed && !tree_.words.empty()) {
    reporter_.suspect(tree_.words[first_arg_].range, "a quotation in this command is not closed",
                      "it is taken to end with the command; write \\' or \\\" for the sign itself");
  }
}

// Values whose meaning is plain although they do not fit.
void Parser::repair_args(const Keyword& keyword) {
  for (std::size_t i = first_arg_, at = 0; i < tree_.words.size() && at < kMaxArgs; ++i) {
    const Arg& arg = keyword.args[at];
    if (!arg.repeated) ++at;
    Word& word = tree_.words[i];
    const std::optional<Repair> repaired = repair(arg, word.text);
    if (!repaired) continue;
    reporter_.warning(word.range,
                      fmt::format("'{}' must be {}; '{}' is read as {}", keyword.name,
                                  describe(arg), word.text, repaired->text),
                      repaired->cure);
    word.text = keep(repaired->text);
  }
}

// "192.168.1.200/24," and "dev eth0;" in a list: neither an address nor an interface ends so.
void Parser::repair_entry() {
  if (here() != Block::address_list && here() != Block::peer_list &&
      here() != Block::virtual_server_group)
    return;
  for (std::size_t i = first_arg_; i < tree_.words.size(); ++i) {
    Word& word = tree_.words[i];
    if (word.quoted || word.text.size() < 2 || (word.text.back() != ',' && word.text.back() != ';'))
      continue;
    const std::string_view rest = word.text.substr(0, word.text.size() - 1);
    const bool is_interface = i > first_arg_ && tree_.words[i - 1].text == "dev";
    if (!is_interface && !core::IpPrefix::parse(rest)) continue;
    reporter_.warning(word.range, fmt::format("'{}' is read as {}", word.text, rest),
                      fmt::format("remove the '{}'", word.text.back()));
    word.text = rest;
  }
}

void Parser::read_entry() {
  const bool looks_like_entry =
      here() == Block::mail_list || schema_.find(here(), word_.text).has_value() ||
      core::IpPrefix::parse(word_.text.substr(0, word_.text.find('/'))).has_value();
  if (!looks_like_entry && recover_missing_brace()) {
    read_statement_here();
    return;
  }
  first_arg_ = static_cast<std::uint32_t>(tree_.words.size());
  tree_.words.push_back(word_);
  while (token_.kind == TokenKind::word) {
    tree_.words.push_back(token_.word);
    advance();
  }
  repair_entry();
  Statement entry;
  entry.entry = true;
  entry.range = word_.range;
  push(entry);
  if (token_.kind == TokenKind::open) {
    reporter_.error(token_.word.range, fmt::format("an entry of '{}' has no block", name_here()));
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
    while (depth > 0 && next_fault(BraceFault::Kind::missing_close)) {
      ++fault_;
      if (--depth == 0) return;
    }
    if (token_.kind == TokenKind::open) ++depth;
    if (token_.kind == TokenKind::close && --depth == 0) break;
    advance();
  }
  if (token_.kind == TokenKind::close) advance();
}

// The next '}' that seemed one too many ends a block after all.
void Parser::forget_extra_close() {
  --braces().extra_closes;
  std::vector<BraceFault>& faults = braces().faults;
  const auto next = std::find_if(faults.begin(), faults.end(), [&](const BraceFault& fault) {
    return fault.kind == BraceFault::Kind::extra_close && fault.offset > word_.range.offset;
  });
  if (next != faults.end()) faults.erase(next);
}

void Parser::open(Block block, bool expect_brace) {
  if (at_open_brace()) {
    advance();
  } else if (expect_brace) {
    std::string message = fmt::format("'{}' must be followed by a block in braces", word_.text);
    if (braces().extra_closes == 0) {
      reporter_.warning(word_.range, std::move(message),
                        "it counts as empty: write '{' at the end of this line, and '}' below");
      return;
    }
    // The body goes on as if the brace were there: there is a '}' to end it.
    reporter_.error(word_.range, std::move(message), "write '{' at the end of this line");
    forget_extra_close();
  }
  Open opened;
  opened.block = block;
  opened.name = schema_[tree_.statements.back().keyword].name;
  opened.statement = static_cast<std::uint32_t>(tree_.statements.size()) - 1;
  opened.opened_at = word_.range;
  stack_.push_back(opened);
}

void Parser::handle_word(KeywordId id) {
  const Keyword& keyword = schema_[id];
  Statement statement;
  statement.keyword = id;
  statement.range = word_.range;
  push(statement);
  if (keyword.opens == Block::other) {
    if (at_open_brace()) skip_block();
  } else if (keyword.opens) {
    open(*keyword.opens, true);
  } else if (token_.kind == TokenKind::open) {
    reporter_.error(token_.word.range, fmt::format("'{}' has no block", word_.text),
                    "the block is skipped; remove the braces");
    skip_block();
  }
}

}  // namespace holdfast::config::keepalived
