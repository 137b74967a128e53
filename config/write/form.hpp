// How statements look as nested tables: the mapping that TOML and JSON share. Driven by the schema
// table; the few conventions that it does not hold are here.
#pragma once

#include "config/write/write.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::config {

/// The key of a top-level list of files to read as well, in TOML.
inline constexpr std::string_view kIncludeKey = "include";
/// The key of a list block's lines where the block has a name of its own: virtual_server_group.
inline constexpr std::string_view kEntriesKey = "entries";
/// How a virtual_server is named: address and port, or one of the other two.
inline constexpr std::string_view kAddressKey = "address";
inline constexpr std::string_view kPortKey = "port";
inline constexpr std::string_view kMarkKey = "fwmark";
inline constexpr std::string_view kGroupKey = "group";

/// What an entry of a list begins with, when it is written as a table.
inline constexpr std::array<std::string_view, 2> kEntryKeys = {kAddressKey, "name"};

/// The keys that stand for the words behind a block's own word: name; address and port. In their
/// order.
[[nodiscard]] std::vector<std::string_view> header_keys(const Keyword& keyword);
/// What one of several arguments is called in an inline table: "command", "user", "group".
[[nodiscard]] std::string_view argument_key(const Arg& arg);
/// The position in Keyword::args of the option words; nullopt when there are none.
[[nodiscard]] std::optional<std::size_t> options_position(const Keyword& keyword);
/// True for blocks that say one thing together however often they are written: one table, no array.
[[nodiscard]] bool is_single(const Keyword& keyword);

/// A value of TOML or JSON.
struct Form {
  enum class Kind : std::uint8_t { boolean, number, text, list, table };
  struct Member;

  Kind kind = Kind::table;
  bool flag = false;
  std::string text;  ///< of a number: digits[.digits], perhaps with a sign
  std::vector<Form> items;
  std::vector<Member> members;  ///< in the order of the document
};

struct Form::Member {
  std::string key;
  Form value;
  /// A block. `element`: one of any number; the key comes again for the others.
  bool block = false;
  bool element = false;
};

/// The document as one table. Of a word that counts only once and is written several times, the one
/// that counts is left.
[[nodiscard]] Form form_of(const Document& document);

}  // namespace holdfast::config
