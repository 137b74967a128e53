#include "config/write/form.hpp"

#include "config/schema/row.hpp"

#include <algorithm>

namespace holdfast::config {
namespace {

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Form text_form(std::string_view text) {
  Form form;
  form.kind = Form::Kind::text;
  form.text = text;
  return form;
}

Form true_form() {
  Form form;
  form.kind = Form::Kind::boolean;
  form.flag = true;
  return form;
}

Form list_form() {
  Form form;
  form.kind = Form::Kind::list;
  return form;
}

// Digits without the zeros that TOML does not take; "1.50" stays.
Form number_form(std::string_view text, bool may_have_fraction) {
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  const std::size_t dot = std::min(digits.find('.'), digits.size());
  const bool has_fraction = dot != digits.size();
  const bool sound = is_digits(digits.substr(0, dot)) &&
                     (!has_fraction || (may_have_fraction && is_digits(digits.substr(dot + 1)))) &&
                     dot < 18;  // 64 bits
  if (!sound) return text_form(text);
  while (digits.size() > 1 && digits[0] == '0' && digits[1] != '.') digits.remove_prefix(1);
  Form form;
  form.kind = Form::Kind::number;
  form.text = (negative ? "-" : "") + std::string(digits);
  return form;
}

Form scalar_form(const Arg* arg, std::string_view text) {
  if (arg == nullptr) return text_form(text);
  if (arg->type == ArgType::integer) return number_form(text, false);
  if (arg->type == ArgType::seconds || arg->type == ArgType::milliseconds)
    return number_form(text, true);
  if (arg->type != ArgType::boolean) return text_form(text);
  const bool on = text == "true" || text == "on" || text == "yes";
  const bool off = text == "false" || text == "off" || text == "no";
  if (!on && !off) return text_form(text);
  Form form = true_form();
  form.flag = on;
  return form;
}

// The row's argument at a position; the last one where it may be repeated.
const Arg* argument_at(const Keyword& keyword, std::size_t position) {
  for (std::size_t i = 0; i < kMaxArgs; ++i) {
    const Arg& arg = keyword.args[i];
    if (arg.type == ArgType::none) return nullptr;
    if (i == position || arg.repeated) return &arg;
  }
  return nullptr;
}

using Words = std::span<const std::string>;

std::optional<Form> options_form(Block line, Words words);

Form value_form(const Keyword& keyword, Words args);

// The words behind one option, as config/builders/builder.hpp's take_option counts them.
std::size_t count_values(const Keyword& option, Block line, Words words) {
  const Schema& schema = Schema::instance();
  std::size_t count = 0;
  for (const Arg& arg : option.args) {
    if (arg.type == ArgType::none) break;
    do {
      const bool may_end = arg.optional || arg.repeated;
      if (count >= words.size() || (may_end && schema.find(line, words[count]))) break;
      ++count;
    } while (arg.repeated);
  }
  return count;
}

// nullopt when the words are not options, or one comes twice.
std::optional<Form> options_form(Block line, Words words) {
  const Schema& schema = Schema::instance();
  Form table;
  while (!words.empty()) {
    const std::optional<KeywordId> id = schema.find(line, words.front());
    const bool again = std::any_of(table.members.begin(), table.members.end(),
                                   [&](const auto& m) { return m.key == words.front(); });
    if (!id || again) return std::nullopt;
    const Keyword& option = schema[*id];
    const std::size_t count = count_values(option, line, words.subspan(1));
    table.members.push_back(
        {words.front(), value_form(option, words.subspan(1, count)), false, false});
    words = words.subspan(count + 1);
  }
  return table;
}

Form value_form(const Keyword& keyword, Words args) {
  if (args.empty()) return true_form();
  const std::optional<std::size_t> options = options_position(keyword);
  Form list = list_form();
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (options == i) {
      if (std::optional<Form> table = options_form(keyword.args[i].line, args.subspan(i))) {
        list.items.push_back(std::move(*table));
        break;
      }
    }
    list.items.push_back(scalar_form(argument_at(keyword, i), args[i]));
  }
  if (list.items.size() != 1) return list;
  Form only = std::move(list.items.front());
  return only;
}

Form entry_form(const Node& entry) {
  std::string line;
  bool plain = true;
  for (const std::string& word : entry.args) {
    plain = plain && !word.empty() && word.find_first_of(" \t") == std::string::npos;
    line += line.empty() ? "" : " ";
    line += word;
  }
  if (plain) return text_form(line);
  Form list = list_form();
  for (const std::string& word : entry.args) list.items.push_back(text_form(word));
  return list;
}

void add_entries(const Node& node, Form& list) {
  for (const Node& entry : node.body) list.items.push_back(entry_form(entry));
}

void add_member(Form& table, std::string_view key, Form value) {
  table.members.push_back({std::string(key), std::move(value), false, false});
}

void add_header(const Node& node, const Keyword& keyword, Form& table) {
  const Words args = node.args;
  if (keyword.opens == Block::virtual_server && args.size() > 1 &&
      (args[0] == kMarkKey || args[0] == kGroupKey)) {
    static const Keyword kMark{.name = kMarkKey,
                               .args = {rows::integer(0, 0), rows::text("family")}};
    static const Keyword kGroup{.name = kGroupKey, .args = {rows::text("name")}};
    add_member(table, args[0], value_form(args[0] == kMarkKey ? kMark : kGroup, args.subspan(1)));
    return;
  }
  std::vector<std::string_view> keys = header_keys(keyword);
  if (keyword.opens == Block::virtual_server) keys = {kAddressKey, kPortKey};
  static const Arg kPort = rows::integer(0, 65535);
  for (std::size_t i = 0; i < args.size() && i < keys.size(); ++i)
    add_member(table, keys[i],
               keys[i] == kPortKey ? scalar_form(&kPort, args[i]) : text_form(args[i]));
}

class Maker {
 public:
  explicit Maker(const Document& document) : document_(document) {
    taken_.resize(document.size(), false);
  }

