#include "config/keepalived/braces.hpp"

#include "config/keepalived/lexer.hpp"
#include "config/text.hpp"

#include <algorithm>

namespace holdfast::config::keepalived {
namespace {

constexpr std::size_t kTab = 8;

struct Mark {
  TokenKind kind;
  std::uint32_t offset;
  bool first;            // on its line
  std::uint32_t indent;  // of its line, in columns
};

std::uint32_t indent_at(std::string_view text, std::size_t offset) {
  const std::size_t newline = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  std::uint32_t column = 0;
  for (std::size_t i = newline == std::string_view::npos ? 0 : newline + 1; i < offset; ++i)
    column = text[i] == '\t' ? static_cast<std::uint32_t>((column / kTab + 1) * kTab) : column + 1;
  return column;
}

// Braces, and the words that begin a line.
std::vector<Mark> marks_of(std::string_view text, std::size_t begin) {
  Diagnostics ignored;
  const Snapshot none;
  Reporter silent(none, ignored);
  std::deque<std::string> unescaped;
  Lexer lexer(text, silent, unescaped, begin);
  std::vector<Mark> marks;
  bool first = true;
  std::uint32_t indent = 0;
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
    if (token.kind == TokenKind::newline) {
      first = true;
      continue;
    }
    if (first) indent = indent_at(text, token.word.range.offset);
    if (first || token.kind != TokenKind::word)
      marks.push_back({token.kind, token.word.range.offset, first, indent});
    first = false;
  }
  return marks;
}

struct Indented {
  std::uint32_t indent;                // of the line that opens the block
  std::uint32_t first_line = kUnseen;  // of the first line in it
  static constexpr std::uint32_t kUnseen = 0xFFFFFFFF;
};

// A line that stands no deeper than the one that opened the block, although the block's first line
// does, or a '}' that stands less deep, comes after a '}' that is missing.
std::vector<BraceFault> missing_closes(const std::vector<Mark>& marks) {
  std::vector<BraceFault> faults;
  std::vector<Indented> open;
  const auto leaves_block = [&open](const Mark& mark) {
    if (!mark.first || mark.kind == TokenKind::open || open.empty()) return false;
    Indented& block = open.back();
    if (mark.kind == TokenKind::close) return mark.indent < block.indent;
    if (block.first_line == Indented::kUnseen) block.first_line = mark.indent;
    return mark.indent <= block.indent && block.first_line > block.indent;
  };
  for (const Mark& mark : marks) {
    while (leaves_block(mark)) {
      faults.push_back({BraceFault::Kind::missing_close, mark.offset});
      open.pop_back();
    }
    if (mark.kind == TokenKind::open) open.push_back({mark.indent});
    if (mark.kind == TokenKind::close && open.empty()) return {};
    if (mark.kind == TokenKind::close) open.pop_back();
  }
  if (!open.empty()) return {};
  return faults;
}

// A '}' that stands deeper than the line that opened the block is one too many.
std::vector<BraceFault> extra_closes(const std::vector<Mark>& marks) {
  std::vector<BraceFault> faults;
  std::vector<std::uint32_t> open;
  for (const Mark& mark : marks) {
    if (mark.kind == TokenKind::open) open.push_back(mark.indent);
    if (mark.kind != TokenKind::close) continue;
    if (open.empty()) return {};
    if (mark.first && mark.indent > open.back()) {
      faults.push_back({BraceFault::Kind::extra_close, mark.offset});
    } else {
      open.pop_back();
    }
  }
  if (!open.empty()) return {};
  return faults;
}

}  // namespace

bool look_balanced(std::string_view text) {
  return count_of(text, '{') == count_of(text, '}');
}

Braces examine_braces(std::string_view text, std::size_t begin) {
  const std::vector<Mark> marks = marks_of(text, begin);
  Braces braces;
  for (const Mark& mark : marks) {
    if (mark.kind == TokenKind::open) ++braces.missing_closes;
    if (mark.kind != TokenKind::close) continue;
    if (braces.missing_closes > 0) {
      --braces.missing_closes;
    } else {
      ++braces.extra_closes;
    }
  }
  if (braces.extra_closes == 0 && braces.missing_closes > 0) braces.faults = missing_closes(marks);
  if (braces.missing_closes == 0 && braces.extra_closes > 0) braces.faults = extra_closes(marks);
  if (braces.faults.size() != braces.missing_closes + braces.extra_closes) braces.faults.clear();
  return braces;
}

}  // namespace holdfast::config::keepalived
