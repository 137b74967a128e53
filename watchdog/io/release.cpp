#include "watchdog/io/release.hpp"

#include "netlink_reflector/devices.hpp"
#include "netlink_reflector/firewall.hpp"
#include "netlink_reflector/reflector.hpp"
#include "netlink_reflector/routing.hpp"
#include "runtime/child.hpp"
#include "runtime/clock.hpp"
#include "runtime/lock_file.hpp"
#include "runtime/log.hpp"
#include "runtime/process.hpp"
#include "runtime/syscall_filter.hpp"
#include "watchdog/core/exit_status.hpp"
#include "watchdog/messages.hpp"

#include <span>

namespace holdfast::watchdog {

namespace {

/// For a first complete look at a host whose interfaces come and go.
constexpr core::Duration kPatience = std::chrono::seconds(3);
constexpr core::Duration kLook = std::chrono::milliseconds(50);

core::Result<void> release(runtime::Logger& logger, const runtime::ChildOptions& asked) {
  // It reads what the kernel says about interfaces, no more and no less than a vrrp child.
  if (const auto confined = runtime::confine(runtime::Role::vrrp, asked.run_dir); !confined)
    logger.log(kPrivileges, "{}", confined.error().message);
  boost::asio::io_context io{1};
  netlink::ReflectorOptions options;
  options.run_dir = asked.run_dir;
  // Any account could show itself under our name; whoever has the lock is no keeper's neighbour.
  const auto lock = runtime::LockFile::acquire(asked.run_dir + "/vrrp.lock");
  if (asked.beside_vrrp || lock) options.company = netlink::Company::accepted;
  netlink::Reflector reflector(io, logger, options);
  if (auto loaded = reflector.load(); !loaded) return loaded;
  netlink::Routing routing(io, logger, reflector, asked.run_dir);
  if (auto loaded = routing.load(); !loaded) return loaded;
  netlink::Devices devices(io, logger, reflector, asked.run_dir);
  if (auto loaded = devices.load(); !loaded) return loaded;
  netlink::Firewall firewall(io, logger, reflector, asked.run_dir);
  // Nobody claims anything here: what is ours is left over and goes.
  const auto statics = asked.keep_static ? netlink::Statics::stay : netlink::Statics::go;
  routing.sweep_leftovers(statics);
  routing.flush();
  reflector.sweep_leftovers(statics);
  reflector.flush();
  const core::Instant give_up = runtime::now() + kPatience;
  while (!reflector.is_complete() && runtime::now() < give_up) io.run_for(kLook);
  firewall.sweep_leftovers();
  firewall.flush();
  io.poll();                                     // says what was done
  if (!asked.keep_static) devices.remove_all();  // a successor goes on with them
  if (!reflector.is_complete()) {
    return core::fail("links and addresses change faster than they can be read");
  }
  const std::size_t routes = routing.owned_count() - routing.staying_count();
  if (routes != 0)
    return core::fail("{} routes and rules of this director are still there", routes);
  const std::size_t addresses = reflector.owned_count() - reflector.staying_count();
  if (addresses != 0)
    return core::fail("{} addresses of this director are still on their interfaces", addresses);
  const auto has_table = firewall.has_leftovers();
  if (!has_table) return has_table.error();
  if (*has_table) return core::fail("the nftables table of this director is still there");
  return {};
}

}  // namespace

core::Result<std::unique_ptr<Process>> start_release(boost::asio::io_context& io,
                                                     const ReleaseRequest& request,
                                                     std::function<void(ExitStatus)> on_done) {
  runtime::ChildOptions options;
  options.role = "release";
  options.run_dir = request.run_dir;
  options.log = request.log;
  options.beside_vrrp = request.beside_vrrp;
  options.keep_static = request.keep_static;
  return Process::spawn(
      io, {.arguments = runtime::to_arguments(options), .fd3 = -1, .fd4 = -1, .fd5 = -1},
      std::move(on_done));
}

int run_release(std::span<const char* const> words) {
  const auto options = runtime::parse_child_arguments(words);
  runtime::Logger logger("release", options ? options->log : runtime::LogSettings{});
  core::Result<void> released = options ? release(logger, *options) : options.error();
  if (released) return to_int(ExitCode::ok);
  logger.log(kReleaseFailed, "cannot take the virtual addresses off: {}", released.error().message);
  return to_int(ExitCode::fatal);
}

}  // namespace holdfast::watchdog
