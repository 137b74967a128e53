#include "legacy/dbus/connection.hpp"

#include "runtime/clock.hpp"

#include <cerrno>
#include <poll.h>
#include <utility>

namespace holdfast::legacy {
namespace {

/// For each answer of the bus itself: it is on this host.
constexpr core::Duration kPatience = std::chrono::seconds(5);

}  // namespace

BusConnection::BusConnection(boost::asio::io_context& io,
                             std::function<void(const std::string&)> on_lost)
    : on_lost_(std::move(on_lost)), readiness_(io), timer_(io, [this] { go_on(); }) {}

BusConnection::~BusConnection() {
  if (readiness_.is_open()) readiness_.release();  // the descriptor is sd-bus's
  if (bus_ != nullptr) sd_bus_close_unref(bus_);
}

core::Result<void> BusConnection::open() {
  if (const int error = sd_bus_open_system(&bus_); error < 0)
    return core::fail_errno(-error, "cannot reach the system bus");
  sd_bus_set_method_call_timeout(bus_, static_cast<std::uint64_t>(kPatience.count()));
  // It is connected when it has told us our name there.
  const char* unique = nullptr;
  if (const int error = sd_bus_get_unique_name(bus_, &unique); error < 0)
    return core::fail_errno(-error, "the system bus does not take us");
  readiness_.assign(sd_bus_get_fd(bus_));
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
  if (worked < 0) return lose(-worked);
  const int events = sd_bus_get_events(bus_);
  if (events < 0) return lose(-events);
  using Descriptor = boost::asio::posix::stream_descriptor;
  wait(Descriptor::wait_read, waits_to_read_);
  if ((events & POLLOUT) != 0) wait(Descriptor::wait_write, waits_to_write_);
  std::uint64_t until = 0;
  const bool has_deadline =
      sd_bus_get_timeout(bus_, &until) >= 0 && until != std::numeric_limits<std::uint64_t>::max();
  timer_.arm(has_deadline ? std::optional(core::Instant{core::Duration(until)}) : std::nullopt);
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

void BusConnection::lose(int error) {
  timer_.arm(std::nullopt);
  if (on_lost_) std::exchange(on_lost_, {})(std::generic_category().message(error));
}

void BusConnection::flush() {
  sd_bus_flush(bus_);
}

}  // namespace holdfast::legacy
