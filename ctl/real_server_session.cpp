#include "ctl/real_server_session.hpp"

#include "runtime/small_file.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace holdfast::ctl {
namespace {

constexpr std::size_t kLongestRecord = std::size_t{1} << 20;
/// Units for several addresses start at the same time.
constexpr auto kPatience = std::chrono::seconds(10);

}  // namespace

core::Result<RealServerSession> RealServerSession::open(std::string run_dir) {
  while (run_dir.size() > 1 && run_dir.ends_with('/')) run_dir.pop_back();
  const std::string path = run_dir + "-real-server.json";
  auto lock = runtime::LockFile::acquire(run_dir + "-real-server.lock", kPatience);
  if (!lock && lock.error().system_errno == EAGAIN)
    return core::fail("another `holdfastctl real-server` is at work on this host");
  if (!lock) return lock.error();
  auto host = RealServerHost::open();
  if (!host) return host.error();
  RealServerSession session(path, std::move(*lock), std::move(*host));
  if (const auto loaded = session.load(); !loaded) return loaded.error();
  return session;
}

core::Result<void> RealServerSession::load() {
  const auto text = runtime::read_small_file(path_, kLongestRecord, runtime::Owner::ours);
  if (!text && text.error().system_errno == ENOENT) {
    record_.network_namespace = RealServerHost::network_namespace();
    return {};
  }
  if (!text) return text.error();
  auto record = parse_record(*text);
  if (!record) {
    return core::fail("{}: {}. Remove the file when nothing is to be given back", path_,
                      record.error().message);
  }
  if (record->network_namespace != RealServerHost::network_namespace()) {
    return core::fail("{} is about another network namespace: give each one a --run-dir of its own",
                      path_);
  }
  record_ = std::move(*record);
  return {};
}

core::Result<void> RealServerSession::save() const {
  constexpr mode_t kOursAlone = 0600;
  if (!record_.is_empty()) return runtime::replace_file(path_, write_record(record_), kOursAlone);
  std::error_code ignored;  // it was never there
  std::filesystem::remove(path_, ignored);
  return {};
}

core::Result<void> RealServerSession::raise(const TunnelDevice& device) {
  auto devices = host_.devices();
  if (!devices) return devices.error();
  bool created = false;
  if (!devices->contains(device.name)) {
    const auto made = host_.create_tunnel(device);
    if (!made) return made.error();
    created = *made;
  }
  if (!record_.is_tunnel(device.name)) {
    const auto at = devices->find(device.name);
    RaisedDevice raised{device.name, created, at != devices->end() && at->second.up};
    if (device.kind == "ip6tnl") {
      const auto protocol = RealServerHost::tunnel_protocol(device.name);
      if (!protocol) return protocol.error();
      raised.protocol = *protocol;
    }
    record_.devices.push_back(std::move(raised));
    if (const auto saved = save(); !saved) return saved;
  }
  if (device.kind == "ip6tnl") {
    if (const auto both = RealServerHost::set_tunnel_protocol(device.name, 0); !both) return both;
  }
  return RealServerHost::set_up(device.name, true);
}

core::Result<void> RealServerSession::open_gue(std::uint16_t port) {
  if (record_.gue_port == port) return {};
  if (record_.gue_port)
    return core::fail("UDP port {} is in use for this already: take its addresses down first",
                      *record_.gue_port);
  const auto opened = RealServerHost::open_gue(port);
  if (!opened) return opened.error();
  if (!*opened) return {};
  record_.gue_port = port;
  return save();
}

