// What must hold whatever happens. A small reference model, written from the RFC's sentences and
// not from the core, follows each host from the packets that it was given. The first contradiction
// ends the run.
#pragma once

#include "tests/sim/host.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace holdfast::sim {

/// Thrown by an oracle: test code may.
struct Violation {
  std::string oracle;
  Instant at;
  std::string sentence;
};

class Oracles : public Watcher {
 public:
  void add(Host& host) { hosts_.push_back(&host); }
  void woke(Host& host, const Wake& wake) override;
  /// Between any two happenings of the world.
  void look(Instant now);

  /// Faults (loss, cuts, pauses, crashes …) and orderly changes (start, stop, reload) as the swarm
  /// makes them.
  void trouble_begins() { ++troubles_; }
  void trouble_ends(Instant now) {
    --troubles_;
    last_trouble_ = now;
  }
  void changed(Instant now) { last_change_ = std::max(last_change_, now); }
  /// After this long without trouble and change the election must be over.
  Duration settle_bound = std::chrono::seconds(10);

 private:
  struct Model {
    std::optional<Instant> down_at;  ///< Backup: the moment to take over; nullopt: not predicted
    std::optional<Instant> next_advert;  ///< Master: the next beat
    Instant last_advert;
    Instant last_answer;  ///< Master: the last advert that answered somebody
    vrrp::StateName last_state = vrrp::StateName::init;
    std::optional<Instant> shutdown_at;
    bool handing_over = false;
    bool stopped_in_calm = false;
  };
  /// What the model makes of one wake-up, before the core's own outcome is looked at.
  struct Verdict {
    bool backup_after_packets = false;
    bool master_after_packets = false;
    unsigned zeros = 0;
    unsigned lower = 0;
  };

  Verdict follow_packets(const Host& host, const Wake& wake, Model& model) const;
  void check_addresses(const Host& host) const;
  void check_order(const Host& host, const Wake& wake) const;
  void check_pause(const Host& host, const Wake& wake) const;
  void check_election(const Host& host, const Wake& wake, const Verdict& verdict,
                      Model& model) const;
  void check_rhythm(const Host& host, const Wake& wake, const Verdict& verdict, Model& model) const;
  void check_leaving(const Host& host, const Wake& wake, Model& model) const;
  void check_settled(Instant now) const;
  [[nodiscard]] bool is_eligible(const Host& host) const;
  [[nodiscard]] static Instant chosen_phase(const Host& host);
  [[noreturn]] static void violated(std::string oracle, const Host& host, std::string sentence);

  std::vector<Host*> hosts_;
  std::map<const Host*, Model> models_;
  int troubles_ = 0;
  Instant last_trouble_{};
  Instant last_change_{};
};

}  // namespace holdfast::sim
