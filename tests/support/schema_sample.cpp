#include "tests/support/schema_sample.hpp"

#include "config/load.hpp"
#include "config/report.hpp"
#include "config/text.hpp"
#include "core/assertion.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::config::test {
namespace {

std::string nth_choice(std::string_view words, std::uint64_t number) {
  std::vector<std::string> list;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    list.emplace_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  // The last one first: the first one is often the default.
  return list[(list.size() - 1 + number) % list.size()];
}

std::int64_t nth_number(const Arg& arg, std::int64_t unit, std::uint64_t number) {
  const std::int64_t low = (arg.low + unit - 1) / unit;
  const std::int64_t high = arg.high / unit;
  const std::int64_t choices[] = {std::min(low + 7, high), low, high, (low + high) / 2,
                                  std::min(low + 1, high)};
  return choices[number % std::size(choices)] * unit;
}

// What a word of a certain name may be, where not every word makes sense.
std::string nth_word(std::string_view called, std::uint64_t number) {
  constexpr const char* kNames[] = {"name_7", "other-name", "x", "with blank", "a.b:c/d=e"};
  if (called == "user" || called == "group") return number % 2 == 0 ? "name_7" : "other-name";
  if (called == "address, + or -") return number % 2 == 0 ? "192.168.1.255" : "+";
  if (called == "number or name") return number % 2 == 0 ? "7" : "main";
  if (called == "time") return number % 2 == 0 ? "70" : "7";
  if (called == "realm, or two with /") return number % 2 == 0 ? "7" : "7/8";
  if (called == "file") return number % 2 == 0 ? "/path/file" : "/path/other";
  if (called == "path") return number % 2 == 0 ? "/path" : "/path/with?query=1";
  if (called == "mask") return number % 2 == 0 ? "0177" : "IRGRP|IWGRP";
  if (called == "mark, with or without a mask") return number % 2 == 0 ? "16/255" : "7";
  if (called == "range such as 1000-1999" || called == "port, or a range such as 80-90")
    return number % 2 == 0 ? "80-90" : "7";
  if (called == "label") return number % 2 == 0 ? "eth0:7" : "eth0:vip";
  return kNames[number % std::size(kNames)];
}

using Words = std::vector<std::string>;

// Words that only make sense together with others, or that name something.
struct Special {
  Block block;
  std::string_view word;
  std::string_view value;
};
constexpr Special kSpecial[] = {
    {Block::auth_hmac, "active_key", "2"},
    {Block::file_check, "track_file", "file_2"},
    {Block::sync_daemon_line, "inst", "VI_1"},
    {Block::sync_daemon_line, "group", "239.1.1.7"},
    {Block::global_defs, "vrrp_mcast_group4", "239.1.1.7"},
    {Block::vrrp_instance, "mcast_dst_ip", "239.1.1.7"},
    {Block::address_list, "track_group", "group_1"},
    {Block::route_list, "track_group", "group_1"},
    {Block::rule_list, "track_group", "group_1"},
};

void insert_words(Node& into, Block block, KeywordId id, const Words& args) {
  const Schema& schema = Schema::instance();
  if (is_list(block)) {
    if (block == Block::virtual_server_group) into.args.clear();  // its word is a whole entry
    into.args.emplace_back(schema[id].name);
    into.args.insert(into.args.end(), args.begin(), args.end());
    return;
  }
  const KeywordId canonical = schema.canonical(id);
  if (!schema[canonical].repeatable) {
    std::erase_if(into.body, [&](const Node& n) {
      return !n.entry && schema.canonical(n.keyword) == canonical;
    });
  }
  Node added;
  added.keyword = id;
  added.args = args;
  into.body.push_back(std::move(added));
}

// Calls `each` with every node whose body (or, of a list, whose entry) can take words of `block`.
template <class Each>
void for_each_place(std::vector<Node>& nodes, Block block, const Each& each) {
  for (Node& node : nodes) {
    if (node.entry) continue;
    const std::optional<Block> opens = Schema::instance()[node.keyword].opens;
    if (opens == block && is_list(block)) {
      for (Node& entry : node.body) each(entry);
    } else if (opens == block) {
      each(node);
    }
    for_each_place(node.body, block, each);
  }
}

std::vector<Document> place(Block block, KeywordId id, const Words& args, Document whole) {
  std::vector<Document> made;
  if (block == Block::root) {
    Node root;
    root.body = std::move(whole);
    insert_words(root, block, id, args);
    return {std::move(root.body)};
  }
  std::size_t places = 0;
  for_each_place(whole, block, [&](Node&) { ++places; });
  for (std::size_t i = 0; i < places; ++i) {
    Document copy = whole;
    std::size_t at = 0;
    for_each_place(copy, block, [&](Node& node) {
      if (at++ == i) insert_words(node, block, id, args);
    });
    made.push_back(std::move(copy));
  }
  return made;
}

void randomize(Document& body, Block block, core::Rng& rng);

void randomize(Node& node, core::Rng& rng) {
  const Keyword& keyword = Schema::instance()[node.keyword];
  if (!keyword.opens) {
    if (rng.chance(50)) node.args = legal_args(keyword, rng.next() >> 8);
    return;
  }
  if (is_list(*keyword.opens)) {
    std::erase_if(node.body, [&](const Node&) { return rng.chance(30); });
    return;
  }
  randomize(node.body, *keyword.opens, rng);
}

void randomize(Document& body, Block block, core::Rng& rng) {
  const Schema& schema = Schema::instance();
  std::erase_if(body, [&](const Node& n) {
    return !n.entry && schema[n.keyword].repeatable && rng.chance(30);
  });
  for (Node& node : body) {
    if (!node.entry) randomize(node, rng);
  }
  std::vector<KeywordId> rows;
  for (std::size_t i = 0; i < schema.all().size(); ++i) {
    const Keyword& row = schema.all()[i];
    if (row.block == block && !row.opens) rows.push_back(static_cast<KeywordId>(i));
  }
  if (rows.empty()) return;
  for (std::uint64_t more = rng.below(rows.size() / 8 + 3); more > 0; --more) {
    const KeywordId id = rows[rng.below(rows.size())];
    Node holder;
    holder.body = std::move(body);
    insert_words(holder, block, id, legal_args(schema[id], rng.next() >> 8));
    body = std::move(holder.body);
  }
}

}  // namespace

