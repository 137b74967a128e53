// How rows of the table are written down: word("priority", integer(1, 255), fallback("100"), …).
#pragma once

#include "config/schema/schema.hpp"

namespace holdfast::config::rows {
constexpr std::int64_t kMicroseconds = 1'000'000;
constexpr std::int64_t kWeek31 = 2'678'400;  ///< ip_vs: longest timeout, 31 days in seconds

constexpr Arg text(std::string_view called) {
  return {.type = ArgType::word, .words = called};
}
constexpr Arg integer(std::int64_t low, std::int64_t high) {
  return {.type = ArgType::integer, .low = low, .high = high};
}
/// Bounds in seconds.
constexpr Arg seconds(std::int64_t low, std::int64_t high) {
  return {.type = ArgType::seconds, .low = low * kMicroseconds, .high = high * kMicroseconds};
}
constexpr Arg choice(std::string_view words) {
  return {.type = ArgType::choice, .words = words};
}
constexpr Arg of(ArgType type) {
  return {.type = type};
}
/// Bounds in milliseconds.
constexpr Arg milliseconds(std::int64_t low, std::int64_t high) {
  return {.type = ArgType::milliseconds, .low = low * 1000, .high = high * 1000};
}
/// The rest of the line: option words of `line`.
constexpr Arg options(Block line) {
  return {.type = ArgType::options, .optional = true, .repeated = true, .line = line};
}
/// The same, at least one.
constexpr Arg required_options(Block line) {
  return {.type = ArgType::options, .repeated = true, .line = line};
}
constexpr Arg optional(Arg arg) {
  arg.optional = true;
  return arg;
}
constexpr Arg repeated(Arg arg) {
  arg.repeated = true;
  return arg;
}
constexpr Arg boolean() {
  return optional(of(ArgType::boolean));
}
constexpr std::int64_t kManyTries = 1'000'000;
/// A time between two probes, seconds.
constexpr Arg pace() {
  return seconds(0, kWeek31);
}
/// Where 0 would mean to probe without a pause, or to give up before trying.
constexpr Arg positive_pace() {
  return {.type = ArgType::seconds, .low = 1000, .high = kWeek31 * kMicroseconds};
}
constexpr std::array<Arg, kMaxArgs> command() {
  return {of(ArgType::script), optional(text("user")), optional(text("group"))};
}

// What else can be said of a word: the attributes of word().
struct Opens {
  Block block;
};
struct AliasOf {
  std::string_view name;
};
struct Fallback {
  std::string_view text;
};
struct Doc {
  std::string_view text;
};
struct Since {
  std::string_view version;
};
struct Notice {
  Effect effect;
  std::string_view text;
};
struct With {
  std::string_view name;
};
/// What a word means, by parts (config/words/meaning.hpp makes them); later ones take the place of
/// earlier ones.
struct Bound {
  Meaning::Read read;
  Meaning::Write write;
};
struct Reads {
  Meaning::Read read;
};
struct Writes {
  Meaning::Write write;
};
struct Inherits {
  Meaning::Inherit inherit;
};
struct NotStarted {
  Meaning::Rests rests;
};
enum class Mark : std::uint8_t { repeatable, required, deprecated, secret };
inline constexpr Mark kRepeatable = Mark::repeatable;
inline constexpr Mark kRequired = Mark::required;
inline constexpr Mark kDeprecated = Mark::deprecated;
inline constexpr Mark kSecret = Mark::secret;

/// The word is followed by { … }.
constexpr Opens opens(Block block) {
  return {block};
}
constexpr AliasOf alias_of(std::string_view name) {
  return {name};
}
constexpr Fallback fallback(std::string_view text) {
  return {text};
}
constexpr Doc doc(std::string_view text) {
  return {text};
}
constexpr Since since(std::string_view version) {
  return {version};
}
/// Acts there; a row that does not say so acts in the room of its block.
constexpr Room acts_in(Room room) {
  return room;
}
/// Says what is so without the word: nothing can follow from it.
constexpr Effect as_is() {
  return Effect::as_is;
}
/// Means nothing without that word of the same block.
constexpr With with(std::string_view name) {
  return {name};
}
/// Kept in the model, but nothing follows from it yet.
constexpr Notice not_yet(std::string_view notice = {}) {
  return {Effect::inert, notice};
}
/// Arguments and body are checked, nothing is kept.
constexpr Notice not_kept(std::string_view notice = {}) {
  return {Effect::checked, notice};
}
/// Works; this is said about it.
constexpr Notice notice(std::string_view text) {
  return {Effect::active, text};
}

namespace detail {
constexpr void set(Keyword& row, Arg arg) {
  std::size_t at = 0;
  while (row.args[at].type != ArgType::none) ++at;
  row.args[at] = arg;
}
constexpr void set(Keyword& row, const std::array<Arg, kMaxArgs>& args) {
  row.args = args;
}
constexpr void set(Keyword& row, Opens opens) {
  row.opens = opens.block;
}
constexpr void set(Keyword& row, AliasOf alias) {
  row.alias_of = alias.name;
}
constexpr void set(Keyword& row, Fallback fallback) {
  row.fallback = fallback.text;
}
constexpr void set(Keyword& row, Doc doc) {
  row.doc = doc.text;
}
constexpr void set(Keyword& row, Since since) {
  row.since = since.version;
}
constexpr void set(Keyword& row, Notice notice) {
  row.effect = notice.effect;
  row.notice = notice.text;
}
constexpr void set(Keyword& row, Effect effect) {
  row.effect = effect;
}
constexpr void set(Keyword& row, Room room) {
  row.room = room;
}
constexpr void set(Keyword& row, With with) {
  row.with = with.name;
}
constexpr void set(Keyword& row, NotStarted not_started) {
  row.meaning.rests = not_started.rests;
}
constexpr void set(Keyword& row, Bound bound) {
  row.meaning.read = bound.read;
  row.meaning.write = bound.write;
}
constexpr void set(Keyword& row, Reads reads) {
  row.meaning.read = reads.read;
}
constexpr void set(Keyword& row, Writes writes) {
  row.meaning.write = writes.write;
}
constexpr void set(Keyword& row, Inherits inherits) {
  row.meaning.inherit = inherits.inherit;
}
constexpr void set(Keyword& row, Mark mark) {
  row.repeatable = row.repeatable || mark == Mark::repeatable;
  row.required = row.required || mark == Mark::required;
  row.deprecated = row.deprecated || mark == Mark::deprecated;
  row.secret = row.secret || mark == Mark::secret;
}
}  // namespace detail

/// A row: its name, its arguments in their order, and attributes in any order.
template <class... Attributes>
consteval Keyword word(std::string_view name, const Attributes&... attributes) {
  Keyword row;
  row.name = name;
  (detail::set(row, attributes), ...);
  return row;
}

}  // namespace holdfast::config::rows
