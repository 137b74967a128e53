// A connection to the system bus inside the loop: sd-bus speaks, this waits for it.
#pragma once

#include "core/result.hpp"
#include "runtime/loop.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <systemd/sd-bus.h>

namespace holdfast::legacy {

struct FreeSlot {
  void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};
using Slot = std::unique_ptr<sd_bus_slot, FreeSlot>;

class BusConnection {
 public:
  /// The bus is on this host: it answers within this, or is of no use.
  static constexpr core::Duration kPatience = std::chrono::seconds(5);

  /// `on_ready`: once, from the loop, when the bus has taken us. `on_lost`: once, from the loop,
  /// with the reason; the connection is of no use any more then.
  BusConnection(boost::asio::io_context& io, std::function<void()> on_ready,
                std::function<void(const std::string&)> on_lost);
  ~BusConnection();
  BusConnection(const BusConnection&) = delete;
  BusConnection& operator=(const BusConnection&) = delete;

  /// Only begins.
  [[nodiscard]] core::Result<void> open();
  /// Fails when another program has the name.
  [[nodiscard]] core::Result<void> take_name(const std::string& name);
  [[nodiscard]] sd_bus* bus() const { return bus_; }
  /// After something was sent or said: what waits is worked off, then it is waited again.
  void go_on();
  /// Waits until all is sent, a second at most.
  void flush();

 private:
  struct Life {};
  void wait(boost::asio::posix::stream_descriptor::wait_type type, bool& is_waiting);
  void lose(const std::string& why);

  std::function<void()> on_ready_;
  std::function<void(const std::string&)> on_lost_;
  boost::asio::posix::stream_descriptor readiness_;
  runtime::DeadlineTimer timer_;
  runtime::DeadlineTimer patience_;  // until it is ready
  sd_bus* bus_ = nullptr;
  bool waits_to_read_ = false;
  bool waits_to_write_ = false;
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
};

}  // namespace holdfast::legacy
