#include "config/manual/words.hpp"

#include "config/schema/row.hpp"
#include "core/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::config::manual {
namespace {

// Beyond these a bound says nothing to people: it only keeps sums from overflowing.
constexpr std::int64_t kNoBound = 1'000'000;

// One word with everything that is told about it.
struct Entry {
  const Keyword* row = nullptr;
  std::string names;  // the word and its other names
  std::string old_names;
};

// What an argument is called: NAME, CHECK-SCRIPT, <address and port>.
std::string called(std::string_view words) {
  if (words.empty()) return "WORD";
  const bool plain = std::ranges::count(words, ' ') < 2 && words.find(',') == words.npos;
  if (!plain) return fmt::format("<{}>", words);
  std::string text(words);
  std::ranges::transform(text, text.begin(), [](char letter) {
    return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
  });
  std::ranges::replace(text, ' ', '-');
  return text;
}

std::string number(std::int64_t value, std::int64_t unit) {
  return fmt::format("{:.6g}", static_cast<double>(value) / static_cast<double>(unit));
}

std::string range(const Arg& arg, std::int64_t unit, std::string_view unbounded) {
  if (arg.high / unit >= kNoBound && arg.low <= 0) return std::string(unbounded);
  if (arg.high / unit >= kNoBound)
    return fmt::format("{} ({} or more)", unbounded, number(arg.low, unit));
  return fmt::format("{}–{}", number(arg.low, unit), number(arg.high, unit));
}

constexpr std::ptrdiff_t kFewChoices = 8;

bool has_many_choices(const Arg& arg) {
  const bool choice = arg.type == ArgType::choice || arg.type == ArgType::choice_any_case;
  return choice && std::ranges::count(arg.words, ' ') >= kFewChoices;
}

std::string choices(const Arg& arg) {
  if (has_many_choices(arg)) return "WORD";
  std::string text(arg.words);
  std::ranges::replace(text, ' ', '|');
  if (arg.high > 0) text += fmt::format("|{}–{}", arg.low, arg.high);
  return text;
}

std::string argument(const Arg& arg) {
  switch (arg.type) {
    case ArgType::none:
      return {};
    case ArgType::word:
      return called(arg.words);
    case ArgType::integer:
      return range(arg, 1, "NUMBER");
    case ArgType::seconds:
      return range(arg, rows::kMicroseconds, "SECONDS");
    case ArgType::milliseconds:
      return range(arg, 1000, "MILLISECONDS");
    case ArgType::boolean:
      return "true|false";
    case ArgType::ip:
      return "ADDRESS";
    case ArgType::ip4:
      return "IPv4-ADDRESS";
    case ArgType::ip6:
      return "IPv6-ADDRESS";
    case ArgType::netmask:
      return "NETMASK|LENGTH";
    case ArgType::choice:
    case ArgType::choice_any_case:
      return choices(arg);
    case ArgType::interface:
      return "INTERFACE";
    case ArgType::scheduler:
      return "SCHEDULER";
    case ArgType::digest:
      return "MD5";
    case ArgType::status_code:
      return "CODE[-CODE]";
    case ArgType::script:
      return "COMMAND";
    case ArgType::mac:
      return "MAC";
    case ArgType::hex:
      return "HEX";
    case ArgType::prefix:
      return "ADDRESS[/LENGTH]";
    case ArgType::options:
      return "OPTION";
  }
  return {};
}

bool is_silent(const Keyword& row) {
  return row.effect == Effect::inert || row.effect == Effect::checked;
}

// Two rows that tell people the same.
bool same(const Keyword& one, const Keyword& other) {
  return arguments_of(one) == arguments_of(other) && one.doc == other.doc &&
         one.fallback == other.fallback && one.effect == other.effect;
}

std::vector<Entry> entries_of(const Selection& selection, std::vector<std::string>& elsewhere) {
  const Schema& schema = Schema::instance();
  std::vector<Entry> entries;
  for (std::size_t id = 0; id < schema.all().size(); ++id) {
    const Keyword& row = schema.all()[id];
    if (row.block != selection.block || !row.alias_of.empty()) continue;
    if (selection.beyond) {
      const std::optional<KeywordId> there = schema.find(*selection.beyond, row.name);
      if (there && same(schema[*there], row)) {
        elsewhere.emplace_back(row.name);
        continue;
      }
    }
    entries.push_back({&row, std::string(row.name), {}});
  }
  for (const Keyword& row : schema.all()) {
    if (row.block != selection.block || row.alias_of.empty()) continue;
    const auto target = std::ranges::find(entries, row.alias_of,
                                          [](const Entry& entry) { return entry.row->name; });
    if (target == entries.end()) continue;
    const bool old = row.deprecated || !row.notice.empty();
    std::string& names = old ? target->old_names : target->names;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", row.name);
  }
  return entries;
}

// Why nothing follows from a word: the parenthesis of its notice, or all of it, as a sentence.
std::string reason(std::string_view notice) {
  const std::size_t open = notice.find('(');
  if (open != std::string_view::npos && notice.ends_with(')')) {
    notice = notice.substr(open + 1, notice.size() - open - 2);
  } else if (notice.starts_with("accepted, without effect")) {
    return {};
  }
  std::string text(notice);
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text;
}

std::string meaning(const Entry& entry) {
  const Keyword& row = *entry.row;
  std::string text(row.doc);
  if (row.required) text += "; required";
  for (const Arg& arg : row.args) {
    if (has_many_choices(arg)) text += fmt::format(". One of: {}", arg.words);
  }
  if (row.deprecated && !is_silent(row)) text += fmt::format(". Old: {}", row.notice);
  if (!entry.old_names.empty()) text += fmt::format(". Old name: {}", entry.old_names);
  if (row.since == "holdfast")
    text += ". Holdfast only";
  else if (!row.since.empty())
    text += fmt::format(". keepalived {} and later", row.since);
  return text;
}

// The words that open the block, when none of them is acted on.
std::optional<std::string> why_silent(Block block) {
  const Keyword* opener = nullptr;
  for (const Keyword& row : Schema::instance().all()) {
    if (row.opens != block) continue;
    if (!is_silent(row)) return std::nullopt;
    if (opener == nullptr || !row.notice.empty()) opener = &row;
  }
  if (opener == nullptr) return std::nullopt;
  return reason(opener->notice);
}

std::string joined(const std::vector<std::string>& words, std::string_view quote) {
  std::string text;
  for (const std::string& word : words) {
    text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", quote, word, quote);
  }
  return text;
}

constexpr std::string_view kSilent = "Accepted and checked, without effect yet";

std::string sentence(std::string_view head, std::string_view reason) {
  return reason.empty() ? fmt::format("{}.", head) : fmt::format("{}: {}.", head, reason);
}

// The words without effect by reason, in the order of their first word. Those whose reason says no
// more than that are left out.
struct Silence {
  std::string reason;
  std::vector<std::string> words;
};

std::vector<Silence> silences_of(const std::vector<Entry>& entries) {
  std::vector<Silence> silences;
  for (const Entry& entry : entries) {
    const std::string why = reason(entry.row->notice);
    if (why.empty()) continue;
    auto found = std::ranges::find(silences, why, &Silence::reason);
    if (found == silences.end()) found = silences.insert(found, {why, {}});
    found->words.emplace_back(entry.row->name);
  }
  return silences;
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '|') out += '\\';
    out += letter;
  }
  return out;
}

