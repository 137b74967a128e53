// A driver that tells what it was told and decided: the daemon runs this one instead of a bare
// Driver. As long as no tape is attached it costs a comparison a call.
//
// A turn is what happens between two calls of settle(): the calls as they come, then all decisions
// at once, so that nothing waits for a recording before it is done.
#pragma once

#include "vrrp/core/driver.hpp"
#include "vrrp/core/situation.hpp"
#include "vrrp/scenario/pseudonyms.hpp"

#include <string_view>
#include <vector>

namespace holdfast::vrrp::scenario {

/// Where lines go. Its methods run within the wake-up: they must not wait for anything.
class Tape {
 public:
  enum class Need : std::uint8_t {
    nothing,
    life,  ///< Begins: wants all that is known.
  };
  virtual ~Tape() = default;
  /// A turn begins. `instances`: how many there are.
  virtual Need before_turn(std::size_t instances) = 0;
  /// A reload follows within this turn, to so many instances.
  virtual void before_reload(std::size_t instances) = 0;
  /// The answer to Need::life; life_lines() makes text of it. Passwords are hidden already.
  virtual void begin_life(Instant at, RouterSituation situation) = 0;
  /// False: only what changes something is wanted, and it cannot be played.
  [[nodiscard]] virtual bool wants_everything() const = 0;
  /// nullopt: a line without a time.
  virtual void write(std::optional<Instant> at, std::string_view line) = 0;
  /// The turn is over, all of it was written. `now`: the time of its last event.
  virtual void after_turn(Instant now, const Actions& actions) = 0;
};

class RecordedDriver {
 public:
  explicit RecordedDriver(Router router) : driver_(std::move(router)) {}

  // As Driver, see there.
  void begin(Instant now, Duration uncounted, Actions& out);
  void receive(const Received& packet, Actions& out);
  void finish(Actions& out) { finish(now_, out); }
  void finish(Instant heard_at, Actions& out);
  void handle(const Event& event, Instant now, Actions& out);
  void answer(const Event& event, Actions& out);
  [[nodiscard]] std::optional<Instant> deadline() const { return driver_.deadline(); }
  [[nodiscard]] const Router& router() const { return driver_.router(); }
  /// No event: recordings know no counters.
  void clear_counters() { driver_.clear_counters(); }
  void count_stray(std::string_view interface, RejectReason reason) {
    driver_.count_stray(interface, reason);
  }

  /// The turn is over: these are all its decisions, and they are done.
  void settle(const Actions& actions);

  /// Between two turns. The tape must outlive this, or be detached. `key` as for Pseudonyms.
  void attach(Tape& tape, Pseudonyms::Key key, Instant now);
  void detach(const Tape& tape);

 private:
  struct Attached {
    Tape* tape;
    Pseudonyms pseudonyms;
  };

  void open_turn(Instant now);
  [[nodiscard]] const InstanceSettings* receiver_of(const Received& packet) const;
  void begin_life(const Attached& attached, Instant now) const;
  void write_event(std::string_view how, const Event& event, Instant now);

  Driver driver_;
  Instant now_{};
  bool in_turn_ = false;
  std::vector<Attached> tapes_;
};

}  // namespace holdfast::vrrp::scenario
