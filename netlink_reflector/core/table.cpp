#include "netlink_reflector/core/table.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace holdfast::netlink {
namespace {

core::IpAddress network_of(const core::IpAddress& address, std::uint8_t length) {
  std::array<std::uint8_t, 16> masked{};
  std::size_t bits = length;
  std::size_t at = 0;
  for (const std::uint8_t byte : address.bytes()) {
    const std::size_t kept = std::min<std::size_t>(bits, 8);
    masked.at(at++) = static_cast<std::uint8_t>(byte & (0xff00u >> kept));
    bits -= kept;
  }
  return *core::IpAddress::from_bytes(std::span(masked).first(address.bytes().size()));
}

bool is_source_candidate(const Address& address, core::Family family,
                         std::span<const core::IpAddress> excluded) {
  const core::IpAddress& local = address.prefix.address;
  if (local.family() != family) return false;
  if (family == core::Family::v6 &&
      (!local.is_link_local() || (address.flags & (kFlagTentative | kFlagDadFailed)) != 0)) {
    return false;
  }
  return std::find(excluded.begin(), excluded.end(), local) == excluded.end();
}

}  // namespace

std::string_view to_string(OperState state) {
  switch (state) {
    case OperState::unknown:
      return "unknown";
    case OperState::not_present:
      return "not present";
    case OperState::down:
      return "down";
    case OperState::lower_layer_down:
      return "lower layer down";
    case OperState::testing:
      return "testing";
    case OperState::dormant:
      return "dormant";
    case OperState::up:
      return "up";
  }
  return "unknown";
}

AddressKey Address::key() const {
  if (!prefix.address.is_v4()) return {interface, prefix.address, 0, {}};
  return {interface, prefix.address, prefix.length,
          network_of(peer.value_or(prefix.address), prefix.length)};
}

const Address& address_of(const AddressEvent& event) {
  if (const auto* changed = std::get_if<AddressChanged>(&event)) return changed->after;
  const auto* appeared = std::get_if<AddressAppeared>(&event);
  return appeared != nullptr ? appeared->address : std::get<AddressVanished>(event).address;
}

bool share_subnet(const AddressKey& one, const AddressKey& other) {
  return one.interface == other.interface && one.address.is_v4() && other.address.is_v4() &&
         one.length == other.length && one.network == other.network;
}

std::optional<LinkEvent> LinkTable::upsert(Link link) {
  // Whoever is reported under a name has it now, also when nothing else is new: after lost events
  // the name may still belong to another interface here, or to none.
  by_name_.insert_or_assign(link.name, link.index);
  const auto found = links_.find(link.index);
  if (found == links_.end()) {
    const auto placed = links_.emplace(link.index, Entry{std::move(link), true}).first;
    return LinkAppeared{placed->second.link};
  }
  Entry& entry = found->second;
  entry.seen = true;
  if (entry.link == link) return std::nullopt;
  if (entry.link.name != link.name) forget_name(entry.link);
  LinkChanged event{std::move(entry.link), std::move(link)};
  entry.link = event.after;
  return event;
}

std::optional<LinkEvent> LinkTable::remove(InterfaceIndex index) {
  const auto found = links_.find(index);
  if (found == links_.end()) return std::nullopt;
  LinkVanished event{std::move(found->second.link)};
  forget_name(event.link);
  links_.erase(found);
  return event;
}

// The name may belong to a younger interface by now, when events about this one were lost.
void LinkTable::forget_name(const Link& link) {
  const auto named = by_name_.find(link.name);
  if (named != by_name_.end() && named->second == link.index) by_name_.erase(named);
}

void LinkTable::begin_resync() {
  for (auto& [index, entry] : links_) entry.seen = false;
}

std::vector<LinkEvent> LinkTable::sweep() {
  std::vector<InterfaceIndex> gone;
  for (const auto& [index, entry] : links_) {
    if (!entry.seen) gone.push_back(index);
  }
  std::vector<LinkEvent> events;
  for (const InterfaceIndex index : gone) events.push_back(*remove(index));
  return events;
}

const Link* LinkTable::find(InterfaceIndex index) const {
  const auto found = links_.find(index);
  return found == links_.end() ? nullptr : &found->second.link;
}

const Link* LinkTable::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : find(found->second);
}

std::vector<Link> LinkTable::all() const {
  std::vector<Link> links;
  for (const auto& [index, entry] : links_) links.push_back(entry.link);
  return links;
}

namespace {

/// What the kernel tells addresses apart by, cheapest first; the networks of two are compared by
/// whoever finds all the rest equal.
auto place_of(const AddressKey& key) {
  return std::tie(key.interface, key.address, key.length);
}
auto place_of(const Address& address) {
  const bool is_v4 = address.prefix.address.is_v4();
  return std::tuple<const InterfaceIndex&, const core::IpAddress&, std::uint8_t>(
      address.interface, address.prefix.address, is_v4 ? address.prefix.length : std::uint8_t{0});
}

}  // namespace