void markdown_table(const std::vector<Entry>& entries, std::string& out) {
  out += "| word | default | meaning |\n| --- | --- | --- |\n";
  for (const Entry& entry : entries) {
    const std::string arguments = arguments_of(*entry.row);
    const std::string word =
        fmt::format("{}{}{}", entry.names, arguments.empty() ? "" : " ", arguments);
    const std::string_view fallback = entry.row->fallback;
    const char* quote = fallback.find('<') == fallback.npos ? "" : "`";
    out += fmt::format("| `{}` | {}{}{} | {} |\n", cell(word), quote, cell(fallback), quote,
                       cell(meaning(entry)));
  }
}

void man_paragraphs(const std::vector<Entry>& entries, std::string& out) {
  for (const Entry& entry : entries) {
    const std::string arguments = man_text(arguments_of(*entry.row));
    out += fmt::format(".TP\n\\fB{}\\fR{}\n", man_text(entry.names),
                       arguments.empty() ? "" : fmt::format(" \\fI{}\\fR", arguments));
    const std::string_view fallback = entry.row->fallback;
    const std::string text = meaning(entry);
    if (!text.empty()) out += man_text(text) + ".\n";
    if (!fallback.empty()) out += fmt::format("Default: {}.\n", man_text(fallback));
  }
}

