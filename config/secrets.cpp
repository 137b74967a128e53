#include "config/secrets.hpp"

#include "config/schema/schema.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace holdfast::config {
namespace {

/// Shorter words are hidden only where they are quoted, or stand behind a word that holds secrets:
/// otherwise half of every sentence would go.
constexpr std::size_t kShortestAnywhere = 4;
/// auth_pass is cut to so many bytes, and a remark may quote what is left.
constexpr std::size_t kCutPassword = 8;

/// Excerpts shorter than this are whole lines.
constexpr std::size_t kLongExcerpt = 150;

/// Words whose meaning is remembered.
constexpr std::size_t kMostRemembered = 4096;
constexpr std::size_t kLongestRemembered = 64;

constexpr std::string_view kBetweenWords = " \t\r\n\"'{}[]";
constexpr std::string_view kAroundWords = "=,.;:()$";

std::vector<Stretch> words_of(std::string_view text) {
  std::vector<Stretch> words;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(kBetweenWords, at)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(kBetweenWords, at), text.size());
    words.push_back({at, end});
    at = end;
  }
  return words;
}

template <class Part>
bool has(std::string_view text, Part part) {
  return text.find(part) != std::string_view::npos;
}

Stretch bare(std::string_view text, Stretch word) {
  while (word.begin < word.end && has(kAroundWords, text[word.begin])) ++word.begin;
  while (word.begin < word.end && has(kAroundWords, text[word.end - 1])) --word.end;
  return word;
}

std::string_view in(std::string_view text, Stretch span) {
  return text.substr(span.begin, span.end - span.begin);
}

/// In lower case.
bool has_secret_part(std::string_view plain) {
  return std::ranges::any_of(std::initializer_list<std::string_view>{"pass", "secret", "key", "pw",
                                                                     "auth", "token", "login"},
                             [&](std::string_view part) { return has(plain, part); });
}

bool begins_comment(std::string_view word) {
  return word.starts_with('#') || word.starts_with('!');
}

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

/// The blocks that hold secrets, and their words.
class Vocabulary {
 public:
  Vocabulary() {
    for (const Keyword& row : Schema::instance().all()) {
      // What is misspelt in global_defs is hardly a secret; what is meant is known by its name.
      if (row.secret && row.block != Block::global_defs &&
          std::ranges::find(blocks_, row.block) == blocks_.end())
        blocks_.push_back(row.block);
      // A word as short as "key" means many things outside its block.
      if (row.secret && row.name.size() > kShortestAnywhere) names_.push_back(row.name);
      if (row.block == Block::global_defs) global_words_.insert(row.name);
    }
    for (const Block block : blocks_) block_names_.push_back(name_of(block));
  }

  /// Whether what follows is meant to be a secret.
  [[nodiscard]] bool means_secret(std::string_view word) {
    return remembered(secret_, word, [&] { return seems_secret(word); });
  }
  [[nodiscard]] std::optional<Block> block_meant(std::string_view word) {
    return remembered(meant_, word, [&] { return block_like(word); });
  }
  /// The row of this block that the word means; nullptr: none.
  [[nodiscard]] static const Keyword* row_meant(Block block, std::string_view word) {
    const Schema& schema = Schema::instance();
    const auto exact = schema.find(block, word);
    if (exact) return &schema[*exact];
    const std::string_view name = nearest_word(word, schema.words_of(block));
    const auto near = name.empty() ? std::nullopt : schema.find(block, name);
    return near ? &schema[*near] : nullptr;
  }
  /// Of global_defs: it begins a statement, whatever the line before lacks.
  [[nodiscard]] bool is_global_word(std::string_view word) const {
    return global_words_.contains(word);
  }
  /// A word of those blocks says nothing, although it may stand where a secret should.
  [[nodiscard]] bool is_harmless(std::string_view word) const {
    return word == "PASS" || word == "AH" || std::ranges::any_of(blocks_, [&](Block block) {
             return Schema::instance().find(block, word).has_value();
           });
  }

 private:
  [[nodiscard]] bool seems_secret(std::string_view word) const {
    const std::string plain = folded(word);
    return has(plain, "passw") || has(plain, "passphrase") || has(plain, "secret") ||
           names_login(word, plain) || !nearest_word(word, names_).empty();
  }
  /// What other mailers call it: smtp_auth_pass, mail_token.
  [[nodiscard]] bool names_login(std::string_view word, std::string_view plain) const {
    return (plain.starts_with("smtp") || plain.starts_with("mail") || plain.starts_with("relay")) &&
           !is_global_word(word) && has_secret_part(plain);
  }
  [[nodiscard]] std::optional<Block> block_like(std::string_view word) const {
    const std::string_view name = nearest_word(word, block_names_);
    for (const Block block : blocks_)
      if (!name.empty() && name_of(block) == name) return block;
    return std::nullopt;
  }
  /// A configuration has few words, and each of them a thousand times.
  template <class Value, class Find>
  static Value remembered(std::unordered_map<std::string, Value>& known, std::string_view word,
                          const Find& find) {
    if (word.size() > kLongestRemembered) return find();
    if (known.size() > kMostRemembered) known.clear();
    const auto [at, is_new] = known.try_emplace(std::string(word));
    if (is_new) at->second = find();
    return at->second;
  }

  std::vector<Block> blocks_;
  std::vector<std::string_view> block_names_;
  std::vector<std::string_view> names_;
  std::unordered_set<std::string_view> global_words_;
  std::unordered_map<std::string, bool> secret_;
  std::unordered_map<std::string, std::optional<Block>> meant_;
};

