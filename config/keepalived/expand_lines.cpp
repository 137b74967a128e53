// What a line of keepalived's language says to the expander instead of the configuration: @id
// conditions, $NAME=… definitions, ~SEQ and ~LST repetitions.
#include "config/keepalived/expander.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::config::keepalived {

// "@NAME words": kept for the configuration NAME; "@^NAME words": for all others.
void Expander::condition(const Piece& piece, std::string_view code, std::size_t depth) {
  const std::size_t end = word_length(code);
  std::string_view name = code.substr(1, end - 1);
  const bool negated = name.starts_with('^');
  if (negated) name.remove_prefix(1);
  const std::string_view rest = trimmed(code.substr(end));
  if ((name == options_.config_id) == negated || rest.empty()) {
    vanish(piece);
    return;
  }
  const auto skipped = static_cast<std::size_t>(rest.data() - piece.text.data());
  Piece kept = piece;
  kept.text.remove_prefix(skipped);
  kept.code -= skipped;
  if (!piece.made) {
    kept.column += skipped;
    begin_segment(piece.origin->number, kept.column, false);
    resync_ = true;
  }
  process(kept, depth);
}

bool Expander::definition(const Piece& piece, std::string_view code) {
  const std::size_t length = name_length(code.substr(1));
  const std::string_view rest = trimmed(code.substr(length + 1));
  if (length == 0 || !rest.starts_with('=')) return false;
  const std::string name(code.substr(1, length));
  if (rest.data() != code.data() + length + 1) {
    report(Severity::warning, *piece.origin, code.substr(0, length + 1),
           fmt::format("a blank before the '=' of the definition '{}'", name),
           fmt::format("write ${}={}: keepalived takes this line for a statement", name,
                       trimmed(rest.substr(1))));
  }
  std::string_view value = trimmed(rest.substr(1));  // quotes stay: they count at the use
  if (value.ends_with('\\') && !piece.made) {
    open_definition_ = name;
    open_value_ = std::string(trimmed(value.substr(0, value.size() - 1)));
  } else {
    definitions_[name] = std::string(value);
  }
  return true;
}

void Expander::continue_definition(const Line& line) {
  std::string_view value = trimmed(line.text.substr(0, line.code));
  blank_line();
  const bool is_comment = line.code < line.text.size();
  if (value.empty() && !is_comment) return;  // keepalived: a blank line does not end it
  // A line that was put into a comment with its backslash is left out; keepalived 2.4.3 ends the
  // definition there and reads its rest as statements.
  const bool goes_on =
      value.ends_with('\\') || (value.empty() && trimmed(line.text).ends_with('\\'));
  if (value.ends_with('\\')) value = trimmed(value.substr(0, value.size() - 1));
  if (!value.empty()) {
    if (!open_value_.empty()) open_value_ += '\n';
    open_value_ += value;
  }
  if (!goes_on) definitions_[std::exchange(open_definition_, {})] = std::exchange(open_value_, {});
}

// "~SEQ(NAME, 1, 9) words": the words once for every value of $NAME.
bool Expander::repetition(const Piece& piece, std::string_view code, std::size_t depth) {
  const std::optional<Repetition> head = repetition_at(code);
  if (!head) {
    if (!code.starts_with("~SEQ") && !code.starts_with("~LST")) return false;
    report(Severity::error, *piece.origin, code, "this repetition has no arguments in parentheses",
           "such as: ~SEQ(N, 1, 9) real_server 192.168.1.$N 80 {");
    return true;
  }
  std::string arguments;
  if (!expand_text(*piece.origin, head->arguments, depth, arguments)) return true;
  const std::optional<Rounds> rounds = rounds_of(head->kind, arguments);
  if (!rounds) {
    const bool is_list = head->kind == Repetition::Kind::list;
    report(Severity::error, *piece.origin, code.substr(0, head->length),
           fmt::format("'{}({})' gives no values", is_list ? "~LST" : "~SEQ", arguments),
           is_list ? "write ~LST(NAME, first, second, …), or ~LST({ONE, OTHER}, {a, b}, {c, d}, …)"
                   : "write ~SEQ(NAME, LAST), ~SEQ(NAME, FIRST, LAST) or ~SEQ(NAME, FIRST, STEP, "
                     "LAST) with numbers");
    return true;
  }
  const std::string_view repeated = trimmed(code.substr(head->length));
  for (const std::vector<std::string>& values : rounds->values) {
    for (std::size_t i = 0; i < values.size(); ++i) definitions_[rounds->names[i]] = values[i];
    process({piece.origin, repeated, repeated.size(), column_of(piece, code), true}, depth + 1);
    if (endless_ || too_long_) break;
  }
  for (const std::string& name : rounds->names) definitions_.erase(name);
  resync_ = true;
  return true;
}

// A line that begins with a use is what the definition says: a condition, a repetition, several
// lines.
bool Expander::leading_use(const Piece& piece, std::string_view code, std::size_t depth) {
  const std::optional<Use> use = use_at(code);
  if (!use) return false;
  const auto found = definitions_.find(std::string(use->name));
  if (found == definitions_.end() || !use->arguments.empty()) return false;
  const std::string value = found->second;  // a copy: its lines may define it anew
  const char first = value.empty() ? ' ' : value.front();
  const bool is_plain = value.find('\n') == std::string::npos && first != '@' && first != '~' &&
                        first != '$' && !value.starts_with("include");
  if (is_plain) return false;
  made_lines(piece, value, code.substr(use->length), column_of(piece, code), depth);
  return true;
}

// The lines of a definition, in the order of the text: each may define what the next one uses.
void Expander::made_lines(const Piece& piece, std::string_view lines, std::string_view rest,
                          std::size_t column, std::size_t depth) {
  resync_ = true;
  while (true) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const bool last = end == lines.size();
    const std::string text = fmt::format("{}{}", lines.substr(0, end), last ? rest : "");
    process({piece.origin, text, text.size(), column, true}, depth + 1);
    if (last) return;
    lines.remove_prefix(end + 1);
  }
}

}  // namespace holdfast::config::keepalived
