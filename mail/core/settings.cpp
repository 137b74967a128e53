#include "mail/core/settings.hpp"

#include <utility>

namespace holdfast::mail {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Nothing that could end a command or a header early.
std::string printable(std::string_view text) {
  std::string kept;
  for (const char letter : text)
    if (static_cast<unsigned char>(letter) >= ' ' && letter != '\x7f') kept += letter;
  return kept;
}

std::string only_address(std::string_view text) {
  std::string kept;
  for (const char letter : printable(text))
    if (letter != ' ' && letter != '<' && letter != '>') kept += letter;
  return kept;
}

std::string without_quotes(std::string_view text) {
  std::string kept;
  for (const char letter : printable(trimmed(text)))
    if (letter != '"') kept += letter;
  return kept;
}

}  // namespace

std::vector<Mailbox> mailboxes_of(const std::vector<std::string>& words) {
  std::vector<Mailbox> found;
  std::vector<std::string> names;  // or addresses without a host
  const auto flush = [&] {
    for (std::string& name : names) found.push_back({.address = only_address(name)});
    names.clear();
  };
  for (const std::string& word : words) {
    const std::size_t open = word.find('<');
    if (open == std::string::npos) {
      if (word.find('@') != std::string::npos) flush();
      names.push_back(word);
      if (word.find('@') != std::string::npos) flush();
      continue;
    }
    std::string display;
    for (const std::string& name : std::exchange(names, {})) display += without_quotes(name) + " ";
    display += without_quotes(std::string_view(word).substr(0, open));
    found.push_back({.display = std::string(trimmed(display)),
                     .address = only_address(std::string_view(word).substr(open))});
  }
  flush();
  std::erase_if(found, [](const Mailbox& one) { return one.address.empty(); });
  return found;
}

}  // namespace holdfast::mail
