// Which letter leaves when: one session with the relay after the other, each with all that waits.
// Of one subject the older letter goes first, and a newer one overtakes what has not left yet. A
// relay that does not take them is tried again with a growing pause; what cannot leave within a day
// is given up and counted. A core: stepped by scripts/mailer.cpp, which owns the sessions.
#pragma once

#include "core/time.hpp"

#include "mail/core/letter.hpp"
#include "mail/core/submission.hpp"
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::mail {

/// Numbers are never used twice, and rise.
using LetterId = std::uint64_t;

// ---- events ----

struct Posted {
  LetterId id = 0;
  std::string subject;  ///< "vrrp VI_1": of whom a newer letter overtakes
  Letter letter;
};
/// The session has decided about this one.
struct Decided {
  LetterId id = 0;
  Delivery delivery;
};
/// The session is over; what it has not decided waits. Empty: it ended as it should.
struct SessionOver {
  std::string why;
};
/// Another relay or other receivers: tried at once. None of either: what waits is given up, and
/// nothing is begun.
struct SettingsChanged {
  bool can_send = true;
};
struct Tick {};
using Event = std::variant<Posted, Decided, SessionOver, SettingsChanged, Tick>;

// ---- actions ----

/// Begin a session with these; the answers are Decided and, at the end, SessionOver.
struct Begin {
  std::vector<LetterId> letters;
  bool operator==(const Begin&) const = default;
};
/// Nothing more will become of it.
struct Settled {
  enum class How : std::uint8_t { sent, refused, given_up, overtaken, lost };
  LetterId id = 0;
  std::string subject;
  How how = How::sent;
  std::string why;  ///< a sentence, of all that is not sent, and of receivers that refused
  bool operator==(const Settled&) const = default;
};
/// The relay cannot be used. Said when that begins, not at each try.
struct Troubled {
  std::string why;
  core::Duration pause{};
  bool operator==(const Troubled&) const = default;
};
using Action = std::variant<Begin, Settled, Troubled>;
using Actions = std::vector<Action>;

class Queue {
 public:
  static constexpr std::size_t kMostWaiting = 20'000;
  static constexpr std::size_t kMostInSession = 100;
  static constexpr core::Duration kFirstPause = std::chrono::seconds(5);
  static constexpr core::Duration kLongestPause = std::chrono::minutes(10);
  static constexpr core::Duration kGiveUpAfter = std::chrono::hours(24);

  struct Counts {
    std::uint64_t sent = 0;
    std::uint64_t failed = 0;  ///< refused, given up, or lost because too many wait
    std::uint64_t overtaken = 0;
    std::uint64_t refused_receivers = 0;
    std::uint64_t sessions = 0;
    bool operator==(const Counts&) const = default;
  };
  struct Trouble {
    std::string why;
    core::Instant at{};
    bool operator==(const Trouble&) const = default;
  };

  void step(const Event& event, core::Instant now, Actions& out);
  [[nodiscard]] std::optional<core::Instant> deadline() const;
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] const std::optional<Trouble>& last_trouble() const { return last_trouble_; }
  [[nodiscard]] std::size_t waiting() const { return letters_.size(); }
  [[nodiscard]] const Letter& letter(LetterId id) const { return letters_.at(id).letter; }
  /// Addresses that alone still want it; empty: all of the settings.
  [[nodiscard]] const std::vector<std::string>& only_for(LetterId id) const {
    return letters_.at(id).only_for;
  }

 private:
  struct Waiting {
    std::string subject;
    Letter letter;
    std::vector<std::string> only_for;
    core::Instant posted_at{};
    bool is_in_session = false;
    bool was_tried = false;
  };
  using Place = std::map<LetterId, Waiting>::iterator;

  void on(const Posted& event, core::Instant now, Actions& out);
  void on(const Decided& event, core::Instant now, Actions& out);
  void on(const SessionOver& event, core::Instant now, Actions& out);
  void on(const SettingsChanged& event, core::Instant now, Actions& out);
  void on(const Tick& event, core::Instant now, Actions& out);
  void begin(core::Instant now, Actions& out);
  void put_off(Place place, const std::string& why, core::Instant now, Actions& out);
  void settle(Place place, Settled::How how, std::string why, core::Instant now, Actions& out);
  void pause(core::Instant now, Actions& out);

  std::map<LetterId, Waiting> letters_;
  std::map<std::string, LetterId> newest_;  // of a subject
  Counts counts_;
  std::optional<Trouble> last_trouble_;
  bool can_send_ = true;
  bool has_session_ = false;
  bool session_sent_ = false;    // something
  std::string session_trouble_;  // why it did not send everything
  core::Duration pause_{};       // after the last session; zero: it went well
  core::Instant next_at_{};      // no session before
};

}  // namespace holdfast::mail
