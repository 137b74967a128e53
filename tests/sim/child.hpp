// The vrrp process, simulated: the real driver and router, run as vrrp/io/runner.cpp and
// vrrp/daemon.cpp run them, between a simulated kernel, segments, a handover page and a watchdog.
#pragma once

#include "tests/sim/frame.hpp"
#include "tests/sim/lan.hpp"
#include "tests/sim/reflector.hpp"
#include "vrrp/core/driver.hpp"
#include "vrrp/core/turn.hpp"

#include <bitset>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace holdfast::sim {

class Child;
class Machine;

/// What one wake-up of a vrrp process was about, for the oracles.
struct Wake {
  enum class Cause : std::uint8_t { timer, packets, event, first_commit, commit };
  /// An instance before it.
  struct Former {
    core::RouterKey key;
    vrrp::State state;
    std::uint8_t priority = 0;  ///< effective
    bool had_setback = false;
    bool was_leaving = false;
    std::optional<vrrp::InstanceSettings> settings;  ///< only where there is a commit
  };
  /// A well-formed packet for an instance, decoded by us.
  struct Heard {
    core::RouterKey key;
    core::IpAddress source;
    core::IpAddress destination;
    std::uint8_t hop_limit = 0;
    vrrp::Advert advert;
  };
  /// A master of the page, as it says.
  struct Resumed {
    core::RouterKey key;
    Instant last_advert_at;
    Duration silence_allowed{};
    std::optional<vrrp::ChecksumForm> form;
    std::uint8_t priority = 0;
  };
  Cause cause = Cause::timer;
  bool is_shutdown = false;
  bool first_after_pause = false;
  Duration paused_for{};
  Duration awake_for{};  ///< Since that pause.
  std::vector<Former> before;
  std::vector<Resumed> resumed;
  std::vector<Heard> heard;
  vrrp::Actions actions;
};

class Watcher {
 public:
  virtual ~Watcher() = default;
  /// Its adverts are out; what else it was about may wait still.
  virtual void woke(Child& child, const Wake& wake) = 0;
  /// All that it was told to do is done.
  virtual void settled(Child& child) = 0;
  virtual void announced(Child& child, const core::RouterKey& key,
                         const core::IpAddress& address) = 0;
  /// The watchdog is about to end it.
  virtual void struck(Child& child) = 0;
};

/// Wake-ups come late by up to this much, as on a busy machine.
inline constexpr Duration kLatestWake = std::chrono::milliseconds(2);

class Child : public Process, private vrrp::Doer, private Reflector::Listener {
 public:
  /// `birth`: until its loop turns.
  Child(Machine& machine, Watcher& watcher, std::string name, Duration birth);

  // ---- from outside ----
  void hear(Frame frame);
  void watchdog_is_gone();
  void packet(netlink::InterfaceIndex index, const Bytes& bytes);
  /// What is known of it may be different now.
  void look_at(const std::string& interface) {
    if (is_alive()) mark_dirty(interface);
  }

  /// Its own trackers look there, a moment later.
  void tracked_changed(const vrrp::TrackerId& tracker);

  // ---- for oracles ----
  /// What its core has been told, by this process; nullopt: nothing yet.
  [[nodiscard]] std::optional<vrrp::Verdict> told(const vrrp::TrackerId& tracker) const;
  [[nodiscard]] Machine& machine() const { return machine_; }
  [[nodiscard]] const vrrp::Router& router() const { return driver_.router(); }
  [[nodiscard]] bool is_committed() const { return started_; }
  [[nodiscard]] bool is_stopping() const { return stopping_; }
  /// Whether it was told to, perhaps without having come to it yet.
  [[nodiscard]] bool was_told_to_stop() const { return told_to_stop_; }
  [[nodiscard]] const Reflector& reflector() const { return reflector_; }
  /// It has yet to look at an interface that changed.
  [[nodiscard]] bool has_to_look() const { return !dirty_.empty() || reflector_.has_news(); }
  /// The last wish about its addresses was to have them.
  [[nodiscard]] bool wishes(const core::RouterKey& key) const { return wished_.contains(key); }
  /// Adverts that it has put on the wire for this router; to unicast peers each is several packets.
  [[nodiscard]] std::uint64_t adverts_sent(const core::RouterKey& key) const;

 private:
  /// One of each interface and family.
  using SocketKey = std::pair<std::string, core::Family>;
  struct Socket {
    netlink::InterfaceIndex index = 0;
    std::bitset<256> vrids;
    std::deque<Bytes> waiting;
  };

  void born();
  void beat();
  void take(const Frame& frame);
  void watch(const vrrp::InstanceSettings& settings);
  void commit(const File& next);
  void resume(const File& next);
  void stop();

  void begin_wake(Wake::Cause cause);
  void end_wake();
  void wake(Wake::Cause cause, const std::string* readable);
  void handle(const vrrp::Event& event);
  void work_on();
  void work();
  void settled();
  void drain(const std::string& name, Socket& socket);
  void note_heard(const vrrp::Received& packet);
  void arm();

  void send(std::span<const vrrp::SendAdvert* const> adverts,
            std::vector<vrrp::Event>& answers) override;
  vrrp::Moved move(std::span<const vrrp::AddressMove> moves) override;
  vrrp::Moved keep_moving() override;
  void announce(std::span<const vrrp::Announce* const> announcements,
                std::vector<vrrp::Event>& answers) override;
  void tell(const vrrp::Action& action) override;
  [[nodiscard]] std::string put_on_wire(const vrrp::SendAdvert& advert);

  void on_link(const netlink::LinkEvent& event) override;
  void on_address(const netlink::AddressEvent& event) override;
  void on_published(const core::RouterKey& owner, const netlink::Publication& publication) override;
  void on_repaired(const core::RouterKey& owner) override;
  void mark_dirty(const std::string& interface);
  void follow_trackers();
  void refresh_ports();
  void open_sockets(const std::string& name);
  [[nodiscard]] vrrp::InterfaceStatus read_interface(const std::string& name);

  Machine& machine_;
  Watcher& watcher_;
  vrrp::Driver driver_;
  Reflector reflector_;
  bool is_born_ = false;
  std::deque<Frame> inbox_;
  Snapshot prepared_;
  watchdog::Generation preparing_ = 0;
  bool is_prepared_ = false;
  bool started_ = false;
  bool stopping_ = false;
  bool told_to_stop_ = false;
  int stop_frames_ = 0;

  std::map<SocketKey, Socket> sockets_;
  /// Interfaces in use, and the addresses that instances on them name.
  std::map<std::string, std::set<core::IpAddress>> watched_;
  vrrp::Verdicts told_;
  std::set<std::string> dirty_;
  std::set<core::RouterKey> wished_;
  std::map<core::RouterKey, std::uint64_t> adverts_sent_;
  Wake wake_;
  vrrp::Turn turn_;
  bool work_is_planned_ = false;
  bool sweep_is_due_ = false;
  std::optional<Instant> planned_for_;
  Instant wakes_at_{};
  std::uint64_t plan_ = 0;  // wake-ups of an older plan are void
};

}  // namespace holdfast::sim
