#include "config/secrets.hpp"

#include "config/secret_lines.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace holdfast::config {
using namespace secret;
namespace {

/// Shorter words are hidden only where they are quoted, or stand behind a word that holds secrets:
/// otherwise half of every sentence would go.
constexpr std::size_t kShortestAnywhere = 4;
/// auth_pass is cut to so many bytes, and a remark may quote what is left.
constexpr std::size_t kCutPassword = 8;

/// Excerpts shorter than this are whole lines.
constexpr std::size_t kLongExcerpt = 150;

/// In order, and no two that touch.
std::vector<Stretch> merged(std::vector<Stretch> all) {
  std::ranges::sort(all, {}, &Stretch::begin);
  std::vector<Stretch> out;
  for (const Stretch each : all) {
    if (!out.empty() && each.begin <= out.back().end) {
      out.back().end = std::max(out.back().end, each.end);
    } else {
      out.push_back(each);
    }
  }
  return out;
}

std::string masked(std::string_view text, const std::vector<Stretch>& hidden) {
  std::string out;
  std::size_t told = 0;
  for (const Stretch each : hidden) {
    out += text.substr(told, each.begin - told);
    out += kMask;
    told = each.end;
  }
  return out.append(text.substr(told));
}

enum class Edge : std::uint8_t { begin, end };

/// Where a place of the text is once it is masked; one that is hidden moves to an edge of its mask.
std::size_t moved(std::size_t place, const std::vector<Stretch>& hidden, Edge edge) {
  std::size_t to = place;
  for (const Stretch each : hidden) {
    if (each.begin >= place) break;
    if (place < each.end || (place == each.end && edge == Edge::end)) {
      const std::size_t begin = to - (place - each.begin);
      return edge == Edge::begin ? begin : begin + kMask.size();
    }
    to = to - (each.end - each.begin) + kMask.size();
  }
  return to;
}

/// scheme://user:PASSWORD@host
std::optional<Stretch> password_in_url(std::string_view text, std::size_t from) {
  while ((from = text.find("://", from)) != std::string_view::npos) {
    from += 3;
    const std::size_t end = std::min(text.find_first_of("/ \t\"'", from), text.size());
    const std::string_view authority = text.substr(from, end - from);
    const std::size_t at = authority.rfind('@');
    const std::size_t colon = authority.find(':');
    if (at != std::string_view::npos && colon < at) return Stretch{from + colon + 1, from + at};
  }
  return std::nullopt;
}

void add_passwords_in_urls(std::string_view text, std::vector<Stretch>& hidden) {
  for (auto url = password_in_url(text, 0); url; url = password_in_url(text, url->end))
    hidden.push_back(*url);
}

void hide_rest(std::string_view line, std::size_t from, std::vector<Stretch>& hidden) {
  const std::size_t begin = line.find_first_not_of(" \t=", from);
  if (begin < line.size()) hidden.push_back({begin, line.size()});
}

/// Braces at the end of a line, behind a blank, are no part of a secret: its blocks stay readable.
std::vector<Stretch> before_braces(std::string_view line, std::vector<Stretch> hidden) {
  const std::size_t last = line.find_last_not_of(" \t{}");
  const std::size_t blank = line.find_first_of(" \t", last == std::string_view::npos ? 0 : last);
  if (blank == std::string_view::npos) return hidden;
  for (Stretch& each : hidden) each.end = std::min(each.end, std::max(blank, each.begin));
  std::erase_if(hidden, [](Stretch each) { return each.begin == each.end; });
  return hidden;
}

}  // namespace

