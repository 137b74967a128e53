// Hears of processes and tells the core what those that instances track say. Made by the daemon.
// Never waits: all processes are looked through in pieces, between the turns of the loop.
#pragma once

#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "vrrp/core/event.hpp"
#include "vrrp/core/process_checks.hpp"
#include "vrrp/io/process_connector.hpp"
#include "vrrp/io/process_files.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace holdfast::vrrp {

class ProcessTracker {
 public:
  /// Without the connector: how often all processes are looked through.
  static constexpr core::Duration kLookEvery = std::chrono::milliseconds(500);
  /// Processes that are looked at in one turn of the loop.
  static constexpr int kMostPerTurn = 64;
  /// Without the connector: of so many the end is known at once, of others by the next look.
  static constexpr std::size_t kMostWatched = 256;

  ProcessTracker(boost::asio::io_context& io, runtime::Logger& logger,
                 std::function<void(Event)> on_event);
  ~ProcessTracker();
  ProcessTracker(const ProcessTracker&) = delete;
  ProcessTracker& operator=(const ProcessTracker&) = delete;

  /// Those of a configuration that is in use.
  void follow(const std::vector<ProcessCheck>& checks);

 private:
  struct Life {};  // its weak_ptr tells a posted handler whether the tracker is still there
  struct Look {
    ProcessList list;
    std::set<ProcessNumber> seen;
  };

  void listen();
  void look();
  void go_on();
  void look_at(ProcessNumber process);
  void watch_counted();
  void watch(ProcessNumber process);
  void perform(const ProcessChecks::Actions& actions);

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  std::function<void(Event)> on_event_;
  ProcessChecks checks_;
  std::unique_ptr<ProcessConnector> connector_;
  bool has_tried_ = false;
  std::optional<Look> look_;
  bool again_ = false;  // something was lost during a look
  std::map<ProcessNumber, boost::asio::posix::stream_descriptor> watched_;
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
  runtime::DeadlineTimer timer_;
  runtime::DeadlineTimer look_again_;
};

}  // namespace holdfast::vrrp