// Splits the entries into what works and what does not. A block that does nothing as a whole is
// not split: its first sentence says so.
struct Lists {
  std::optional<std::string> silent_block;
  std::vector<Entry> effective;
  std::vector<Entry> silent;
  std::vector<std::string> elsewhere;
};

Lists lists_of(const Selection& selection) {
  Lists lists;
  lists.silent_block = why_silent(selection.block);
  for (Entry& entry : entries_of(selection, lists.elsewhere)) {
    const bool apart = is_silent(*entry.row) && !lists.silent_block;
    (apart ? lists.silent : lists.effective).push_back(std::move(entry));
  }
  return lists;
}

}  // namespace

std::string arguments_of(const Keyword& keyword) {
  std::string text;
  std::size_t open = 0;
  for (const Arg& arg : keyword.args) {
    if (arg.type == ArgType::none) break;
    if (!arg.optional) text.append(std::exchange(open, 0), ']');  // [all] SECONDS
    text += fmt::format("{}{}{}{}", text.empty() ? "" : " ", arg.optional ? "[" : "", argument(arg),
                        arg.repeated ? " …" : "");
    if (arg.optional) ++open;
  }
  text.append(open, ']');
  if (keyword.opens) text += text.empty() ? "{ … }" : " { … }";
  return text;
}

std::string markdown_words(const Selection& selection) {
  const Lists lists = lists_of(selection);
  std::string out;
  if (lists.silent_block) {
    out += fmt::format("**{}**\n\n", sentence(kSilent, *lists.silent_block));
  }
  if (!lists.effective.empty()) markdown_table(lists.effective, out);
  if (!lists.elsewhere.empty()) {
    out += fmt::format("\nAs in `{}`: {}.\n", name_of(*selection.beyond),
                       joined(lists.elsewhere, "`"));
  }
  if (!lists.silent.empty()) {
    out += fmt::format("\n{}:\n\n", kSilent);
    markdown_table(lists.silent, out);
    const std::vector<Silence> silences = silences_of(lists.silent);
    if (!silences.empty()) out += "\n";
    for (const Silence& silence : silences) {
      out += fmt::format("* {}: {}\n", joined(silence.words, "`"), silence.reason);
    }
  }
  return out;
}

std::string man_words(const Selection& selection) {
  const Lists lists = lists_of(selection);
  std::string out;
  if (lists.silent_block) {
    out += fmt::format(".PP\n.B {}\n", man_text(sentence(kSilent, *lists.silent_block)));
  }
  man_paragraphs(lists.effective, out);
  if (!lists.elsewhere.empty()) {
    out += fmt::format(".PP\nAs in {}: {}.\n", name_of(*selection.beyond),
                       man_text(joined(lists.elsewhere, "")));
  }
  if (!lists.silent.empty()) {
    out += fmt::format(".PP\n.I {}:\n", kSilent);
    man_paragraphs(lists.silent, out);
    for (const Silence& silence : silences_of(lists.silent)) {
      out += fmt::format(".PP\n{}: {}.\n", man_text(joined(silence.words, "")),
                         man_text(silence.reason));
    }
  }
  return out;
}

std::string man_text(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool line_begins = at == 0 || text[at - 1] == '\n';
    if (line_begins && (text[at] == '.' || text[at] == '\'')) out += "\\&";
    if (text[at] == '\\')
      out += "\\e";
    else if (text[at] == '-')
      out += "\\-";
    else
      out += text[at];
  }
  return out;
}

std::vector<std::string> undocumented() {
  std::vector<std::string> missing;
  for (const Keyword& row : Schema::instance().all()) {
    if (row.doc.empty() && row.notice.empty() && row.alias_of.empty()) {
      missing.push_back(fmt::format("{} {}", name_of(row.block), row.name));
    }
  }
  return missing;
}

}  // namespace holdfast::config::manual