  Form make(Form table) {
    for (std::size_t i = 0; i < document_.size(); ++i) {
      if (!taken_[i]) add(i, table);
    }
    return table;
  }

 private:
  // All statements of one word, from the first one on.
  std::vector<std::size_t> all_of(std::size_t first) {
    std::vector<std::size_t> found;
    for (std::size_t i = first; i < document_.size(); ++i) {
      if (document_[i].keyword == document_[first].keyword) found.push_back(i);
    }
    return found;
  }

  void add(std::size_t at, Form& table) {
    const Keyword& keyword = Schema::instance()[document_[at].keyword];
    if (!keyword.opens)
      add_word(at, keyword, table);
    else if (is_list(*keyword.opens) && header_keys(keyword).empty())
      add_list(at, keyword, table);
    else
      add_block(at, keyword, table);
  }

  void add_word(std::size_t at, const Keyword& keyword, Form& table) {
    const std::vector<std::size_t> same = all_of(at);
    if (!keyword.repeatable) {
      const bool first_counts = keyword.args[0].type == ArgType::script;
      if (at != (first_counts ? same.front() : same.back())) return;  // in its own place
      for (const std::size_t i : same) taken_[i] = true;
      add_member(table, keyword.name, value_form(keyword, document_[at].args));
      return;
    }
    for (const std::size_t i : same) taken_[i] = true;
    if (same.size() == 1) {
      add_member(table, keyword.name, value_form(keyword, document_[at].args));
      return;
    }
    Form list = list_form();
    const bool one_argument = keyword.args[1].type == ArgType::none && !keyword.args[0].repeated;
    for (const std::size_t i : same) {
      Form value = value_form(keyword, document_[i].args);
      if (!one_argument && value.kind != Form::Kind::list && value.kind != Form::Kind::table) {
        Form wrapped = list_form();
        wrapped.items.push_back(std::move(value));
        value = std::move(wrapped);
      }
      list.items.push_back(std::move(value));
    }
    add_member(table, keyword.name, std::move(list));
  }

  void add_list(std::size_t at, const Keyword& keyword, Form& table) {
    Form list = list_form();
    for (const std::size_t i : all_of(at)) {
      taken_[i] = true;
      add_entries(document_[i], list);
    }
    add_member(table, keyword.name, std::move(list));
  }

  void add_block(std::size_t at, const Keyword& keyword, Form& table) {
    const Node& node = document_[at];
    Form::Member member;
    member.key = keyword.name;
    member.block = true;
    member.element = !is_single(keyword) || all_of(at).size() > 1 || seen_twice(at);
    add_header(node, keyword, member.value);
    if (is_list(*keyword.opens)) {
      Form list = list_form();
      add_entries(node, list);
      add_member(member.value, kEntriesKey, std::move(list));
    } else {
      member.value = Maker(node.body).make(std::move(member.value));
    }
    taken_[at] = true;
    table.members.push_back(std::move(member));
  }

  [[nodiscard]] bool seen_twice(std::size_t at) const {
    return std::any_of(document_.begin(), document_.begin() + static_cast<std::ptrdiff_t>(at),
                       [&](const Node& n) { return n.keyword == document_[at].keyword; });
  }

  const Document& document_;
  std::vector<bool> taken_;
};

}  // namespace

std::vector<std::string_view> header_keys(const Keyword& keyword) {
  std::vector<std::string_view> keys;
  if (!keyword.opens) return keys;
  if (keyword.opens == Block::virtual_server) return {kAddressKey, kPortKey, kMarkKey, kGroupKey};
  for (const Arg& arg : keyword.args) {
    if (arg.type == ArgType::none) break;
    keys.push_back(argument_key(arg));
  }
  return keys;
}

std::string_view argument_key(const Arg& arg) {
  if (arg.type == ArgType::script) return "command";
  if (arg.type == ArgType::ip || arg.type == ArgType::ip4 || arg.type == ArgType::ip6)
    return kAddressKey;
  if (arg.type == ArgType::integer) return kPortKey;
  return arg.type == ArgType::word ? arg.words : std::string_view();
}

std::optional<std::size_t> options_position(const Keyword& keyword) {
  for (std::size_t i = 0; i < kMaxArgs; ++i) {
    if (keyword.args[i].type == ArgType::options) return i;
  }
  return std::nullopt;
}

bool is_single(const Keyword& keyword) {
  return !keyword.repeatable || keyword.opens == Block::global_defs ||
         keyword.opens == Block::authentication;
}

Form form_of(const Document& document) {
  return Maker(document).make({});
}

}  // namespace holdfast::config