bool AddressTable::ByKey::operator()(const Entry& one, const Entry& other) const {
  const auto left = place_of(one.address);
  const auto right = place_of(other.address);
  return left != right ? left < right : one.address.key().network < other.address.key().network;
}

bool AddressTable::ByKey::operator()(const Entry& one, const AddressKey& other) const {
  const auto left = place_of(one.address);
  const auto right = place_of(other);
  return left != right ? left < right : one.address.key().network < other.network;
}

bool AddressTable::ByKey::operator()(const AddressKey& one, const Entry& other) const {
  const auto left = place_of(one);
  const auto right = place_of(other.address);
  return left != right ? left < right : one.network < other.address.key().network;
}

std::optional<AddressEvent> AddressTable::upsert(Address address) {
  const auto found = entries_.find(address.key());
  if (found == entries_.end()) {
    places_.emplace(address.prefix.address, address.interface);
    const auto placed = entries_.insert(Entry{std::move(address), ++last_order_, true}).first;
    return AddressAppeared{placed->address};
  }
  found->seen = true;
  if (found->address == address) return std::nullopt;
  auto entry = entries_.extract(found);  // to be changed without losing its place or its order
  AddressChanged event{std::exchange(entry.value().address, address), std::move(address)};
  entries_.insert(std::move(entry));
  return event;
}

std::optional<AddressEvent> AddressTable::remove(const AddressKey& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  AddressVanished event{found->address};
  entries_.erase(found);
  if (!has(event.address.interface, event.address.prefix.address))
    places_.erase({event.address.prefix.address, event.address.interface});
  return event;
}

std::vector<AddressEvent> AddressTable::remove_interface(InterfaceIndex index) {
  std::vector<AddressEvent> events;
  for (const Address& address : on(index)) events.push_back(*remove(address.key()));
  return events;
}

void AddressTable::begin_resync() {
  for (const Entry& entry : entries_) entry.seen = false;
}

std::vector<AddressEvent> AddressTable::sweep() {
  std::vector<AddressKey> gone;
  for (const Entry& entry : entries_) {
    if (!entry.seen) gone.push_back(entry.address.key());
  }
  std::vector<AddressEvent> events;
  for (const AddressKey& key : gone) events.push_back(*remove(key));
  return events;
}

const Address* AddressTable::find(const AddressKey& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->address;
}

bool AddressTable::has(InterfaceIndex index, const core::IpAddress& address) const {
  const auto at = entries_.lower_bound(AddressKey{index, address, 0, {}});
  return at != entries_.end() && at->address.interface == index &&
         at->address.prefix.address == address;
}

bool AddressTable::is_usable(InterfaceIndex index, const core::IpAddress& address) const {
  constexpr std::uint32_t kNotYet = kFlagTentative | kFlagDadFailed;
  for (auto at = entries_.lower_bound(AddressKey{index, address, 0, {}});
       at != entries_.end() && at->address.interface == index &&
       at->address.prefix.address == address;
       ++at) {
    if ((at->address.flags & kNotYet) == 0) return true;
  }
  return false;
}

bool AddressTable::is_usable(const core::IpAddress& address) const {
  for (auto at = places_.lower_bound({address, 0}); at != places_.end() && at->first == address;
       ++at) {
    if (is_usable(at->second, address)) return true;
  }
  return false;
}

std::vector<Address> AddressTable::on(InterfaceIndex index) const {
  std::vector<const Entry*> here;
  for (auto at = entries_.lower_bound(AddressKey{index, {}, 0, {}});
       at != entries_.end() && at->address.interface == index; ++at) {
    here.push_back(&*at);
  }
  std::sort(here.begin(), here.end(),
            [](const Entry* one, const Entry* other) { return one->order < other->order; });
  std::vector<Address> addresses;
  addresses.reserve(here.size());
  for (const Entry* entry : here) addresses.push_back(entry->address);
  return addresses;
}

std::optional<core::IpAddress> choose_source(std::span<const Address> addresses,
                                             core::Family family,
                                             std::span<const core::IpAddress> excluded) {
  const Address* best = nullptr;
  const auto rank = [](const Address& address) {
    return std::pair(address.is_secondary(), address.scope);
  };
  for (const Address& address : addresses) {
    if (!is_source_candidate(address, family, excluded)) continue;
    if (best == nullptr || rank(address) < rank(*best)) best = &address;
  }
  if (best == nullptr) return std::nullopt;
  return best->prefix.address;
}

}  // namespace holdfast::netlink
