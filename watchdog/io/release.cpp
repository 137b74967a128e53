#include "watchdog/io/release.hpp"

#include "config/load.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/log.hpp"
#include "runtime/sealed_memfd.hpp"
#include "watchdog/core/exit_status.hpp"

#include <csignal>
#include <cstdio>
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

int complain(const std::string& sentence) {
  std::fputs(("holdfast: cannot release the virtual addresses: " + sentence + "\n").c_str(),
             stderr);
  return to_int(ExitCode::fatal);
}

}  // namespace

core::Result<std::unique_ptr<Process>> start_release(boost::asio::io_context& io, int snapshot,
                                                     std::function<void(ExitStatus)> on_done) {
  return Process::spawn(io, {.arguments = {"--role=release"}, .fd3 = snapshot, .fd4 = -1},
                        std::move(on_done));
}

int run_release() {
  const auto bytes = runtime::read_sealed_memfd(kSnapshotFd);
  if (!bytes) return complain(bytes.error().message);
  const auto snapshot = config::from_bytes(
      std::span(reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size()));
  if (!snapshot) return complain(snapshot.error().message);
  const auto addresses = virtual_addresses(config::parse_snapshot(*snapshot).model);

  boost::asio::io_context io{1};
  runtime::Logger logger("release", {});
  netlink::Reflector reflector(io, logger);
  if (const auto loaded = reflector.load(); !loaded) return complain(loaded.error().message);
  // Claimed by an owner that holds nothing: whatever is there is left over and goes.
  reflector.claim("release", addresses);
  reflector.release("release");
  reflector.flush();
  for (const netlink::HeldAddress& address : reflector.publication("release").addresses) {
    if (address.held)
      return complain(fmt::format("{} is still there. {}", netlink::describe(address.desired),
                                  address.problem));
  }
  return to_int(ExitCode::ok);
}

}  // namespace holdfast::watchdog
