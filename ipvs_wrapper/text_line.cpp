#include "ipvs_wrapper/text_line.hpp"

#include <algorithm>

namespace holdfast::ipvs {
namespace {

constexpr std::string_view kBlanks = " \t\r\f\v";

std::vector<Word> words_of(std::string_view line) {
  std::vector<Word> words;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(kBlanks, at)) != std::string_view::npos) {
    const auto end = std::min(line.find_first_of(kBlanks, at), line.size());
    words.push_back({line.substr(at, end - at), at + 1});
    at = end;
  }
  if (!words.empty() && words.front().text == "ipvsadm") words.erase(words.begin());
  return words;
}

}  // namespace

TextLine::TextLine(std::string_view line, std::size_t number)
    : words_(words_of(line)), number_(number), end_column_(line.size() + 1) {}

core::Result<Word> TextLine::value(const Word& option, const std::optional<Word>& attached) {
  if (attached) return *attached;
  if (next_ == words_.size())
    return problem(end_of_line(), "option '{}' needs a value", option.text);
  return words_[next_++];
}

Word TextLine::value_that_may_follow() {
  if (next_ == words_.size() || words_[next_].text.front() == '-') return {};
  return words_[next_++];
}

core::Result<core::Endpoint> TextLine::endpoint_value(const Word& word) const {
  auto host = word.text;
  std::optional<Word> port;
  if (host.starts_with('[')) {
    const auto close = host.find(']');
    if (close == std::string_view::npos) return problem(word, "'[' without ']' in '{}'", word.text);
    if (close + 1 < host.size()) {
      if (host[close + 1] != ':') return problem(word, "expected ':' after ']' in '{}'", word.text);
      port = Word{host.substr(close + 2), word.column + close + 2};
    }
    host = host.substr(1, close - 1);
  } else if (const auto colon = host.rfind(':');
             colon != std::string_view::npos && colon == host.find(':')) {
    port = Word{host.substr(colon + 1), word.column + colon + 1};
    host = host.substr(0, colon);
  }
  const auto address = core::IpAddress::parse(host);
  if (!address) return problem(word, "'{}' is not an IP address", host);
  core::Endpoint parsed{*address, 0};
  if (port) {
    if (auto error = number(*port, 0, 65535, parsed.port)) return *std::move(error);
  }
  return parsed;
}

}  // namespace holdfast::ipvs
