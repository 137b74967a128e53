// The words of a statement: from values of TOML to what would stand behind the keyword.
#include "config/toml/reader.hpp"
#include "config/write/form.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::config {
namespace {

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char letter) {
    const auto byte = static_cast<unsigned char>(letter);
    return (byte < 0x20 && letter != '\t') || byte == 0x7F;
  });
}

bool is_plain_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

void TomlReader::push_statement(KeywordId id, TextRange range, std::uint32_t first_word,
                                Parent& parent, bool entry) {
  const auto index = static_cast<std::uint32_t>(tree_.statements.size());
  Statement statement;
  statement.keyword = id;
  statement.entry = entry;
  statement.range = range;
  statement.first_word = first_word;
  statement.word_count = next_word() - first_word;
  tree_.statements.push_back(statement);
  if (parent.last_child != kNoStatement) {
    tree_.statements[parent.last_child].next = index;
  } else if (parent.statement != kNoStatement) {
    tree_.statements[parent.statement].first_child = index;
  } else {
    tree_.first = index;
  }
  parent.last_child = index;
}

void TomlReader::push_word(std::string_view text, TextRange range) {
  Word word;
  word.text = text;
  word.range = range;
  tree_.words.push_back(word);
}

void TomlReader::push_made(std::string text, TextRange range) {
  tree_.unescaped.push_back(std::move(text));
  push_word(tree_.unescaped.back(), range);
}

bool TomlReader::push_scalar(const ::toml::node& value, const Keyword& keyword) {
  const ::toml::source_region& region = value.source();
  const TextRange range = positions_.range_of(region);
  const std::string_view written = positions_.written(region);
  if (const auto* const text = value.as_string()) {
    if (has_control_characters(text->get())) {
      reporter_.error(range, fmt::format("a value of '{}' must be one line without control "
                                         "characters",
                                         keyword.name));
      return false;
    }
    const bool verbatim = written.size() == text->get().size() + 2 &&
                          written.substr(1, written.size() - 2) == text->get();
    if (verbatim)
      push_word(written.substr(1, written.size() - 2), range);
    else
      push_made(text->get(), range);
    return true;
  }
  if (const auto* const number = value.as_integer()) {
    push_made(fmt::format("{}", number->get()), range);
    return true;
  }
  if (const auto* const flag = value.as_boolean()) {
    push_word(flag->get() ? "true" : "false", range);
    return true;
  }
  if (const auto* const number = value.as_floating_point()) {
    if (is_plain_number(written))
      push_word(written, range);
    else
      push_made(fmt::format("{}", number->get()), range);
    return true;
  }
  const bool is_date = !value.is_table() && !value.is_array();
  reporter_.error(range,
                  fmt::format("{} cannot be a value of '{}'",
                              is_date            ? "a date or a time"
                              : value.is_table() ? "a table"
                                                 : "an array",
                              keyword.name),
                  is_date ? "put it between quotes" : "");
  return false;
}

// The words of one line, blanks between them.
bool TomlReader::push_line(const ::toml::node& value, const Keyword& keyword) {
  const std::uint32_t whole = next_word();
  if (!push_scalar(value, keyword)) return false;
  const Word line = tree_.words.back();
  tree_.words.resize(whole);
  const bool verbatim = line.range.length == line.text.size() + 2;
  std::size_t at = line.text.find_first_not_of(" \t");
  while (at < line.text.size()) {
    const std::size_t end = std::min(line.text.find_first_of(" \t", at), line.text.size());
    TextRange range = line.range;
    if (verbatim) {
      range.offset += static_cast<std::uint32_t>(at) + 1;
      range.length = static_cast<std::uint32_t>(end - at);
    }
    push_word(line.text.substr(at, end - at), range);
    at = line.text.find_first_not_of(" \t", end);
  }
  return true;
}

bool TomlReader::push_header(const ::toml::table& table, const Keyword& keyword) {
  if (keyword.opens == Block::virtual_server) return push_service_header(table, keyword);
  for (const std::string_view key : header_keys(keyword)) {
    const ::toml::node* const value = table.get(key);
    if (value == nullptr) break;
    if (!push_scalar(*value, keyword)) return false;
  }
  return true;
}

// address and port, fwmark (perhaps with the family of its servers) or group.
bool TomlReader::push_service_header(const ::toml::table& table, const Keyword& keyword) {
  for (const std::string_view key : {kMarkKey, kGroupKey}) {
    const auto found = table.find(key);
    if (found == table.end()) continue;
    push_word(key, positions_.range_of(found->first.source()));
    return push_values(found->second, keyword);
  }
  for (const std::string_view key : {kAddressKey, kPortKey}) {
    const ::toml::node* const value = table.get(key);
    if (value != nullptr && !push_scalar(*value, keyword)) return false;
  }
  return true;
}

bool TomlReader::push_values(const ::toml::node& value, const Keyword& keyword) {
  const std::optional<std::size_t> options = options_position(keyword);
  if (const ::toml::table* const table = value.as_table())
    return options == 0U ? push_options(*table, keyword.args[0].line) : push_named(*table, keyword);
  const ::toml::array* const array = value.as_array();
  if (array == nullptr) return push_scalar(value, keyword);
  for (const ::toml::node& one : *array) {
    const ::toml::table* const table = one.as_table();
    const bool sound = table != nullptr && options
                           ? push_options(*table, keyword.args[*options].line)
                           : push_scalar(one, keyword);
    if (!sound) return false;
  }
  return true;
}

// {command = "…", user = "…"}
bool TomlReader::push_named(const ::toml::table& table, const Keyword& keyword) {
  std::vector<std::string_view> keys;
  for (const Arg& arg : keyword.args) {
    if (const std::string_view key = argument_key(arg); !key.empty()) keys.push_back(key);
  }
  for (auto&& [key, value] : table) {
    if (std::find(keys.begin(), keys.end(), key.str()) != keys.end()) continue;
    const std::string_view near = nearest_word(key.str(), keys);
    reporter_.error(positions_.range_of(key.source()),
                    fmt::format("unknown key '{}' in '{}'", key.str(), keyword.name),
                    !near.empty()  ? fmt::format("did you mean '{}'?", near)
                    : keys.empty() ? std::string("write the value without a table")
                                   : fmt::format("keys are {}", fmt::join(keys, ", ")));
    return false;
  }
  for (const std::string_view key : keys) {
    const ::toml::node* const value = table.get(key);
    if (value == nullptr) break;
    if (!push_scalar(*value, keyword)) return false;
  }
  return true;
}

// What the line begins with, under the name `address` or `name`, and then its options.
bool TomlReader::push_entry(const ::toml::table& table, const Keyword& keyword) {
  for (const std::string_view key : kEntryKeys) {
    const ::toml::node* const value = table.get(key);
    if (value != nullptr && !push_scalar(*value, keyword)) return false;
  }
  return push_options(table, *keyword.opens, kEntryKeys);
}

// {id = 5, port = 8848}: each key an option word, true alone a word without a value.
bool TomlReader::push_options(const ::toml::table& table, Block line,
                              std::span<const std::string_view> done) {
  for (const Member& member : members_of(table, Block::other)) {
    if (std::find(done.begin(), done.end(), member.key) != done.end()) continue;
    const std::optional<KeywordId> id = find(member, line, table);
    if (!id) return false;
    const Keyword& keyword = schema_[*id];
    const bool is_bare = is_switch(*member.value, keyword);
    if (is_bare && !member.value->value_or(false)) continue;
    push_word(keyword.name, member.key_range);
    if (!is_bare && !push_values(*member.value, keyword)) return false;
  }
  return true;
}

}  // namespace holdfast::config
