#include "config/write/write.hpp"

#include "config/schema/decode.hpp"
#include "config/schema/row.hpp"
#include "config/text.hpp"
#include "core/assertion.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

constexpr std::string_view kIndent = "    ";

// Characters that end or change a word outside of quotes.
bool needs_quotes(std::string_view word) {
  return word.empty() || word.find_first_of(" \t#!{}\"\\'$@~") != std::string_view::npos;
}

std::string in_quotes(std::string_view word) {
  return needs_quotes(word) ? fmt::format("\"{}\"", word) : std::string(word);
}

void print(const Document& document, std::string_view indent, std::string& out) {
  const Schema& schema = Schema::instance();
  for (const Node& each : document) {
    out += indent;
    std::string_view separator;
    if (!each.entry) {
      out += schema[each.keyword].name;
      separator = " ";
    }
    for (const std::string& arg : each.args) {
      out += separator;
      out += in_quotes(arg);
      separator = " ";
    }
    if (!each.entry && schema[each.keyword].opens) {
      out += " {\n";
      print(each.body, fmt::format("{}{}", indent, kIndent), out);
      out += indent;
      out += '}';
    }
    out += '\n';
    if (indent.empty()) out += '\n';
  }
}

KeywordId row_of(Block block, std::string_view word) {
  const std::optional<KeywordId> id = Schema::instance().find(block, word);
  HOLDFAST_ASSERT(id, "a writer writes words of the table");
  return *id;
}

// The word of a command that needs no quotes; anything else as a hexadecimal escape.
std::string escaped(std::string_view word) {
  std::string text;
  for (const char letter : word) {
    const bool special = std::string_view(" \t\n\"'\\").find(letter) != std::string_view::npos;
    if (special)
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(letter));
    else
      text += letter;
  }
  return text;
}

}  // namespace

std::string join_command(const std::vector<std::string>& argv) {
  std::string line;
  for (const std::string& word : argv) {
    if (!line.empty()) line += ' ';
    const bool has_quotes = word.find_first_of("\"'\\\n") != std::string::npos;
    const bool has_blanks = word.empty() || word.find_first_of(" \t") != std::string::npos;
    line += has_quotes ? escaped(word) : has_blanks ? fmt::format("'{}'", word) : word;
  }
  return line;
}

std::string print_keepalived(const Document& document) {
  std::string out;
  print(document, "", out);
  return out;
}

void Writer::flag(std::string_view word, bool on) {
  if (on) statement(word, {});
}

void Writer::boolean(std::string_view word, bool value, bool fallback) {
  if (wanted(value != fallback)) statement(word, {value ? "true" : "false"});
}

void Writer::text(std::string_view word, std::string_view value, std::string_view fallback) {
  if (wanted(value != fallback) && !value.empty()) statement(word, {std::string(value)});
}

void Writer::number(std::string_view word, std::int64_t value, std::int64_t fallback) {
  if (wanted(value != fallback)) statement(word, {fmt::format("{}", value)});
}

void Writer::seconds(std::string_view word, core::Duration value, core::Duration fallback) {
  if (wanted(value != fallback)) statement(word, {seconds_text(value)});
}

void Writer::milliseconds(std::string_view word, core::Duration value, core::Duration fallback) {
  if (wanted(value != fallback)) statement(word, {seconds_text(value * 1000)});
}

void Writer::address(std::string_view word, const std::optional<core::IpAddress>& value) {
  if (value) statement(word, {value->to_string()});
}

void Writer::script(std::string_view word, const Rare<Script>& value) {
  if (!value) return;
  std::vector<std::string> args{join_command(value->argv)};
  if (!value->user.empty()) args.push_back(value->user);
  if (!value->user.empty() && !value->group.empty()) args.push_back(value->group);
  statement(word, std::move(args));
}

void Writer::statement(std::string_view word, std::vector<std::string> args) {
  Node& added = out_.emplace_back();
  added.keyword = row_of(block_, word);
  added.args = std::move(args);
}

Node& Writer::block(std::string_view word, std::vector<std::string> args) {
  return out_.emplace_back(node(block_, word, std::move(args)));
}

void Writer::entry(std::vector<std::string> words) {
  Node& added = out_.emplace_back();
  added.entry = true;
  added.args = std::move(words);
}

Writer body_of(Node& node, Detail detail) {
  const std::optional<Block> opens = Schema::instance()[node.keyword].opens;
  HOLDFAST_ASSERT(opens, "only a word that opens a block has a body");
  return {*opens, node.body, detail};
}

void write_rows(Block block, const void* object, const void* standard, Writer& out) {
  const Schema& schema = Schema::instance();
  for (const KeywordId id : schema.rows_of(block)) {
    const Keyword& row = schema[id];
    if (row.meaning.write != nullptr) row.meaning.write(object, standard, row, out);
  }
}

std::vector<std::string> words_of_line(Block line, const void* object, const void* standard) {
  Document document;
  Writer out(line, document, Detail::changed);
  write_rows(line, object, standard, out);
  std::vector<std::string> words;
  for (Node& option : document) {
    words.emplace_back(Schema::instance()[option.keyword].name);
    std::move(option.args.begin(), option.args.end(), std::back_inserter(words));
  }
  return words;
}

Node node(Block block, std::string_view word, std::vector<std::string> args) {
  Node made;
  made.keyword = row_of(block, word);
  made.args = std::move(args);
  return made;
}

}  // namespace holdfast::config
