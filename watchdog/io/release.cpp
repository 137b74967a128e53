#include "watchdog/io/release.hpp"

#include "config/load.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/child.hpp"
#include "runtime/log.hpp"
#include "runtime/sealed_memfd.hpp"
#include "watchdog/core/exit_status.hpp"
#include "watchdog/messages.hpp"

#include <csignal>
#include <span>
#include <sys/prctl.h>

namespace holdfast::watchdog {

namespace {

constexpr int kSnapshotFd = 3;

std::vector<netlink::DesiredAddress> virtual_addresses(const config::Model& model) {
  std::vector<netlink::DesiredAddress> all;
  const auto append = [&all](const config::VirtualAddress& address) {
    all.push_back({.interface = address.interface,
                   .prefix = address.prefix,
                   .label = address.label,
                   .broadcast = address.broadcast,
                   .scope = address.scope});
  };
  for (const config::VrrpInstance& instance : model.instances) {
    for (const auto& address : instance.virtual_addresses) append(address);
    for (const auto& address : instance.virtual_addresses_excluded) append(address);
  }
  return all;
}

core::Result<void> release(runtime::Logger& logger) {
  const auto bytes = runtime::read_sealed_memfd(kSnapshotFd);
  if (!bytes) return bytes.error();
  const auto parsed = config::parse_snapshot_bytes(*bytes);
  if (!parsed) return parsed.error();
  const auto addresses = virtual_addresses(parsed->model);

  boost::asio::io_context io{1};
  netlink::Reflector reflector(io, logger);
  if (auto loaded = reflector.load(); !loaded) return loaded;
  // Claimed by an owner that holds nothing: whatever is there is left over and goes.
  const core::RouterKey nobody;
  reflector.claim(nobody, addresses);
  for (const netlink::HeldAddress& address : reflector.publication(nobody).addresses)
    if (address.held) logger.log(kReleasing, "taking off {}", netlink::describe(address.desired));
  reflector.release(nobody);
  reflector.flush();
  for (const netlink::HeldAddress& address : reflector.publication(nobody).addresses) {
    if (address.held)
      return core::fail("{} is still there. {}", netlink::describe(address.desired),
                        address.problem);
  }
  return {};
}

}  // namespace

core::Result<std::unique_ptr<Process>> start_release(boost::asio::io_context& io, int snapshot,
                                                     const runtime::LogSettings& log,
                                                     std::function<void(ExitStatus)> on_done) {
  runtime::ChildOptions options;
  options.role = "release";
  options.log = log;
  return Process::spawn(
      io, {.arguments = runtime::to_arguments(options), .fd3 = snapshot, .fd4 = -1, .fd5 = -1},
      std::move(on_done));
}

int run_release(std::span<const char* const> words) {
  const auto options = runtime::parse_child_arguments(words);
  runtime::Logger logger("release", options ? options->log : runtime::LogSettings{});
  core::Result<void> released = options ? release(logger) : options.error();
  if (released) return to_int(ExitCode::ok);
  logger.log(kReleaseFailed, "cannot take the virtual addresses off: {}", released.error().message);
  return to_int(ExitCode::fatal);
}

}  // namespace holdfast::watchdog
