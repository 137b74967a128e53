// One director: the real driver and router on a fake kernel, run as the daemon runs them. It can be
// paused, killed, restarted with or without its handover page, unplugged, reloaded and stopped.
// Everything that happens goes to a Watcher (the oracles).
#pragma once

#include "tests/sim/lan.hpp"
#include "vrrp/core/driver.hpp"
#include "vrrp/core/turn.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace holdfast::sim {

class Host;

/// What one wake-up of a host was about, for the oracles.
struct Wake {
  enum class Cause : std::uint8_t {
    timer,
    packets,
    start,
    resume,
    reload_same,
    reload_changed,
    shutdown,
    link,
    kernel
  };
  Cause cause = Cause::timer;
  vrrp::StateName before = vrrp::StateName::init;
  bool had_page = false;  // a resume found its handover page
  bool first_after_pause = false;
  Duration paused_for = Duration::zero();
  std::vector<std::pair<core::IpAddress, vrrp::Advert>>
      heard;  // well-formed packets, decoded by us
  vrrp::Actions actions;
};

class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void woke(Host& host, const Wake& wake) = 0;
};

/// Wake-ups come late by up to this much, as on a busy machine.
inline constexpr Duration kLatestWake = std::chrono::milliseconds(2);

class Host : public vrrp::Doer {
 public:
  Host(World& world, Lan& lan, core::Rng& rng, Watcher& watcher, vrrp::InstanceSettings settings,
       core::IpAddress address);

  void start(bool with_page);
  /// The process dies at once; the kernel keeps its addresses (the machine lives on).
  void kill();
  /// The machine dies: process, addresses and page.
  void power_off();
  void stop();
  void pause();
  void go_on();
  void set_link(bool up);
  void reload(const vrrp::InstanceSettings& settings);
  /// The kernel refuses addresses from now on, or accepts them again.
  void refuse_addresses(bool refuse) { kernel_refuses_ = refuse; }
  /// Somebody removes the addresses; the reflector puts them back.
  void disturb_addresses();

  [[nodiscard]] std::size_t port() const { return port_; }
  [[nodiscard]] const core::IpAddress& address() const { return address_; }
  [[nodiscard]] const vrrp::InstanceSettings& settings() const { return settings_; }
  [[nodiscard]] bool is_running() const { return driver_ != nullptr; }
  [[nodiscard]] bool is_paused() const { return paused_at_.has_value(); }
  [[nodiscard]] bool is_stopping() const { return stopping_; }
  [[nodiscard]] bool link_is_up() const { return link_up_; }
  [[nodiscard]] bool kernel_holds_addresses() const { return holds_addresses_; }
  /// Only while running.
  [[nodiscard]] const vrrp::Instance& instance() const;
  [[nodiscard]] bool is_master() const {
    return is_running() && instance().state_name() == vrrp::StateName::master;
  }
  [[nodiscard]] std::string name() const { return address_.to_string(); }
  [[nodiscard]] World& world() const { return world_; }

 private:
  void received(const Bytes& packet);
  void wake(Wake::Cause cause, const std::vector<vrrp::Event>& events);
  void drain(Wake& wake);
  void send(std::span<const vrrp::SendAdvert* const> adverts,
            std::vector<vrrp::Event>& answers) override;
  void move(std::span<const vrrp::AddressMove> moves) override;
  void announce(std::span<const vrrp::Announce* const>, std::vector<vrrp::Event>&) override {}
  void tell(const vrrp::Action& action) override;
  void plan_wake();

  World& world_;
  Lan& lan_;
  core::Rng& rng_;
  Watcher& watcher_;
  vrrp::InstanceSettings settings_;
  core::IpAddress address_;
  std::size_t port_ = 0;

  std::unique_ptr<vrrp::Driver> driver_;
  std::deque<Bytes> socket_;
  std::optional<Instant> paused_at_;
  std::optional<Duration> paused_for_;  // until the first wake-up afterwards
  std::optional<vrrp::ResumeFromPage> page_;
  bool resuming_ = false;
  std::optional<Instant> planned_for_;
  std::uint64_t plan_ = 0;  // wake-ups planned by an older plan are void
  bool link_up_ = true;
  bool stopping_ = false;
  bool holds_addresses_ = false;
  bool kernel_refuses_ = false;
};

}  // namespace holdfast::sim