void Secrets::read(std::string_view text) {
  Lines reader;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (const auto from = reader.begins_at(line)) learn(line.substr(std::min(*from, end)));
    for (auto found = password_in_url(line, 0); found; found = password_in_url(line, found->end))
      learn(in(line, *found));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void Secrets::learn(std::string_view words) {
  for (const Stretch each : words_of(words)) {
    if (begins_comment(in(words, each))) return;
    for (const std::string_view word : {in(words, each), in(words, bare(words, each))}) {
      if (bare(words, each).begin == bare(words, each).end || is_harmless(word)) continue;
      words_.emplace(word);
      if (word.size() > kCutPassword) words_.emplace(word.substr(0, kCutPassword));
    }
  }
}

bool Secrets::is_known(std::string_view word) const {
  return words_.contains(std::string(word));
}

bool Secrets::is_part_of_one(std::string_view piece, Cut cut) const {
  return piece.size() >= 2 && std::ranges::any_of(words_, [&](const std::string& word) {
           return cut == Cut::front ? word.ends_with(piece) : word.starts_with(piece);
         });
}

std::vector<Stretch> Secrets::known_in(std::string_view text) const {
  std::vector<Stretch> found;
  for (const Stretch each : words_of(text)) {
    Stretch hidden = is_known(in(text, each)) ? each : bare(text, each);
    const std::size_t equals = in(text, hidden).find('=');  // of a definition
    if (!is_known(in(text, hidden)) && equals != std::string_view::npos) hidden.begin += equals + 1;
    if (!is_known(in(text, hidden))) continue;
    const bool quoted = hidden.begin > 0 && has("'\"", text[hidden.begin - 1]);
    if (quoted || hidden.end - hidden.begin >= kShortestAnywhere) found.push_back(hidden);
  }
  return found;
}

std::string Secrets::without_secrets(std::string_view sentence) const {
  std::vector<Stretch> hidden = known_in(sentence);
  add_passwords_in_urls(sentence, hidden);
  return masked(sentence, merged(std::move(hidden)));
}

std::string Secrets::configuration_without_secrets(std::string_view text) const {
  Lines reader;
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    std::vector<Stretch> hidden = secret_in_excerpt(line);
    if (const auto from = reader.begins_at(line)) hide_rest(line, *from, hidden);
    shown += masked(line, before_braces(line, merged(std::move(hidden))));
    if (end < text.size()) shown += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return shown;
}

// An excerpt of a long line may begin or end within a word.
std::vector<Stretch> Secrets::secret_in_excerpt(std::string_view line) const {
  std::vector<Stretch> found = known_in(line);
  const std::vector<Stretch> words = words_of(line);
  if (line.size() >= kLongExcerpt && !words.empty()) {
    if (is_part_of_one(in(line, words.front()), Cut::front)) found.push_back(words.front());
    if (is_part_of_one(in(line, words.back()), Cut::back)) found.push_back(words.back());
  }
  add_passwords_in_urls(line, found);
  if (const auto from = begins_at(line)) hide_rest(line, *from, found);
  return merged(std::move(found));
}

void Secrets::hide_in(Diagnostic& diagnostic) const {
  diagnostic.message = without_secrets(diagnostic.message);
  diagnostic.help = without_secrets(diagnostic.help);
  const std::string line = diagnostic.source_line;
  std::vector<Stretch> hidden = secret_in_excerpt(line);
  // A value in a line of its own is quoted as well, however short.
  const Stretch mark{diagnostic.byte_offset, diagnostic.byte_offset + diagnostic.byte_length};
  if (mark.begin < mark.end && mark.end <= line.size() && is_known(in(line, mark)) &&
      line.find_first_not_of(" \t") == mark.begin)
    hidden.push_back(mark);
  hidden = merged(std::move(hidden));
  diagnostic.source_line = masked(line, hidden);
  const std::size_t mark_end =
      moved(diagnostic.byte_offset + diagnostic.byte_length, hidden, Edge::end);
  diagnostic.byte_offset =
      static_cast<std::uint32_t>(moved(diagnostic.byte_offset, hidden, Edge::begin));
  if (diagnostic.byte_length != 0)
    diagnostic.byte_length = static_cast<std::uint32_t>(mark_end - diagnostic.byte_offset);
}

void hide_secrets(std::string_view text, Diagnostics& diagnostics) {
  if (diagnostics.empty()) return;
  Secrets secrets;
  secrets.read(text);
  // Lines that were not expanded, definitions for example.
  for (const Diagnostic& diagnostic : diagnostics.all()) secrets.read(diagnostic.source_line);
  diagnostics.change_each([&](Diagnostic& diagnostic) { secrets.hide_in(diagnostic); });
}

}  // namespace holdfast::config