Vocabulary& vocabulary() {
  thread_local Vocabulary of_this_thread;
  return of_this_thread;
}

/// A definition whose name says what it holds: "$PASSWORD".
bool names_secret(std::string_view word) {
  return word.starts_with('$') && has_secret_part(folded(word.substr(1)));
}

/// "$PASSWORD=…", and "auth_pass=…" as well.
bool assigns_secret(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = word.substr(0, equals);
  return names_secret(name) || vocabulary().means_secret(name);
}

/// From where on a line is secret, when a word on it says so.
std::optional<std::size_t> secret_from(std::string_view line) {
  const std::vector<Stretch> words = words_of(line);
  // A block without its brace; a definition with blanks.
  if (!words.empty() && !has(line, '{') &&
      (vocabulary().block_meant(in(line, words[0])) ||
       (names_secret(in(line, words[0])) && words.size() > 1 && line[words[1].begin] == '=')))
    return words[0].end;
  for (const Stretch each : words) {
    const std::string_view word = in(line, each);
    if (assigns_secret(word)) return each.begin + word.find('=') + 1;
    for (const std::string_view part : {word, in(line, bare(line, each))})
      if (vocabulary().means_secret(part)) return each.end;
    // The last part of a dotted name of TOML.
    const std::size_t dot = word.rfind('.');
    if (dot != std::string_view::npos && vocabulary().means_secret(word.substr(dot + 1)))
      return each.end;
  }
  return std::nullopt;
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

bool is_table_name(std::string_view line) {  // of TOML
  return line.starts_with('[') && line.ends_with(']') && !has(line, '"') && !has(line, ' ');
}

/// Follows the blocks of a text, line by line, and says from where on each line is secret.
class Reader {
 public:
  std::optional<std::size_t> secret_from(std::string_view line) {
    const auto above = from_above(line);
    const auto plain = config::secret_from(line);
    const auto inside = block_ && !is_table_name(line) ? from_within(line) : std::nullopt;
    follow(line);
    waits_ = waits_ || (plain && lacks_value(line, *plain));
    if (above) return above;
    return inside && (!plain || *inside < *plain) ? inside : plain;
  }

 private:
  /// The value of a word that stood alone on the line before.
  std::optional<std::size_t> from_above(std::string_view line) {
    const std::vector<Stretch> words = words_of(line);
    if (has(line, '}')) waits_ = false;
    if (!waits_ || words.empty() || begins_comment(in(line, words[0]))) return std::nullopt;
    waits_ = false;
    if (vocabulary().is_global_word(in(line, words[0])) || has(line, '[')) return std::nullopt;
    return words[0].begin;
  }
  [[nodiscard]] static bool lacks_value(std::string_view line, std::size_t from) {
    const std::vector<Stretch> words = words_of(line.substr(std::min(from, line.size())));
    return words.empty() ? !has(line, '{') : begins_comment(in(line.substr(from), words[0]));
  }

  [[nodiscard]] std::optional<std::size_t> from_within(std::string_view line) const {
    const std::vector<Stretch> words = words_of(line);
    if (words.empty() || begins_comment(in(line, words[0]))) return std::nullopt;
    const std::string_view first = in(line, bare(line, words[0]));
    const Keyword* row = Vocabulary::row_meant(*block_, first);
    if (row == nullptr) return words[0].begin;
    if (row->secret) return words[0].end;
    const auto last = std::ranges::find(row->args, ArgType::none, &Arg::type);
    const bool assigns = words.size() > 1 && in(line, words[1]) == "=";  // TOML
    const auto expected = static_cast<std::size_t>(last - row->args.begin()) + (assigns ? 2 : 1);
    if (words.size() <= expected || begins_comment(in(line, words[expected]))) return std::nullopt;
    return words[expected].begin;  // one too many
  }

  // A block ends with its brace, a table of TOML where the next begins.
  void follow(std::string_view line) {
    if (block_ && has(line, '}')) block_.reset();
    const bool is_table =
        line.find_first_not_of(" \t") < line.size() && line[line.find_first_not_of(" \t")] == '[';
    if (is_table) block_.reset();
    if (!has(line, '{') && !is_table) return;
    std::string_view rest = line;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find_first_of(" \t.[]{}=\"'"), rest.size());
      const auto meant = vocabulary().block_meant(rest.substr(0, end));
      if (meant && !(has(line, '}') && !is_table)) block_ = meant;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  std::optional<Block> block_;
  bool waits_ = false;  // for a value
};

}  // namespace

void Secrets::read(std::string_view text) {
  Reader reader;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (const auto from = reader.secret_from(line)) learn(line.substr(std::min(*from, end)));
    for (auto found = password_in_url(line, 0); found; found = password_in_url(line, found->end))
      learn(in(line, *found));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void Secrets::learn(std::string_view words) {
  for (const Stretch each : words_of(words)) {
    if (begins_comment(in(words, each))) return;
    for (const std::string_view word : {in(words, each), in(words, bare(words, each))}) {
      if (bare(words, each).begin == bare(words, each).end || vocabulary().is_harmless(word))
        continue;
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
  Reader reader;
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    std::vector<Stretch> hidden = secret_in_excerpt(line);
    if (const auto from = reader.secret_from(line)) hide_rest(line, *from, hidden);
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
  if (const auto from = secret_from(line)) hide_rest(line, *from, found);
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
