#include "config/toml/reader.hpp"

#include "config/write/form.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::config {
namespace {

bool all_tables(const ::toml::array& array) {
  return std::all_of(array.begin(), array.end(),
                     [](const ::toml::node& node) { return node.is_table(); });
}

// A list without a name: an array of lines.
bool is_plain_list(const Keyword& keyword) {
  return keyword.opens && is_list(*keyword.opens) && header_keys(keyword).empty();
}

// [vrrp_instance.VI_1]: the name as a key, where it belongs into the table.
bool is_named_by_key(const ::toml::table& table, const Keyword& keyword) {
  const std::vector<std::string_view> keys = header_keys(keyword);
  return !table.empty() && keys.size() == 1 && keys.front() == "name" &&
         std::all_of(table.begin(), table.end(), [&](const auto& member) {
           return member.second.is_table() &&
                  !Schema::instance().find(*keyword.opens, member.first.str());
         });
}

bool takes_one_argument(const Keyword& keyword) {
  return keyword.args[1].type == ArgType::none && !keyword.args[0].repeated;
}

}  // namespace

// true and false stand for the bare word and for its absence.
bool TomlReader::is_switch(const ::toml::node& value, const Keyword& keyword) {
  const Arg& first = keyword.args[0];
  return value.is_boolean() &&
         (first.type == ArgType::none || (first.optional && first.type != ArgType::boolean));
}

TomlReader::TomlReader(const Snapshot& snapshot, TextRange part, Reporter& reporter, Tree& tree)
    : schema_(Schema::instance()), reporter_(reporter), tree_(tree), positions_(snapshot, part) {}

void TomlReader::read(const ::toml::table& root) {
  Parent top;
  top.last_child = tree_.last();
  read_members(root, Block::root, nullptr, top);
}

// In the order of the text; toml++ sorts by name.
std::vector<TomlReader::Member> TomlReader::members_of(const ::toml::table& table, Block block) {
  std::vector<Member> members;
  std::vector<std::pair<::toml::source_position, std::size_t>> order;
  const auto add = [&](const ::toml::key& key, const ::toml::node& value, bool element) {
    Member member;
    member.key = key.str();
    member.value = &value;
    member.element = element;
    order.emplace_back(element ? value.source().begin : key.source().begin, members.size());
    member.key_range = {};
    members.push_back(member);
  };
  for (auto&& [key, value] : table) {
    const std::optional<KeywordId> id = schema_.find(block, key.str());
    const ::toml::array* const array = value.as_array();
    const bool is_block = id && schema_[*id].opens && !is_plain_list(schema_[*id]);
    if (array != nullptr && !array->empty() && is_block && all_tables(*array)) {
      for (const ::toml::node& element : *array) add(key, element, true);
    } else {
      add(key, value, false);
    }
  }
  std::sort(order.begin(), order.end(), [](const auto& one, const auto& other) {
    return std::pair(one.first.line, one.first.column) <
           std::pair(other.first.line, other.first.column);
  });
  std::vector<Member> sorted;
  sorted.reserve(members.size());
  for (const auto& [position, index] : order) {
    Member member = members[index];
    const auto key = table.find(member.key);
    member.key_range =
        member.element ? element_range(member) : positions_.range_of(key->first.source());
    sorted.push_back(member);
  }
  return sorted;
}

// The name in [[block.name]], or the brace of an inline table.
TextRange TomlReader::element_range(const Member& member) {
  const ::toml::source_region& region = member.value->source();
  TextRange range = positions_.range_of(region);
  const std::string_view text = positions_.written(region);
  const std::size_t at = text.starts_with('[') ? text.rfind(member.key) : std::string_view::npos;
  if (at == std::string_view::npos) {
    range.length = 1;
    return range;
  }
  range.offset += static_cast<std::uint32_t>(at);
  range.length = static_cast<std::uint32_t>(member.key.size());
  return range;
}

void TomlReader::read_members(const ::toml::table& table, Block block, const Keyword* header,
                              Parent& parent) {
  const std::vector<std::string_view> used =
      header == nullptr ? std::vector<std::string_view>{kIncludeKey} : header_keys(*header);
  for (const Member& member : members_of(table, block)) {
    if (std::find(used.begin(), used.end(), member.key) != used.end()) continue;
    if (const std::optional<KeywordId> id = find(member, block, table))
      read_member(member, *id, parent);
  }
}

std::optional<KeywordId> TomlReader::find(const Member& member, Block block,
                                          const ::toml::table& table) {
  if (const std::optional<KeywordId> id = schema_.find(block, member.key)) return id;
  std::vector<Block> others = schema_.blocks_of(member.key);
  std::stable_partition(others.begin(), others.end(),
                        [](Block one) { return !is_list(one) && !is_line(one); });
  std::string help = "nothing is read for it";
  std::optional<KeywordId> near;
  if (others.empty()) {
    const std::string_view word = nearest_word(member.key, schema_.words_of(block));
    near = schema_.find(block, word);
    if (near) help = fmt::format("did you mean '{}'?", word);
  } else {
    help = fmt::format("it belongs into '{}'{}", name_of(others.front()),
                       others.size() > 1 ? " and others" : "");
  }
  reporter_.error(member.key_range,
                  block == Block::root
                      ? fmt::format("unknown key '{}' at the top level", member.key)
                      : fmt::format("unknown key '{}' in '{}'", member.key, name_of(block)),
                  std::move(help));
  // It is read as if it had been spelt right: what follows is not a second mistake.
  return near && !table.contains(schema_[*near].name) ? near : std::nullopt;
}

