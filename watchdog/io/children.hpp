// The two child processes with their channels and handover pages. Carries out what the supervisor
// wants and turns frames and deaths into its events. Decides nothing.
#pragma once

#include "core/result.hpp"
#include "runtime/channel.hpp"
#include "runtime/child.hpp"
#include "runtime/handover_page.hpp"
#include "runtime/unique_fd.hpp"
#include "watchdog/core/action.hpp"
#include "watchdog/core/event.hpp"
#include "watchdog/io/process.hpp"

#include <boost/asio/io_context.hpp>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace holdfast::watchdog {

class Children {
 public:
  /// `options` by role, all with the same run directory; `on_event` is never called from inside a
  /// call to this object.
  Children(boost::asio::io_context& io, std::array<runtime::ChildOptions, kRoles.size()> options,
           std::function<void(Event)> on_event);

  /// Called when a child was sent a signal that asks keepalived for a dump.
  void when_asked_for_dump(std::function<void(Role role, int signal_number)> callback) {
    on_dump_ = std::move(callback);
  }
  [[nodiscard]] core::Result<void> spawn(Role role);
  [[nodiscard]] core::Result<void> send(Role role, runtime::Frame frame);
  void strike(Role role, Blow blow);
  /// What every process looks like from outside now.
  [[nodiscard]] std::vector<Observed> observe() const;
  /// The vrrp child's mastership ends with what is about to be done: no successor resumes it.
  void make_page_void();
  /// This is the end: the next start is none after a crash.
  void remove_page();
  /// nullopt: no process.
  [[nodiscard]] std::optional<pid_t> pid(Role role) const;

 private:
  struct Slot {
    runtime::ChildOptions options;
    runtime::UniqueFd page;  // survives the processes
    std::unique_ptr<Process> process;
    std::unique_ptr<runtime::Channel> channel;
    bool takes_part = false;       // has committed: what it says is a sign that it serves
    core::Instant served_until{};  // the last such sign, of this process or the one before
  };

  void introduce_vrrp_to_checkers();
  void on_frame(Role role, const runtime::Frame& frame);
  void on_exit(Role role, ExitStatus status);
  [[nodiscard]] core::Result<void> make_page(Role role);
  [[nodiscard]] core::Result<runtime::UniqueFd> open_page(Role role);
  [[nodiscard]] std::optional<core::Instant> holds_until(Role role) const;
  [[nodiscard]] Slot& slot(Role role) { return slots_[static_cast<std::size_t>(role)]; }

  boost::asio::io_context& io_;
  std::array<Slot, kRoles.size()> slots_;
  std::optional<runtime::HandoverPage<runtime::VrrpRecord>> vrrp_page_;  // ours to look at
  bool page_is_a_file_ = false;
  std::function<void(Event)> on_event_;
  std::function<void(Role role, int signal_number)> on_dump_;
};

}  // namespace holdfast::watchdog
