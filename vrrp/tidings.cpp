#include "vrrp/tidings.hpp"

namespace holdfast::vrrp {
namespace {

// keepalived sends none at the stop.
bool is_worth_a_letter(NotifyState state) {
  return state == NotifyState::master || state == NotifyState::backup ||
         state == NotifyState::fault;
}

std::string_view meaning_of(NotifyState state) {
  if (state == NotifyState::master) return "This director holds the virtual addresses now.";
  if (state == NotifyState::backup) return "This director does not hold the virtual addresses.";
  return "This director cannot hold the virtual addresses.";
}

}  // namespace

std::optional<runtime::Tidings> tidings_of(const Teller& teller, NotifyState state,
                                           std::uint8_t priority, Audience audience) {
  const bool is_group = teller.kind == Teller::Kind::group;
  const std::string_view state_word = to_string(state);
  runtime::Tidings tidings;
  tidings.subject = fmt::format("{} {}", is_group ? "group" : "instance", teller.name);
  tidings.scope = runtime::Tidings::Scope::vrrp;
  if (audience.pipes)
    tidings.line = fmt::format("{} \"{}\" {} {}", is_group ? "GROUP" : "INSTANCE", teller.name,
                               state_word, is_group ? 0 : priority);
  if (audience.mail && is_worth_a_letter(state)) {
    tidings.title = fmt::format("VRRP {} {} - Entering {} state", is_group ? "Group" : "Instance",
                                teller.name, state_word);
    tidings.body =
        fmt::format("{} {} is {} now. {}\n", is_group ? "The sync group" : "The instance",
                    teller.name, state_word, meaning_of(state));
    if (!is_group) tidings.body += fmt::format("Its priority is {}.\n", priority);
  }
  if (tidings.line.empty() && tidings.title.empty()) return std::nullopt;
  return tidings;
}

}  // namespace holdfast::vrrp