std::string legal_word(const Arg& arg, std::uint64_t number) {
  constexpr const char* kAddresses[] = {"192.168.1.9", "192.168.1.77", "2001:db8::9"};
  switch (arg.type) {
    case ArgType::none:
    case ArgType::options:
      return "";
    case ArgType::word:
      return nth_word(arg.words, number);
    case ArgType::integer:
      return fmt::format("{}", nth_number(arg, 1, number));
    case ArgType::seconds:
      return seconds_text(
          core::Duration(nth_number(arg, number % 2 == 0 ? 1'000'000 : 1'000, number)));
    case ArgType::milliseconds:
      return fmt::format("{}", nth_number(arg, 1'000, number) / 1'000);
    case ArgType::boolean:
      return number % 2 == 0 ? "true" : "false";
    case ArgType::ip:
      return kAddresses[number % std::size(kAddresses)];
    case ArgType::ip4:
      return kAddresses[number % 2];
    case ArgType::ip6:
      return number % 2 == 0 ? "2001:db8::9" : "ff02::77";
    case ArgType::netmask:
      return number % 2 == 0 ? "255.255.255.0" : "255.255.0.0";
    case ArgType::choice:
    case ArgType::choice_any_case:
      return arg.high > 0 && number % 3 == 2 ? fmt::format("{}", nth_number(arg, 1, number / 3))
                                             : nth_choice(arg.words, number);
    case ArgType::interface:
      return number % 2 == 0 ? "eth7" : "bond0.100";
    case ArgType::scheduler:
      return number % 2 == 0 ? "wrr" : "mh";
    case ArgType::digest:
      return number % 2 == 0 ? "0123456789abcdef0123456789abcdef"
                             : "00112233445566778899aabbccddeeff";
    case ArgType::status_code:
      return number % 2 == 0 ? "201-204" : "404";
    case ArgType::script:
      return number % 2 == 0 ? "/bin/command 'with arguments' and more" : "/bin/command";
    case ArgType::mac:
      return number % 2 == 0 ? "00:00:5e:00:01:0a" : "02:00:00:00:00:07";
    case ArgType::hex:
      return number % 2 == 0 ? "0123456789abcdef" : "00ff";
    case ArgType::prefix:
      return number % 2 == 0 ? "10.7.0.0/16" : "2001:db8:7::/48";
  }
  return "";
}

std::optional<std::string> illegal_word(const Arg& arg) {
  switch (arg.type) {
    case ArgType::none:
    case ArgType::word:
    case ArgType::options:
      return std::nullopt;
    case ArgType::integer:
      return fmt::format("{}", arg.high + 1);
    case ArgType::seconds:
      return fmt::format("{}", arg.high / 1'000'000 + 1);
    case ArgType::milliseconds:
      return fmt::format("{}", arg.high / 1'000 + 1);
    case ArgType::boolean:
      return "maybe";
    case ArgType::ip:
      return "192.168.1.256";
    case ArgType::ip4:
      return "2001:db8::1";
    case ArgType::ip6:
      return "192.168.1.9";
    case ArgType::netmask:
      return "255.0.255.0";
    case ArgType::choice:
    case ArgType::choice_any_case:
      return "SOMETHING_ELSE";
    case ArgType::interface:
      return "an_interface_name_too_long";
    case ArgType::scheduler:
      return "RR|WRR";
    case ArgType::digest:
      return "0123";
    case ArgType::status_code:
      return "299-200";
    case ArgType::script:
      return "  ";
    case ArgType::mac:
      return "00:00:5e";
    case ArgType::hex:
      return "012";
    case ArgType::prefix:
      return "192.168.1.0/33";
  }
  return std::nullopt;
}

std::vector<std::string> legal_args(const Keyword& keyword, std::uint64_t number) {
  for (const Special& special : kSpecial) {
    if (special.block == keyword.block && special.word == keyword.name)
      return {std::string(special.value)};
  }
  if (keyword.block == Block::auth_hmac && keyword.name == "key") {  // of 32 bytes at least
    return {fmt::format("{}", 2 + number % 250),
            std::string(32, static_cast<char>('a' + number % 26))};
  }
  Words words;
  const bool without_optional = number % 7 == 6;
  for (const Arg& arg : keyword.args) {
    if (arg.type == ArgType::none || (arg.optional && without_optional)) break;
    if (arg.type != ArgType::options) {
      words.push_back(legal_word(arg, number));
      if (arg.repeated && number % 2 == 1) words.push_back(legal_word(arg, number + 1));
      continue;
    }
    const Schema& schema = Schema::instance();
    std::vector<const Keyword*> rows;
    for (const Keyword& row : schema.all()) {
      if (row.block == arg.line) rows.push_back(&row);
    }
    if (rows.empty()) break;
    const Keyword& row = *rows[number % rows.size()];
    words.emplace_back(row.name);
    const Words values = legal_args(row, number);
    words.insert(words.end(), values.begin(), values.end());
  }
  return words;
}

Document document_from(std::string_view text) {
  Snapshot snapshot;
  snapshot.text = text;
  snapshot.files.emplace_back("skeleton.conf");
  snapshot.segments.push_back({});
  Diagnostics ignored;
  Reporter reporter(snapshot, ignored);
  return document_of(read_tree(snapshot, reporter));
}

const Document& skeleton() {
  static const Document document = document_from(skeleton_text());
  return document;
}

std::vector<Document> with_word(KeywordId id, const std::vector<std::string>& args,
                                const Document& base) {
  const Schema& schema = Schema::instance();
  const Block block = schema[id].block;
  if (!is_line(block)) return place(block, id, args, base);
  // An option: behind each word that takes it.
  std::vector<Document> made;
  for (std::size_t i = 0; i < schema.all().size(); ++i) {
    const Keyword& owner = schema.all()[i];
    Words words;
    bool takes_it = false;
    for (const Arg& arg : owner.args) {
      if (arg.type == ArgType::none || takes_it) break;
      takes_it = arg.type == ArgType::options && arg.line == block;
      if (arg.type != ArgType::options) words.push_back(legal_word(arg, 0));
    }
    if (!takes_it) continue;
    if (block == Block::tunnel_line && schema[id].name != "type") {
      words.insert(words.end(), {"type", "gue"});
      if (schema[id].name != "port") words.insert(words.end(), {"port", "6080"});
    }
    if (block == Block::next_hop_line && schema[id].name != "via")
      words.insert(words.end(), {"via", "192.168.9.2"});
    words.emplace_back(schema[id].name);
    words.insert(words.end(), args.begin(), args.end());
    for (Document& document : with_word(static_cast<KeywordId>(i), words, base))
      made.push_back(std::move(document));
  }
  return made;
}

Document random_document(core::Rng& rng) {
  Document document = skeleton();
  randomize(document, Block::root, rng);
  return document;
}

}  // namespace holdfast::config::test