core::Result<void> RealServerSession::hold(const core::IpAddress& address,
                                           const std::string& device) {
  const auto devices = host_.devices();
  if (!devices) return devices.error();
  bool is_there = false;
  for (const auto& [name, found] : *devices) {
    if (std::ranges::find(found.addresses, address) == found.addresses.end()) continue;
    if (name != device) {
      return core::fail("{} is on {} already: take it off there first", address.to_string(), name);
    }
    is_there = true;
  }
  const auto at = devices->find(device);
  if (at == devices->end()) return core::fail("there is no interface {}", device);
  if (!at->second.silent) {
    return core::fail(
        "{} is a network interface: this host would answer ARP for {} there. Use lo, a tunnel or a "
        "dummy device",
        device, address.to_string());
  }
  const HeldAddress* held = record_.find(address);
  if (held != nullptr && held->device != device) {
    return core::fail("{} is to be on {}: take it down there first", address.to_string(),
                      held->device);
  }
  const bool is_new = held == nullptr;
  if (is_new) record_.addresses.push_back({address, device, is_there});
  auto done = set_switches(wanted_switches(record_));
  if (done) done = save();
  if (done) done = host_.add_address(address, device);
  if (!done && is_new) record_.addresses.pop_back();
  return done;
}

core::Result<void> RealServerSession::set_switches(const std::vector<WantedSwitch>& wanted) {
  for (const WantedSwitch& one : wanted) {
    const auto now = RealServerHost::read_switch(one.path);
    if (!now) return core::fail("this kernel has no /proc/sys/net/{}", one.path);
    if (one.accepts(*now)) continue;
    if (record_.find_switch(one.path) == nullptr)
      record_.switches.push_back({one.path, *now, one.good.front()});
    if (const auto saved = save(); !saved) return saved;
    if (const auto set = RealServerHost::write_switch(one.path, one.good.front()); !set) return set;
  }
  return {};
}

core::Result<void> RealServerSession::release(const core::IpAddress& address) {
  const HeldAddress* held = record_.find(address);
  if (held == nullptr) return {};
  if (!held->found) {
    if (const auto gone = host_.remove_address(address, held->device); !gone) return gone;
  }
  std::erase_if(record_.addresses, [&](const HeldAddress& one) { return one.address == address; });
  return save();
}

core::Result<void> RealServerSession::give_back(std::vector<std::string>& left) {
  if (const auto lowered = lower_devices(); !lowered) return lowered;
  if (const auto restored = restore_switches(left); !restored) return restored;
  return save();
}

core::Result<void> RealServerSession::lower_devices() {
  const auto is_used = [&](const RaisedDevice& device) {
    return std::ranges::find(record_.addresses, device.name, &HeldAddress::device) !=
           record_.addresses.end();
  };
  for (const RaisedDevice& device : record_.devices) {
    if (is_used(device)) continue;
    if (const auto lowered = lower(device); !lowered) return lowered;
  }
  std::erase_if(record_.devices, [&](const RaisedDevice& device) { return !is_used(device); });
  if (record_.devices.empty() && record_.gue_port) {
    if (const auto closed = RealServerHost::close_gue(*record_.gue_port); !closed) return closed;
    record_.gue_port.reset();
  }
  return {};
}

core::Result<void> RealServerSession::lower(const RaisedDevice& device) {
  if (device.created) return host_.remove_device(device.name);
  core::Result<void> done;
  if (device.protocol) done = RealServerHost::set_tunnel_protocol(device.name, *device.protocol);
  if (done && !device.was_up) done = RealServerHost::set_up(device.name, false);
  return done;
}

core::Result<void> RealServerSession::restore_switches(std::vector<std::string>& left) {
  const std::vector<WantedSwitch> wanted = wanted_switches(record_);
  const auto is_needed = [&](const ChangedSwitch& one) {
    return std::ranges::find(wanted, one.path, &WantedSwitch::path) != wanted.end();
  };
  for (const ChangedSwitch& one : record_.switches) {
    if (is_needed(one)) continue;
    const auto now = RealServerHost::read_switch(one.path);
    if (!now) continue;  // gone with its device
    if (*now != one.set) {
      left.push_back(
          fmt::format("/proc/sys/net/{} is {} now, not our {}: it stays", one.path, *now, one.set));
      continue;
    }
    if (const auto back = RealServerHost::write_switch(one.path, one.found); !back) return back;
  }
  std::erase_if(record_.switches, [&](const ChangedSwitch& one) { return !is_needed(one); });
  return {};
}

}  // namespace holdfast::ctl
