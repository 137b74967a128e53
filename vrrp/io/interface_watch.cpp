#include "vrrp/io/interface_watch.hpp"

#include "netlink_reflector/core/hearing.hpp"
#include "runtime/clock.hpp"
#include "vrrp/messages.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::vrrp {
namespace {

/// A router of version 2 hears who speaks behind an authentication header, too, be it only to say
/// so.
std::vector<PortKey> ports_of(const InstanceSettings& settings) {
  std::vector<PortKey> ports{{settings.interface, settings.family, Carrier::ip}};
  if (settings.version == 2) ports.push_back({settings.interface, settings.family, Carrier::ah});
  return ports;
}

}  // namespace

InterfaceStatus interface_status(const netlink::Reflector& reflector, const netlink::Link& link,
                                 const std::set<IpAddress>& addresses) {
  InterfaceStatus status{.exists = true, .up = link.is_usable(), .primary_address = {}};
  status.primary_address = reflector.primary_v4(link.index);
  status.link_local = reflector.link_local(link.index);
  for (const IpAddress& address : addresses) {
    if (reflector.is_usable(address, link.index)) status.own_addresses.push_back(address);
  }
  return status;
}

InterfaceWatch::InterfaceWatch(boost::asio::io_context& io, runtime::Logger& logger,
                               netlink::Reflector& reflector, netlink::Devices& devices,
                               AdvertPorts& ports,
                               std::function<void(const std::string&)> on_changed)
    : io_(io),
      logger_(logger),
      reflector_(reflector),
      devices_(devices),
      ports_(ports),
      on_changed_(std::move(on_changed)),
      first_frames_(io, logger, [this](const std::string& interface) { mark_dirty(interface); }),
      retry_(io,
             [this] {
               for (const std::string& name : std::set(without_socket_)) mark_dirty(name);
             }),
      settle_(io,
              [this] {
                for (const std::string& name : settling_.due(runtime::now())) mark_dirty(name);
              }),
      routes_(io, [this] { mark_dirty({}); }) {
  // The reflector belongs to the daemon and may outlive us: its callbacks ask first.
  const std::weak_ptr<Life> life = life_;
  reflector_.on_link([this, life](const netlink::LinkEvent& event) {
    if (life.lock()) on_link(event);
  });
  reflector_.on_address([this, life](const netlink::AddressEvent& event) {
    if (life.lock()) on_address(event);
  });
  devices_.on_changed([this, life](const std::string& parent) {
    if (life.lock()) mark_dirty(parent);
  });
}

void InterfaceWatch::watch(const std::vector<InstanceSettings>& settings,
                           const std::vector<const Instance*>& present) {
  watched_.clear();
  ask_host(settings, present);
  for (const InstanceSettings& each : settings) {
    const auto [watched, is_new] = watched_.try_emplace(each.interface);
    for (const PortKey& port : ports_of(each)) watched->second.ports.insert(port);
    watched->second.needs_ah = watched->second.needs_ah || each.has_header();
    watched->second.addresses.merge(addresses_to_watch(each));
    if (each.device) watched->second.devices.insert(each.device->name);
    if (is_new && !each.is_routed() && reflector_.link(each.interface) == nullptr)
      logger_.log(kNoInterface, "interface {} of vrrp_instance {} does not exist on this host",
                  each.interface, each.name);
  }
  for (const Instance* each : present) {
    const auto watched = watched_.find(each->settings().interface);
    if (watched == watched_.end()) continue;
    watched->second.addresses.merge(addresses_to_watch(each->settings()));
  }
  // After those of instances: of one that is only tracked nothing is heard.
  for (const InstanceSettings& each : settings) {
    for (const Tracker& tracker : each.trackers) {
      if (tracker.id.kind != TrackerKind::interface) continue;
      const auto [watched, is_new] = watched_.try_emplace(tracker.id.name);
      if (is_new) watched->second.is_tracked_only = true;
      if (is_new && reflector_.link(tracker.id.name) == nullptr)
        logger_.log(kNoTracked,
                    "interface {}, tracked by vrrp_instance {}, does not exist on this "
                    "host",
                    tracker.id.name, each.name);
    }
  }
  find_takers();
  watchers_.clear();
  for (const auto& [name, watched] : watched_) {
    for (const IpAddress& address : watched.addresses) watchers_.emplace(address, name);
  }
  std::erase_if(without_socket_, [&](const auto& name) { return !watched_.contains(name); });
}

