#include "config/keepalived/lexer.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::config::keepalived {
namespace {

enum class Class : std::uint8_t {
  letter,
  blank,
  newline,
  open,
  close,
  comment,
  quote,
  escape,
  wide
};

constexpr std::array<Class, 256> kClasses = [] {
  std::array<Class, 256> classes{};
  classes[' '] = classes['\t'] = classes['\f'] = classes['\v'] = classes['\r'] = Class::blank;
  classes['\n'] = Class::newline;
  classes['{'] = Class::open;
  classes['}'] = Class::close;
  classes['#'] = classes['!'] = Class::comment;
  classes['"'] = Class::quote;
  classes['\\'] = Class::escape;
  // May start a no-break space, U+3000, a byte order mark, the spaces of U+2000 to U+200B.
  classes[0xC2] = classes[0xE2] = classes[0xE3] = classes[0xEF] = Class::wide;
  return classes;
}();

Class class_of(char letter) {
  return kClasses[static_cast<unsigned char>(letter)];
}

constexpr std::array<std::string_view, 5> kWideBlanks = {"\xC2\xA0", "\xE3\x80\x80", "\xEF\xBB\xBF",
                                                         "\xE2\x80\xAF", "\xE2\x81\x9F"};

bool is_escaped_comment(std::string_view rest) {
  return rest.size() > 1 && rest[0] == '\\' && (rest[1] == '#' || rest[1] == '!');
}

constexpr bool may_belong_to_word(Class kind) {
  return kind == Class::letter || kind == Class::escape || kind == Class::wide;
}

// Begins with one of the quotation marks that word processors make of ".
bool is_typographic(std::string_view word) {
  return word.starts_with("\xE2\x80\x9C") || word.starts_with("\xE2\x80\x9D");
}

}  // namespace

std::size_t wide_blank_length(std::string_view text) {
  for (const std::string_view blank : kWideBlanks) {
    if (text.starts_with(blank)) return blank.size();
  }
  const bool general = text.size() > 2 && text.starts_with("\xE2\x80");
  if (general && static_cast<unsigned char>(text[2] ^ '\x80') <= 0x0B) return 3;
  return 0;
}

void Lexer::skip_blanks_and_comment() {
  std::size_t at = at_;
  for (; at < text_.size(); ++at) {
    const Class kind = class_of(text_[at]);
    if (kind == Class::blank) continue;
    const std::size_t wide = kind == Class::wide ? wide_blank_length(text_.substr(at)) : 0;
    if (wide == 0) break;
    at += wide - 1;
  }
  if (at < text_.size() && class_of(text_[at]) == Class::comment)
    at = std::min(text_.find('\n', at), text_.size());
  at_ = at;
}

Token Lexer::next() {
  std::size_t at = at_;
  while (at < text_.size() && class_of(text_[at]) == Class::blank) ++at;
  at_ = at;
  // Most words are letters and nothing else.
  while (at < text_.size() && class_of(text_[at]) == Class::letter) ++at;
  if (at != at_) {
    if (at < text_.size() && may_belong_to_word(class_of(text_[at]))) return bare_word();
    return make(TokenKind::word, std::exchange(at_, at), at);
  }
  skip_blanks_and_comment();
  if (at_ >= text_.size()) return make(TokenKind::end, text_.size(), text_.size());
  const auto single = [this](TokenKind kind) {
    ++at_;
    return make(kind, at_ - 1, at_);
  };
  switch (class_of(text_[at_])) {
    case Class::newline:
      return single(TokenKind::newline);
    case Class::open:
      return single(TokenKind::open);
    case Class::close:
      return single(TokenKind::close);
    case Class::quote:
      return quoted_word();
    case Class::letter:
    case Class::blank:
    case Class::comment:
    case Class::escape:
    case Class::wide:
      return bare_word();
  }
  return bare_word();
}

Token Lexer::quoted_word() {
  const std::size_t begin = at_;
  const std::size_t line_end = std::min(text_.find('\n', begin), text_.size());
  const std::size_t closing = text_.find('"', begin + 1);
  const bool closed = closing < line_end;
  const std::size_t end = closed ? closing : line_end;
  at_ = closed ? end + 1 : end;
  Token token = make(TokenKind::word, begin, at_);
  token.word.text = text_.substr(begin + 1, end - begin - 1);
  token.word.quoted = true;
  if (!closed) {
    reporter_->suspect(token.word.range, "this quotation is not closed on its line",
                       "it is taken to end with the line: put a second \" where it should end");
  }
  return token;
}

Token Lexer::bare_word() {
  const std::size_t begin = at_;
  std::size_t at = begin;
  bool escaped = false;
  for (; at < text_.size(); ++at) {
    const Class kind = class_of(text_[at]);
    if (kind == Class::letter) continue;
    if (kind == Class::wide && wide_blank_length(text_.substr(at)) == 0) continue;
    if (kind != Class::escape) break;
    if (!is_escaped_comment(text_.substr(at))) continue;
    escaped = true;
    ++at;
  }
  at_ = at;
  Token token = make(TokenKind::word, begin, at);
  if (class_of(text_[begin]) == Class::wide && is_typographic(token.word.text)) {
    reporter_->suspect(token.word.range, "a typographic quotation mark does not quote",
                       "write \" instead, before and behind the words");
  }
  if (!escaped) return token;
  std::string plain;
  for (std::size_t i = begin; i < at_; ++i) {
    if (is_escaped_comment(text_.substr(i, at_ - i))) ++i;
    plain += text_[i];
  }
  unescaped_->push_back(std::move(plain));
  token.word.text = unescaped_->back();
  return token;
}

}  // namespace holdfast::config::keepalived
