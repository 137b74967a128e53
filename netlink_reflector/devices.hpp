// The only maker of virtual interfaces: a daemon says which ones virtual routers live on; they are
// made before anybody needs them, made again when somebody deletes them or takes them down, and
// deleted when nobody wants them any more and no address is on them. What is ours carries an alias
// of ours in the kernel, with the run directory and its number, so that directors of containers
// with one network leave each other's alone; an interface of that name that is something else is
// never touched. Beside the Reflector, whose mirror it reads.
#pragma once

#include "core/time.hpp"
#include "netlink_reflector/borrowed_settings.hpp"
#include "netlink_reflector/core/devices.hpp"
#include "netlink_reflector/requests.hpp"
#include "runtime/loop.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace holdfast::runtime {
class Logger;
}

namespace holdfast::netlink {

class Reflector;

/// For status.
struct DeviceState {
  DesiredDevice device;
  std::string problem;  ///< Empty: it is there.
  bool is_ours = false;
  std::uint64_t repairs = 0;
};

class Devices {
 public:
  /// A device that nobody wants any more waits so long for its addresses to go.
  static constexpr core::Duration kPatience = std::chrono::seconds(5);
  /// Deleting one takes the kernel milliseconds: so long in one turn. Each end wakes us again.
  static constexpr core::Duration kAtOnce = std::chrono::milliseconds(5);
  static constexpr core::Duration kPause = std::chrono::seconds(1);
  static constexpr core::Duration kLongestPause = std::chrono::minutes(1);

  /// `run_dir`: where `vrrp.settings` lists what settings of others were; empty: nowhere, for
  /// tests. The reflector outlives this.
  Devices(boost::asio::io_context& io, runtime::Logger& logger, Reflector& reflector,
          const std::string& run_dir);
  Devices(const Devices&) = delete;
  Devices& operator=(const Devices&) = delete;

  /// Opens a socket and reads the record. Call once, after Reflector::load().
  [[nodiscard]] core::Result<void> load();
  /// Another problem, or none any more, with a device above this interface.
  void on_changed(std::function<void(const std::string& parent)> callback);
  /// A device that had to wait for a former name of it to go is up: nobody has been told of what is
  /// on it. Comes from within follow() or the reflector's work.
  void on_up(std::function<void(const std::string& device)> callback);

  /// These, and no others. What can be made is there when this returns. Those that are no longer
  /// among them go when their addresses have gone.
  void follow(std::vector<DesiredDevice> wanted);
  /// Before follow(): on these interfaces the kernel keeps the other addresses of a prefix when the
  /// first one goes, until they are no longer named here. keepalived: promote_secondaries.
  void promote_secondaries(std::set<std::string> interfaces) { promoting_ = std::move(interfaces); }
  /// For the end: all go now, with what is on them, and settings of others are as they were.
  void remove_all();

  /// Empty: there is such a device, and it works as far as the interface below does.
  [[nodiscard]] std::string problem(const std::string& name) const;
  /// Those that are there and carry our mark.
  [[nodiscard]] std::vector<DesiredDevice> ours() const;
  /// nullopt: nobody wants one of that name.
  [[nodiscard]] std::optional<DeviceState> state(const std::string& name) const;

 private:
  struct Life {};  // its weak_ptr tells callbacks whether this is still there
  struct Kept {
    DesiredDevice device;
    std::string problem;
    std::uint64_t repairs = 0;
    InterfaceIndex prepared = 0;  // whose settings were written last
    bool is_new = true;           // not seen as it should be yet
    bool is_made = false;         // by us, just now
    bool waits = false;           // for another name of it to go: that is no reason to stop
  };

  void work();
  [[nodiscard]] bool improve(Kept& kept);
  [[nodiscard]] bool create(Kept& kept, const Link& parent);
  [[nodiscard]] bool set_up(Kept& kept, const Link& device);
  void know_marks();
  [[nodiscard]] bool is_ours(const Link& link) const;
  /// The name of the one that it waits for; empty: there is none.
  [[nodiscard]] std::string former_of(const DesiredDevice& device) const;
  void remove_unwanted();
  void remove(const Link& device);
  [[nodiscard]] bool remove_together(const std::vector<Link>& devices);
  void borrow();
  [[nodiscard]] OtherBorrowers other_borrowers() const;
  void set_problem(Kept& kept, std::string problem);
  void complain(const core::Error& error);
  [[nodiscard]] StepResult ask(const Requests::Append& append);

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  Reflector& reflector_;
  std::string run_dir_;
  std::string mark_;
  std::set<std::string> marks_;               // ours, and of predecessors that live no more
  std::set<InterfaceIndex> of_old_versions_;  // there at the start, with a mark without a number
  BorrowedSettings borrowed_;
  std::optional<Requests> requests_;
  std::map<std::string, Kept> kept_;
  std::set<std::string> promoting_;
  std::map<InterfaceIndex, core::Instant> unwanted_;  // since when
  std::function<void(const std::string&)> on_changed_;
  std::function<void(const std::string&)> on_up_;
  core::Duration pause_ = kPause;
  bool follows_ = false;
  bool works_ = false;
  bool is_refused_ = false;
  std::set<std::string> complaints_;  // said already
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
  runtime::DeadlineTimer timer_;
};

}  // namespace holdfast::netlink