// Thousands of addresses are gathered only where somebody asks.
void InterfaceWatch::ask_host(const std::vector<InstanceSettings>& settings,
                              const std::vector<const Instance*>& present) {
  host_ = {.addresses = {}, .peers = {}, .passing = {}, .known = std::move(host_.known)};
  const bool is_asked = std::ranges::any_of(settings, &InstanceSettings::is_routed);
  if (!is_asked) return;
  for (const InstanceSettings& each : settings) host_.add(each);
  for (const Instance* each : present) host_.add(each->settings());
}

std::vector<std::string> InterfaceWatch::names() const {
  std::vector<std::string> all;
  for (const auto& [name, wanted] : watched_) all.push_back(name);
  return all;
}

// ---- the kernel's news ----

void InterfaceWatch::on_link(const netlink::LinkEvent& event) {
  const auto look_at = [this](const netlink::Link& link) {
    mark_dirty(link.name);
    if (!netlink::may_take_frames(link)) return;
    find_takers();
    if (const netlink::Link* lower = reflector_.link(link.lower)) mark_dirty(lower->name);
  };
  if (const auto* changed = std::get_if<netlink::LinkChanged>(&event)) {
    look_at(changed->before);
    look_at(changed->after);
  } else if (const auto* appeared = std::get_if<netlink::LinkAppeared>(&event)) {
    look_at(appeared->link);
  } else if (const auto* vanished = std::get_if<netlink::LinkVanished>(&event)) {
    look_at(vanished->link);
  }
}

void InterfaceWatch::find_takers() {
  takers_.clear();
  for (netlink::Link& each : reflector_.links())
    if (netlink::may_take_frames(each)) takers_.push_back(std::move(each));
}

void InterfaceWatch::on_address(const netlink::AddressEvent& event) {
  const netlink::Address& address = netlink::address_of(event);
  const netlink::Link* link = reflector_.link(address.interface);
  if (link != nullptr) mark_dirty(link->name);
  const auto [first, last] = watchers_.equal_range(address.prefix.address);
  for (auto at = first; at != last; ++at) mark_dirty(at->second);  // on whatever interface it is
  if (!host_.peers.empty()) mark_dirty({});
}

// A burst of events (twenty addresses put in place) becomes one look at the interface.
void InterfaceWatch::mark_dirty(const std::string& interface) {
  if (!watched_.contains(interface)) return;
  const bool is_first = dirty_.empty();
  dirty_.insert(interface);
  if (!is_first) return;
  boost::asio::post(io_, [this, life = std::weak_ptr<Life>(life_)] {
    if (life.lock()) look_now();
  });
}

void InterfaceWatch::look_now() {
  for (const std::string& name : std::exchange(dirty_, {})) on_changed_(name);
}

InterfaceStatus InterfaceWatch::read_link(const netlink::Link& link, const Watched& watched) {
  InterfaceStatus status = interface_status(reflector_, link, watched.addresses);
  status.up = settling_.settle(link.name, status.up, runtime::now());
  // On the device of a VRF the kernel shows what comes in as if it went out: nothing is heard
  // there.
  if (!watched.is_tracked_only && link.kind != "vrf")
    first_frames_.see(link.name, link.index, link.is_usable());
  status.silent = first_frames_.is_silent(link.name);
  settle_.arm(settling_.deadline());
  std::vector<netlink::Link> others = takers_;
  if (const netlink::Link* master = reflector_.link(link.master)) others.push_back(*master);
  status.unheard = netlink::unheard_on(link, others);
  return status;
}

