#include "config/secret_lines.hpp"

#include "config/text.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace holdfast::config::secret {
namespace {

/// A row of so short a name means many things outside its block.
constexpr std::size_t kShortestName = 4;

/// Words whose meaning is remembered.
constexpr std::size_t kMostRemembered = 4096;
constexpr std::size_t kLongestRemembered = 64;

constexpr std::string_view kBetweenWords = " \t\r\n\"'{}[]";
constexpr std::string_view kAroundWords = "=,.;:()$";

/// In lower case.
bool has_secret_part(std::string_view plain) {
  return std::ranges::any_of(std::initializer_list<std::string_view>{"pass", "secret", "key", "pw",
                                                                     "auth", "token", "login"},
                             [&](std::string_view part) { return has(plain, part); });
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
      if (row.secret && row.name.size() > kShortestName) names_.push_back(row.name);
      if (row.block == Block::global_defs) global_words_.insert(row.name);
    }
    for (const Block block : blocks_) block_names_.push_back(name_of(block));
  }

  /// Whether what follows is meant to be a secret.
  [[nodiscard]] bool means_secret(std::string_view word) {
    return remembered(secret_, word, [&] { return seems_secret(word); });
  }
  /// By the table or by the habit of other mailers, not only by a part of its name.
  [[nodiscard]] bool is_word_for_secret(std::string_view word) {
    return means_secret(word) &&
           (names_login(word, folded(word)) || !nearest_word(word, names_).empty());
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

bool is_table_name(std::string_view line) {  // of TOML
  return line.starts_with('[') && line.ends_with(']') && !has(line, '"') && !has(line, ' ');
}

/// A word for a secret that stands alone, but for a comment.
bool lacks_value(std::string_view line) {
  const std::vector<Stretch> words = words_of(line);
  return !words.empty() && vocabulary().is_word_for_secret(in(line, words[0])) &&
         (words.size() == 1 || begins_comment(in(line, words[1])));
}

}  // namespace

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

Stretch bare(std::string_view text, Stretch word) {
  while (word.begin < word.end && has(kAroundWords, text[word.begin])) ++word.begin;
  while (word.begin < word.end && has(kAroundWords, text[word.end - 1])) --word.end;
  return word;
}

bool is_harmless(std::string_view word) {
  return vocabulary().is_harmless(word);
}

std::optional<std::size_t> begins_at(std::string_view line) {
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

std::optional<std::size_t> Lines::begins_at(std::string_view line) {
  const auto above = from_above(line);
  const auto plain = secret::begins_at(line);
  const auto inside = block_ && !is_table_name(line) ? from_within(line) : std::nullopt;
  follow(line);
  waits_ = waits_ || lacks_value(line);
  if (above) return above;
  return inside && (!plain || *inside < *plain) ? inside : plain;
}

/// The value of a word that stood alone on the line before.
std::optional<std::size_t> Lines::from_above(std::string_view line) {
  const std::vector<Stretch> words = words_of(line);
  if (has(line, '}')) waits_ = false;
  if (!waits_ || words.empty() || begins_comment(in(line, words[0]))) return std::nullopt;
  waits_ = false;
  if (vocabulary().is_global_word(in(line, words[0])) || has(line, '[')) return std::nullopt;
  return words[0].begin;
}

std::optional<std::size_t> Lines::from_within(std::string_view line) const {
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
void Lines::follow(std::string_view line) {
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

}  // namespace holdfast::config::secret
