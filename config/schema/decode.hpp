// Words → values, by the argument grammar of the schema table. Says what was expected and what was
// found, with the word marked.
#pragma once

#include "config/text.hpp"
#include "config/tree.hpp"
#include "core/ip_address.hpp"
#include "core/time.hpp"

#include <boost/container/small_vector.hpp>

#include <string>

namespace holdfast::config {

/// One decoded argument. Which members count depends on the argument's type.
struct Value {
  std::string_view text;  ///< always the word
  /// integer, seconds (µs), boolean, choice (index), netmask (prefix length), status_code (low)
  std::int64_t number = 0;
  std::int64_t last = 0;    ///< status_code: high; choice: 1 when the word is a number
  core::IpAddress address;  ///< ip, ip4, ip6, netmask
  TextRange range;
};

/// Nearly always so few that nothing is allocated.
using Values = boost::container::small_vector<Value, kMaxArgs>;

/// Decodes the arguments of a statement into `out`. False after an error was reported; extra words
/// are a warning.
[[nodiscard]] bool decode_args(const Keyword& keyword, const Statement& statement,
                               std::span<const Word> words, Reporter& reporter, Values& out);
/// True for an argument like that of "[lock] NUMBER", a choice with something behind it, when
/// `word` is none of its words.
[[nodiscard]] bool is_left_out(const Keyword& keyword, std::size_t at, std::string_view word);
/// False when the word does not fit; reports nothing.
[[nodiscard]] bool decode_word(const Arg& arg, std::string_view word, Value& out);
/// "a number from 1 to 255", "NAT, DR or TUN": what an argument has to be, for messages and the
/// manual.
[[nodiscard]] std::string describe(const Arg& arg);
/// The bits of an IPv4 netmask; nullopt when they are not contiguous.
[[nodiscard]] std::optional<std::uint8_t> prefix_length_of(const core::IpAddress& netmask);

}  // namespace holdfast::config
