// One director: a machine with a kernel, a configuration file, a run directory and a service
// manager that starts holdfast again when it fails. Its processes run the real supervisor, router
// and keeper. The swarm breaks it; the oracles look at it.
#pragma once

#include "tests/sim/child.hpp"
#include "tests/sim/kernel.hpp"
#include "tests/sim/lan.hpp"
#include "tests/sim/page.hpp"
#include "tests/sim/watchdog.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::sim {

inline constexpr std::size_t kWires = 2;
[[nodiscard]] std::string interface_name(std::size_t wire);
/// A host may have two addresses of a family on a wire; those of IPv6 are link-local.
enum class Which : std::uint8_t { first, second };
[[nodiscard]] core::IpAddress own_address(std::size_t machine, std::size_t wire,
                                          core::Family family = core::Family::v4,
                                          Which which = Which::first);
[[nodiscard]] core::IpAddress ipv6(std::uint16_t first, std::size_t wire, std::uint16_t last);
/// What people have given the host before holdfast came.
struct Host {
  Kernel::Habits habits;
  bool has_second_addresses = false;
  /// Its VRRP is software that knows one checksum of version 3 over IPv4 and takes no other.
  std::optional<vrrp::ChecksumForm> only_form = {};
  /// After a boot its switch ports forward nothing for so long.
  Duration ports_open_after{};
  /// vrrp_listen_after_boot; zero: it does not.
  Duration listens_for{};
};

[[nodiscard]] std::vector<netlink::DesiredAddress> desired_addresses(
    const std::string& interface, const vrrp::AddressList& addresses);

class Machine {
 public:
  Machine(World& world, core::Rng& rng, std::array<Lan, kWires>& wires, Watcher& watcher,
          std::size_t number, const Host& host);

  // ---- people ----
  void start();
  void stop();
  void edit(File file) { file_ = std::move(file); }
  void reload();

  // ---- what breaks ----
  void pause_child(Process::Run how);
  void pause_watchdog();
  void pause_everything();
  void go_on();
  /// After so many more steps, at once with 0. Nothing happens when there is none.
  void kill_child(unsigned steps);
  void kill_child_at_move();
  void kill_watchdog(unsigned steps);
  void kill_everything();
  void power_off();
  /// The next vrrp process takes this long until its loop turns.
  void next_birth_takes(Duration birth) { next_birth_ = birth; }
  void let_sending_fail(bool fails) { sending_fails_ = fails; }
  /// What its scripts and files say from now on.
  void set_truth(const vrrp::TrackerId& tracker, vrrp::Verdict verdict);
  void lose_address(std::size_t wire, const core::IpAddress& address);
  /// As somebody who repairs it does; also those that went with it. IPv6 looks for duplicates
  /// first.
  void restore_addresses(std::size_t wire);

  // ---- for its processes ----
  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] core::Rng& rng() { return rng_; }
  [[nodiscard]] Kernel& kernel() { return kernel_; }
  [[nodiscard]] Page& page() { return page_; }
  [[nodiscard]] netlink::OwnedList& record() { return record_; }
  [[nodiscard]] const File& file() const { return file_; }
  [[nodiscard]] bool sending_fails() const { return sending_fails_; }
  /// Nothing at all has been received there since the boot, and the director waits for that.
  [[nodiscard]] bool is_silent(std::size_t wire) const;
  /// A frame's, a signal's.
  [[nodiscard]] Duration latency() const { return std::chrono::microseconds(100); }
  void spawn_child();
  [[nodiscard]] ReleaseProcess& spawn_release();
  void strike_child(int signal);
  void to_child(Frame frame);
  void to_watchdog(const Frame& frame);
  void sends(netlink::InterfaceIndex index, const Bytes& bytes);
  void note_advert(const core::RouterKey& key);

  // ---- for oracles ----
  /// Of a script or file; of a link as the kernel has it.
  [[nodiscard]] vrrp::Verdict truth_of(const vrrp::TrackerId& tracker) const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::size_t number() const { return number_; }
  [[nodiscard]] bool is_narrow() const { return host_.only_form.has_value(); }
  [[nodiscard]] std::vector<netlink::Address> own_addresses(std::size_t wire) const;
  [[nodiscard]] const Child* child() const { return child_.get(); }
  [[nodiscard]] const Watchdog* watchdog() const { return watchdog_.get(); }
  [[nodiscard]] const Kernel& kernel() const { return kernel_; }
  [[nodiscard]] const Page& page() const { return page_; }
  [[nodiscard]] bool is_wanted() const { return wanted_; }
  [[nodiscard]] bool has_release() const { return release_ != nullptr; }
  [[nodiscard]] std::size_t port(std::size_t wire) const { return ports_.at(wire); }
  /// When holdfast was started last, by people or the service manager.
  [[nodiscard]] Instant started_at() const { return started_at_; }
  /// The last packet of this router that left, by whichever process.
  [[nodiscard]] Instant last_packet(const core::RouterKey& key) const;
  /// It has ended by itself and left addresses.
  [[nodiscard]] bool has_littered() const { return has_littered_; }
  /// Since the last start some vrrp process has run a configuration, and swept.
  [[nodiscard]] bool has_begun() const { return watchdog_ && has_begun_; }
  /// A vrrp process runs a configuration and hears the kernel's news.
  [[nodiscard]] bool has_committed_child() const {
    return child_ && child_->runs() && child_->is_committed();
  }
  /// The last packet of any router.
  [[nodiscard]] Instant last_packet() const { return last_of_all_; }
  /// What was asked of it is so: nothing is starting, reloading, dying or stopped.
  [[nodiscard]] bool is_settled() const;

 private:
  void hears(std::size_t wire, const Bytes& bytes);
  void boot();
  [[nodiscard]] bool has_open_ports() const;
  [[nodiscard]] vrrp::ChecksumForm form_for(const core::IpAddress& destination) const;
  void child_ended(const ExitStatus& status);
  void watchdog_ended(const ExitStatus& status);
  void bury(std::unique_ptr<Process> process);
  void restart_when_gone();
  void run_service();

  World& world_;
  core::Rng& rng_;
  std::array<Lan, kWires>& wires_;
  Watcher& watcher_;
  std::size_t number_;
  std::string name_;
  Host host_;
  Kernel kernel_;
  std::array<std::size_t, kWires> ports_{};
  File file_;
  netlink::OwnedList record_;
  Page page_;
  std::unique_ptr<Watchdog> watchdog_;
  std::unique_ptr<Child> child_;
  std::unique_ptr<ReleaseProcess> release_;
  std::vector<std::unique_ptr<Process>> graves_;
  std::map<core::RouterKey, Instant> last_packet_;
  Instant last_of_all_{};
  std::optional<Instant> booted_at_;
  std::array<bool, kWires> has_received_{};
  bool wanted_ = false;
  bool is_off_ = false;
  bool sending_fails_ = false;
  bool has_littered_ = false;
  bool has_begun_ = false;
  std::optional<Duration> next_birth_;
  vrrp::Verdicts truth_;
  std::uint64_t run_ = 0;  // starts planned for an older run are void
  Instant started_at_{};
};

}  // namespace holdfast::sim
