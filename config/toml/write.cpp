#include "config/toml/write.hpp"

#include "config/write/form.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::config {
namespace {

bool is_bare(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

bool is_control(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return byte < 0x20 || byte == 0x7F;
}

// Without escapes where that is possible, so that it reads as in keepalived's syntax.
std::string in_quotes(std::string_view text) {
  const bool has_controls = std::any_of(text.begin(), text.end(), is_control);
  const bool needs_escapes = text.find_first_of("\"\\") != std::string_view::npos || has_controls;
  if (!needs_escapes) return fmt::format("\"{}\"", text);
  if (!has_controls && text.find('\'') == std::string_view::npos) return fmt::format("'{}'", text);
  std::string out = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') out += '\\';
    if (is_control(letter))
      out += fmt::format("\\u{:04X}", static_cast<unsigned char>(letter));
    else
      out += letter;
  }
  return out + '"';
}

std::string key_text(std::string_view key) {
  return is_bare(key) ? std::string(key) : in_quotes(key);
}

void print_value(const Form& value, std::string& out);

void print_list(const Form& list, std::string& out) {
  const bool lines =
      list.items.size() > 1 && list.items[0].kind != Form::Kind::number &&
      std::any_of(list.items.begin(), list.items.end(), [](const Form& item) {
        return item.text.find(' ') != std::string::npos || item.kind == Form::Kind::list;
      });
  out += '[';
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    if (lines) out += "\n  ";
    if (!lines && i > 0) out += ' ';
    print_value(list.items[i], out);
    if (lines || i + 1 < list.items.size()) out += ',';
  }
  if (lines) out += '\n';
  out += ']';
}

void print_value(const Form& value, std::string& out) {
  switch (value.kind) {
    case Form::Kind::boolean:
      out += value.flag ? "true" : "false";
      return;
    case Form::Kind::number:
      out += value.text;
      return;
    case Form::Kind::text:
      out += in_quotes(value.text);
      return;
    case Form::Kind::list:
      print_list(value, out);
      return;
    case Form::Kind::table:
      break;
  }
  std::string_view separator = "{ ";
  for (const Form::Member& member : value.members) {
    out += fmt::format("{}{} = ", separator, key_text(member.key));
    print_value(member.value, out);
    separator = ", ";
  }
  out += value.members.empty() ? "{}" : " }";
}

// The values first: below a header they would belong to that table.
void print_table(const Form& table, const std::string& path, std::string& out) {
  for (const Form::Member& member : table.members) {
    if (member.block) continue;
    out += key_text(member.key);
    out += " = ";
    print_value(member.value, out);
    out += '\n';
  }
  for (const Form::Member& member : table.members) {
    if (!member.block) continue;
    const std::string own = path + key_text(member.key);
    if (!out.empty()) out += '\n';
    out += fmt::format(fmt::runtime(member.element ? "[[{}]]\n" : "[{}]\n"), own);
    print_table(member.value, own + '.', out);
  }
}

}  // namespace

std::string print_toml(const Document& document) {
  std::string out;
  print_table(form_of(document), "", out);
  return out;
}

}  // namespace holdfast::config
