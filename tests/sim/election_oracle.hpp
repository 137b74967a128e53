// One instance: a small reference model, written from the RFC's sentences and not from the core,
// follows it from the packets that its process was given.
#pragma once

#include "tests/sim/situation.hpp"

#include <map>
#include <optional>
#include <utility>

namespace holdfast::sim {

class ElectionOracle {
 public:
  explicit ElectionOracle(const Situation& situation) : situation_(situation) {}
  void woke(const Child& child, const Wake& wake);
  /// Between any two happenings of the world.
  void look();

 private:
  struct HeardMaster {
    Instant at;
    Duration interval{};
    bool resigned = false;
  };
  struct Model {
    std::optional<Duration> lives_by;   ///< Backup: the master's interval; nullopt: not known
    std::optional<HeardMaster> master;  ///< The last one
    /// Of version 3 over IPv4, by who wrote it; the last one heard is the last.
    std::vector<std::pair<core::IpAddress, vrrp::ChecksumForm>> forms;
    /// Until one is heard; a resumed master's is on its page.
    vrrp::ChecksumForm first_form = vrrp::ChecksumForm::with_pseudo_header;
    bool is_of_page = false;  ///< That form is; whoever wrote it to the predecessor is there still
    std::optional<Instant> down_at;  ///< Backup: the moment to take over; nullopt: not predicted
    bool was_deaf = false;  ///< Backup: nothing had been received at all, when looked at last
    std::optional<Instant> next_advert;  ///< Master: the next beat
    Instant last_answer{};               ///< Master: the last advert that answered somebody
  };
  /// One instance in one wake-up.
  struct View {
    const Child& child;
    const Wake& wake;
    const vrrp::Instance& instance;
    const Wake::Former* former;  ///< nullptr: it is new
    vrrp::StateName before{};
    Model& model;
    unsigned sent = 0;  ///< adverts, resignations not counted
    const vrrp::Action* first_action = nullptr;
    /// What the model makes of the packets, before the core's own outcome is looked at.
    bool backup_after_packets = false;
    bool master_after_packets = false;
    unsigned zeros = 0;
    unsigned lower = 0;
  };

  void count_actions(View& view) const;
  void follow_packets(View& view) const;
  void check_forms(View& view) const;
  void note_master(Model& model, const vrrp::Advert& advert) const;
  [[nodiscard]] Duration first_interval(const View& view) const;
  void check_order(const View& view) const;
  void check_pause(const View& view) const;
  void check_election(const View& view) const;
  void check_rhythm(const View& view) const;
  [[nodiscard]] bool is_group_unchanged(const View& view) const;
  void check_leaving(const View& view) const;
  [[nodiscard]] Instant chosen_phase(const View& view) const;
  [[noreturn]] void violated(std::string oracle, const View& view,
                             const std::string& sentence) const;

  const Situation& situation_;
  std::map<std::pair<const Machine*, core::RouterKey>, Model> models_;
};

}  // namespace holdfast::sim
