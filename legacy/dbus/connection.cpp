#include "legacy/dbus/connection.hpp"

#include "runtime/clock.hpp"

#include <cerrno>
#include <poll.h>
#include <utility>

namespace holdfast::legacy {
namespace {

/// How long the end of this program may wait for the bus.
constexpr core::Duration kFarewell = std::chrono::seconds(1);

}  // namespace

BusConnection::BusConnection(boost::asio::io_context& io, std::function<void()> on_ready,
                             std::function<void(const std::string&)> on_lost)
    : on_ready_(std::move(on_ready)),
      on_lost_(std::move(on_lost)),
      readiness_(io),
      timer_(io, [this] { go_on(); }),
      patience_(io, [this] { lose("the system bus does not answer"); }) {}

BusConnection::~BusConnection() {
  if (readiness_.is_open()) readiness_.release();  // the descriptor is sd-bus's
  if (bus_ != nullptr) sd_bus_close_unref(bus_);
}

core::Result<void> BusConnection::open() {
  if (const int error = sd_bus_open_system(&bus_); error < 0)
    return core::fail_errno(-error, "cannot reach the system bus");
  sd_bus_set_method_call_timeout(bus_, static_cast<std::uint64_t>(kPatience.count()));
  readiness_.assign(sd_bus_get_fd(bus_));
  patience_.arm(runtime::now() + kPatience);
  go_on();
  return {};
}

core::Result<void> BusConnection::take_name(const std::string& name) {
  const int error = sd_bus_request_name(bus_, name.c_str(), 0);
  if (error == -EEXIST)
    return core::fail("another program has the name {} on the system bus", name);
  if (error == -EPERM || error == -EACCES)
    return core::fail("the policy of the system bus does not let this program have the name {}",
                      name);
  if (error < 0) return core::fail_errno(-error, "cannot have the name {} on the system bus", name);
  return {};
}

void BusConnection::go_on() {
  int worked = 0;
  do worked = sd_bus_process(bus_, nullptr);
  while (worked > 0);
  const int events = worked < 0 ? worked : sd_bus_get_events(bus_);
  if (events < 0) return lose(std::generic_category().message(-events));
  using Descriptor = boost::asio::posix::stream_descriptor;
  wait(Descriptor::wait_read, waits_to_read_);
  if ((events & POLLOUT) != 0) wait(Descriptor::wait_write, waits_to_write_);
  std::uint64_t until = 0;
  const bool has_deadline =
      sd_bus_get_timeout(bus_, &until) >= 0 && until != std::numeric_limits<std::uint64_t>::max();
  timer_.arm(has_deadline ? std::optional(core::Instant{core::Duration(until)}) : std::nullopt);
  if (!on_ready_ || sd_bus_is_ready(bus_) <= 0) return;
  patience_.arm(std::nullopt);
  std::exchange(on_ready_, {})();
}

void BusConnection::wait(boost::asio::posix::stream_descriptor::wait_type type, bool& is_waiting) {
  if (std::exchange(is_waiting, true)) return;
  readiness_.async_wait(type, [this, &is_waiting,
                               life = std::weak_ptr<Life>(life_)](boost::system::error_code error) {
    if (!life.lock() || error) return;
    is_waiting = false;
    go_on();
  });
}

void BusConnection::lose(const std::string& why) {
  timer_.arm(std::nullopt);
  patience_.arm(std::nullopt);
  if (on_lost_) std::exchange(on_lost_, {})(why);
}

void BusConnection::flush() {
  const core::Instant end = runtime::now() + kFarewell;
  while (true) {
    const int worked = sd_bus_process(bus_, nullptr);
    if (worked > 0) continue;
    const bool waits = worked == 0 && (sd_bus_get_events(bus_) & POLLOUT) != 0;
    const core::Duration rest = end - runtime::now();
    if (!waits || rest <= core::Duration{}) return;
    sd_bus_wait(bus_, static_cast<std::uint64_t>(rest.count()));
  }
}

}  // namespace holdfast::legacy