InterfaceStatus InterfaceWatch::read(const std::string& name) {
  const bool is_host = name.empty();
  const netlink::Link* link = reflector_.link(name);
  if (link == nullptr && !is_host) {
    without_socket_.erase(name);
    settling_.forget(name);
    first_frames_.forget(name);
    settle_.arm(settling_.deadline());
    return {};
  }
  const auto watched = watched_.find(name);
  if (watched == watched_.end())
    return is_host ? InterfaceStatus{} : interface_status(reflector_, *link, {});
  InterfaceStatus status =
      is_host ? host_status(reflector_, host_) : read_link(*link, watched->second);
  if (is_host) host_.known = status.sources_to;
  if (is_host && !host_.peers.empty()) routes_.arm(runtime::now() + kRoutesEvery);
  for (const std::string& device : watched->second.devices)
    if (std::string why = devices_.problem(device); !why.empty())
      status.device_troubles.emplace(device, std::move(why));
  bool complete = true;
  for (const PortKey& port : watched->second.ports) {
    const auto opened = ports_.open(port, is_host ? 0 : link->index);
    const auto deaf = deaf_.find(port);
    if (opened && deaf == deaf_.end()) continue;
    complete = false;
    if (!opened && noise_.admit(name, runtime::now()))
      logger_.log(kNoSocket, "{}", opened.error().message);
    if (port.carrier == Carrier::ah && !watched->second.needs_ah) continue;
    if (opened && !deaf->second.groups.empty()) {
      status.deaf_groups.insert(status.deaf_groups.end(), deaf->second.groups.begin(),
                                deaf->second.groups.end());
      continue;
    }
    (port.family == core::Family::v4 ? status.trouble : status.trouble_v6) =
        opened ? deaf->second.sentence : opened.error().message;
  }
  if (!complete) {
    look_again_later(name);
  } else if (without_socket_.erase(name) != 0 && without_socket_.empty()) {
    pause_ = kPause;
  }
  return status;
}

void InterfaceWatch::look_again_later(const std::string& interface) {
  const bool waits = !without_socket_.empty();
  without_socket_.insert(interface);
  if (waits && retry_.armed()) return;
  retry_.arm(runtime::now() + pause_);
  pause_ = std::min(2 * pause_, kLongestPause);
}

// ---- sockets ----

void InterfaceWatch::hear_for(const std::vector<const InstanceSettings*>& instances) {
  std::map<PortKey, Ears> wanted;
  for (const InstanceSettings* settings : instances) {
    const RouterKey key = settings->key();
    for (const PortKey& port : ports_of(*settings)) {
      Ears& ears = wanted[port];
      ears.vrids.insert(key.vrid);
      if (key.channel.is_multicast()) ears.groups.insert(key.channel);
    }
  }
  std::set<PortKey> in_use;
  std::map<PortKey, Deafness> deaf;
  for (auto& [port, ears] : wanted) {
    for (int any = 1; hears_strangers_ && any <= 255; ++any)
      ears.vrids.insert(static_cast<std::uint8_t>(any));
    in_use.insert(port);
    Deafness found = ports_.listen_to(port, ears);
    if (!found.sentence.empty()) deaf.emplace(port, std::move(found));
  }
  ports_.retain(in_use);
  note_deafness(std::move(deaf));
}

// What is new is told to the core at the next look at the interface.
void InterfaceWatch::note_deafness(std::map<PortKey, Deafness> found) {
  for (const auto& [port, deaf] : found) {
    if (noise_.admit(port.interface, runtime::now()))
      logger_.log(kNoSocket, "{}: {}", port.interface, deaf.sentence);
    look_again_later(port.interface);
    const auto known = deaf_.find(port);
    if (known == deaf_.end() || known->second != deaf) mark_dirty(port.interface);
  }
  for (const auto& [port, deaf] : std::exchange(deaf_, std::move(found))) {
    if (!deaf_.contains(port)) mark_dirty(port.interface);
  }
}

}  // namespace holdfast::vrrp
