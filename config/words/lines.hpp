// What the lines of addresses, routes and rules share. Their options are rows; what a line begins
// with (an address, a destination) has none.
#pragma once

#include "config/words/meaning.hpp"
#include "core/address_words.hpp"

namespace holdfast::config {

/// Whose a list of addresses, routes or rules is: `track_group` is a word of the director's
/// (static_*) only.
enum class ListOwner : std::uint8_t { instance, director };

/// nullopt when the line gives no address that can be held; every reason is reported. `interface`
/// stays empty unless the line has `dev`. Words that are no option are ignored with a warning, as
/// in keepalived.
[[nodiscard]] std::optional<VirtualAddress> read_address_line(
    BuildContext& context, const Statement& entry, ListOwner owner = ListOwner::instance);
/// nullopt when the line gives no route; every reason is reported.
[[nodiscard]] std::optional<Route> read_route_line(BuildContext& context, const Statement& entry,
                                                   ListOwner owner);
/// nullopt when the line gives no rule; every reason is reported.
[[nodiscard]] std::optional<Rule> read_rule_line(BuildContext& context, const Statement& entry,
                                                 ListOwner owner);

/// rtnetlink's scopes by name, or a number.
constexpr Arg scope() {
  return {.type = ArgType::choice, .low = 0, .high = 255, .words = "global site link host nowhere"};
}
[[nodiscard]] std::uint8_t scope_of(const Args& args);
/// The word, by its own name, and its values: to be kept as it was written.
[[nodiscard]] LineOption as_written(const Args& args);
void append_options(std::vector<std::string>& words, const std::vector<LineOption>& options);
[[nodiscard]] Node entry_of(std::vector<std::string> words);

/// `track_group`, which only the director's own lists know.
template <class Draft>
void read_track_group(Draft& draft, const Args& args) {
  if (draft.owner == ListOwner::director) {
    draft.track_group = args.text(0);
    return;
  }
  args.context().reporter.warning(
      args.value(0).range,
      "'track_group' is ignored: it is a word of static addresses, routes and rules only",
      "remove it");
}

}  // namespace holdfast::config