void TomlReader::read_member(const Member& member, KeywordId id, Parent& parent) {
  const Keyword& keyword = schema_[id];
  if (keyword.opens && is_list(*keyword.opens)) {
    read_list(member, id, parent);
  } else if (keyword.opens) {
    read_block(member, id, parent);
  } else {
    read_word(member, id, parent);
  }
}

void TomlReader::read_block(const Member& member, KeywordId id, Parent& parent) {
  const Keyword& keyword = schema_[id];
  const ::toml::table* const table = member.value->as_table();
  if (table == nullptr) {
    const bool many = !is_single(keyword);
    const std::string head = fmt::format(fmt::runtime(many ? "[[{}]]" : "[{}]"), keyword.name);
    reporter_.error(
        member.key_range,
        fmt::format("'{}' must be {}", keyword.name, many ? "an array of tables" : "a table"),
        keyword.block == Block::root
            ? fmt::format("write {} on a line of its own, and below it what belongs to it", head)
            : fmt::format("write {} = {{ … }}, or give it a table of its own", keyword.name));
    return;
  }
  if (is_named_by_key(*table, keyword)) {
    for (auto&& [key, value] : *table) {
      reporter_.error(positions_.range_of(key.source()),
                      fmt::format("'{}' must be an array of tables", keyword.name),
                      fmt::format("write [[{}]] and name = \"{}\"", keyword.name, key.str()));
    }
    return;
  }
  const std::uint32_t first_word = next_word();
  if (!push_header(*table, keyword)) return;
  push_statement(id, member.key_range, first_word, parent);
  Parent own;
  own.statement = parent.last_child;
  if (keyword.opens != Block::other) read_members(*table, *keyword.opens, &keyword, own);
}

void TomlReader::read_list(const Member& member, KeywordId id, Parent& parent) {
  const Keyword& keyword = schema_[id];
  const ::toml::table* const table = member.value->as_table();
  const std::uint32_t first_word = next_word();
  if (table == nullptr) {
    push_statement(id, member.key_range, first_word, parent);
    Parent own;
    own.statement = parent.last_child;
    read_entries(*member.value, keyword, own);
    return;
  }
  const std::vector<std::string_view> used = header_keys(keyword);
  if (used.empty()) {
    reporter_.error(member.key_range,
                    fmt::format("'{}' must be an array of lines, not a table", keyword.name),
                    fmt::format("write {} = [\"…\", \"…\"]", keyword.name));
    return;
  }
  if (!push_header(*table, keyword)) return;
  push_statement(id, member.key_range, first_word, parent);
  Parent own;
  own.statement = parent.last_child;
  for (const Member& one : members_of(*table, Block::other)) {
    if (one.key == kEntriesKey) {
      read_entries(*one.value, keyword, own);
    } else if (std::find(used.begin(), used.end(), one.key) == used.end()) {
      reporter_.error(one.key_range, fmt::format("unknown key '{}' in '{}'", one.key, keyword.name),
                      fmt::format("its lines are written as {} = [\"…\", \"…\"]", kEntriesKey));
    }
  }
}

void TomlReader::read_entries(const ::toml::node& value, const Keyword& keyword, Parent& parent) {
  const ::toml::array* const array = value.as_array();
  if (array == nullptr) {
    read_entry(value, keyword, parent);
    return;
  }
  for (const ::toml::node& one : *array) read_entry(one, keyword, parent);
}

// "192.168.1.200/24 dev eth0", its words as an array, or a table: {address = "…", dev = "eth0"}.
void TomlReader::read_entry(const ::toml::node& value, const Keyword& keyword, Parent& parent) {
  const std::uint32_t first_word = next_word();
  const TextRange range = positions_.range_of(value.source());
  bool sound = true;
  if (value.is_string()) {
    sound = push_line(value, keyword);
  } else if (const ::toml::array* const words = value.as_array()) {
    for (const ::toml::node& word : *words) sound = sound && push_scalar(word, keyword);
  } else if (const ::toml::table* const table = value.as_table()) {
    sound = push_entry(*table, keyword);
  } else {
    sound = push_scalar(value, keyword);
  }
  if (sound && next_word() == first_word) {
    reporter_.warning(range, fmt::format("an empty entry of '{}' is ignored", keyword.name));
    return;
  }
  if (sound) push_statement(0, tree_.words[first_word].range, first_word, parent, true);
}

void TomlReader::read_word(const Member& member, KeywordId id, Parent& parent) {
  const Keyword& keyword = schema_[id];
  const ::toml::array* const array = member.value->as_array();
  const bool several =
      keyword.repeatable && array != nullptr &&
      (takes_one_argument(keyword) ||
       (!array->empty() && std::all_of(array->begin(), array->end(), [](const ::toml::node& node) {
         return node.is_array() || node.is_table();
       })));
  if (!several) {
    read_statement(member, id, *member.value, parent);
    return;
  }
  for (const ::toml::node& one : *array) read_statement(member, id, one, parent);
}

void TomlReader::read_statement(const Member& member, KeywordId id, const ::toml::node& value,
                                Parent& parent) {
  const Keyword& keyword = schema_[id];
  const std::uint32_t first_word = next_word();
  if (is_switch(value, keyword)) {
    if (value.value_or(false)) push_statement(id, member.key_range, first_word, parent);
    return;
  }
  if (push_values(value, keyword)) push_statement(id, member.key_range, first_word, parent);
}

}  // namespace holdfast::config
