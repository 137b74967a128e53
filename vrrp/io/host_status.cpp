#include "vrrp/io/host_status.hpp"

#include "vrrp/io/route_source.hpp"

#include <vector>

namespace holdfast::vrrp {
namespace {

bool is_passing(const netlink::Reflector& reflector, const HostQuestion& question,
                const IpAddress& address) {
  return question.passing.contains(address) && reflector.is_ours(address);
}

/// An address of the links that hold `chosen`, which is virtual: in the network of the peer if
/// there is one, otherwise the first.
std::optional<IpAddress> beside(const netlink::Reflector& reflector, const HostQuestion& question,
                                const IpAddress& chosen, const IpAddress& peer) {
  constexpr std::uint32_t kUnfit =
      netlink::kFlagTentative | netlink::kFlagDadFailed | netlink::kFlagDeprecated;
  std::optional<IpAddress> first;
  for (const netlink::Link& link : reflector.links()) {
    if (!reflector.holds(link.index, chosen)) continue;
    for (const netlink::Address& each : reflector.addresses(link.index)) {
      const IpAddress& address = each.prefix.address;
      if (address.is_v4() != peer.is_v4() || each.scope != core::kScopeGlobal ||
          (each.flags & kUnfit) != 0 || is_passing(reflector, question, address))
        continue;
      if (each.prefix.contains(peer)) return address;
      if (!first) first = address;
    }
  }
  return first;
}

/// The kernel prefers the newest of equal IPv6 addresses, and the one whose prefix has the peer:
/// that may be a virtual one.
std::optional<IpAddress> stand_in(const netlink::Reflector& reflector, const HostQuestion& question,
                                  const IpAddress& chosen, const IpAddress& peer) {
  if (const auto other = beside(reflector, question, chosen, peer)) return other;
  const auto known = question.known.find(peer);
  const bool still_there = known != question.known.end() && reflector.is_usable(known->second, 0) &&
                           !is_passing(reflector, question, known->second);
  return still_there ? std::optional(known->second) : std::nullopt;
}

}  // namespace

std::set<IpAddress> addresses_to_watch(const InstanceSettings& settings) {
  std::set<IpAddress> all;
  if (settings.source_address) all.insert(*settings.source_address);
  if (settings.unicast) {
    for (const UnicastPeer& peer : settings.unicast->peers) all.insert(peer.address);
  }
  return all;
}

void HostQuestion::add(const InstanceSettings& settings) {
  const AddressList all = settings.all_addresses();
  for (const VirtualAddress& each : all) passing.insert(each.prefix.address);
  if (!settings.is_routed()) return;
  addresses.merge(addresses_to_watch(settings));
  if (settings.source_address || !settings.unicast) return;
  for (const UnicastPeer& peer : settings.unicast->peers) peers.insert(peer.address);
}

InterfaceStatus host_status(const netlink::Reflector& reflector, const HostQuestion& question) {
  InterfaceStatus status{.exists = true, .up = true, .primary_address = {}};
  for (const IpAddress& address : question.addresses) {
    if (reflector.is_usable(address, 0)) status.own_addresses.push_back(address);
  }
  for (const IpAddress& peer : question.peers) {
    const auto chosen = source_towards(peer);
    if (!chosen) continue;
    const auto source = is_passing(reflector, question, *chosen)
                            ? stand_in(reflector, question, *chosen, peer)
                            : chosen;
    if (source)
      status.sources_to.emplace(peer, *source);
    else
      status.virtual_sources_to.emplace(peer, *chosen);
  }
  return status;
}

}  // namespace holdfast::vrrp
