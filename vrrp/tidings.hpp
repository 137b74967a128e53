// What the notification pipes and the mail say about an instance or a sync group: the texts.
// Called by vrrp/notifier.cpp.
#pragma once

#include "runtime/tidings.hpp"
#include "vrrp/core/action.hpp"

#include <optional>
#include <string>

namespace holdfast::vrrp {

/// Who has changed.
struct Teller {
  enum class Kind : std::uint8_t { instance, group };
  Kind kind = Kind::instance;
  std::string name{};
};
/// Who is to hear of it.
struct Audience {
  bool pipes = false;
  bool mail = false;
};

/// keepalived: a line `INSTANCE "NAME" STATE PRIORITY` (of a group the priority is 0), and mail
/// about MASTER, BACKUP and FAULT. nullopt: nobody hears anything.
[[nodiscard]] std::optional<runtime::Tidings> tidings_of(const Teller& teller, NotifyState state,
                                                         std::uint8_t priority, Audience audience);

}  // namespace holdfast::vrrp
