// keepalived's D-Bus service: the tree of instances, their states as signals, a few methods. A
// program of its own, fed by a pipe of state lines: whatever the bus does, no advert waits for it.
#pragma once

#include "runtime/log.hpp"
#include "runtime/loop.hpp"

#include "legacy/dbus/connection.hpp"
#include "legacy/dbus/tree.hpp"
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::legacy {

class BusService {
 public:
  /// Between two tries to reach the bus.
  static constexpr core::Duration kPause = std::chrono::seconds(5);
  /// A reload is told while the VRRP process is still at it.
  static constexpr core::Duration kSettle = std::chrono::milliseconds(100);
  /// Status of thousands of instances is not asked for more often than this.
  static constexpr core::Duration kAskEvery = std::chrono::seconds(1);

  struct Settings {
    std::string service = "org.keepalived.Vrrp1";  ///< keepalived: dbus_service_name
    BusNames names;
    std::string run_dir;  ///< of the director
  };

  BusService(boost::asio::io_context& io, runtime::Logger& logger, Settings settings);

  void begin();
  /// A line of the pipe. Before begin(), and while there is no bus, it tells nothing.
  void take(std::string_view line);
  /// This program ends.
  void leave();

 private:
  struct Shown {
    BusService& service;
    std::string name;
    BusInstance what;
    Slot slot;
  };
  struct Vtables;

  void serve();
  void lose(const std::string& why);
  void refresh();
  void show(const std::string& name, const BusInstance& instance);
  void hide(const std::string& name);
  void tell_state(Shown& shown, State state);
  void tell(const char* signal);
  [[nodiscard]] core::Result<boost::json::object> ask(const char* process,
                                                      const boost::json::object& question,
                                                      core::Duration patience) const;
  int answer(sd_bus_message* message, sd_bus_error* error,
             const core::Result<boost::json::object>& outcome) const;

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  Settings settings_;
  std::map<std::string, std::unique_ptr<Shown>> shown_;
  std::unique_ptr<BusConnection> bus_;
  Slot slot_;  // of the object Vrrp
  runtime::DeadlineTimer again_;
  runtime::DeadlineTimer refresh_;
  std::optional<core::Instant> asked_at_;
  std::optional<std::int64_t> generation_;  // of what is shown
  bool is_served_ = false;
  std::string trouble_;  // said already
};

}  // namespace holdfast::legacy
