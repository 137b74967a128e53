#include "tests/sim/kernel.hpp"

#include <algorithm>
#include <cerrno>

namespace holdfast::sim {

using netlink::Address;
using netlink::AddressKey;
using namespace std::chrono_literals;

namespace {
constexpr Instant kBegin{1h};  // of every world: what is there then has been there for long
constexpr Duration kDuplicateDetection = 1s;
}  // namespace

// ---- what processes see and do ----

netlink::Mirror Kernel::dump() const {
  netlink::Mirror mirror;
  for (const auto& [wire, card] : cards_) {
    mirror.links.upsert(card.link);
    for (const Address& address : card.addresses) mirror.addresses.upsert(address);
  }
  return mirror;
}

std::vector<netlink::StepResult> Kernel::apply(const netlink::Batch& batch) {
  std::vector<netlink::StepResult> results;
  const std::size_t wire = wire_of(batch.index);
  if (wire == kNowhere) {
    results.assign(batch.steps.size(), {ENODEV, ""});
    return results;
  }
  Card& card = cards_.at(wire);
  std::set<AddressKey> strangers;
  for (const Address& address : card.addresses) {
    const AddressKey key = address.key();
    if (!made_by_us_.contains(key) && !obscure_.contains(key)) strangers.insert(key);
  }
  const std::vector<Address> before = card.addresses;
  for (const netlink::Step& step : batch.steps) {
    const int error = apply(card, step);
    results.push_back({error, ""});
    if (world_.is_traced()) {
      world_.note("{} kernel: {} {} on {}: {}", name_,
                  step.kind == netlink::StepKind::remove ? "remove" : "add",
                  step.address.prefix.to_string(), batch.interface, error);
    }
  }
  note_robbery(strangers, card);
  tell_difference(before, card.addresses);
  return results;
}

int Kernel::apply(Card& card, const netlink::Step& step) {
  const bool adds = step.kind != netlink::StepKind::remove;
  if (adds && refused_.contains(step.address.prefix.address)) return EACCES;
  netlink::Step really = step;
  if (!habits_.keeps_marks) really.address.protocol = 0;
  netlink::Applied applied = netlink::apply({&really, 1}, card.addresses, habits_.promote);
  card.addresses = std::move(applied.addresses);
  if (applied.results.front() == 0 && step.kind == netlink::StepKind::add)
    made_by_us_.insert(step.address.key());
  return applied.results.front();
}

void Kernel::note_robbery(const std::set<AddressKey>& before, const Card& card) {
  for (const AddressKey& key : before) {
    const bool is_there = std::any_of(card.addresses.begin(), card.addresses.end(),
                                      [&](const Address& one) { return one.key() == key; });
    if (!is_there) robbed_ = key.address;
  }
}

void Kernel::tell(const NetlinkNews& news) {
  changed_at_ = world_.now();
  for (Ear* ear : ears_) {
    ear->waiting.push_back(news);
    if (ear->waiting.size() == 1) ear->on_readable();
  }
}

void Kernel::tell_difference(const std::vector<Address>& before,
                             const std::vector<Address>& after) {
  for (const Address& address : before) {
    const bool stays = std::any_of(after.begin(), after.end(),
                                   [&](const Address& one) { return one.key() == address.key(); });
    if (!stays) tell(netlink::AddressReport{address, true});
  }
  for (const Address& address : after) {
    if (std::find(before.begin(), before.end(), address) == before.end())
      tell(netlink::AddressReport{address, false});
  }
  ours_.clear();
  std::set<AddressKey> left;
  for (const auto& [wire, card] : cards_) {
    for (const Address& address : card.addresses) {
      if (!made_by_us_.contains(address.key())) continue;
      left.insert(address.key());
      ours_.emplace(address.prefix.address, wire);
    }
  }
  made_by_us_ = std::move(left);
}

// ---- cards ----

void Kernel::plug_in(std::size_t wire, const std::string& name, std::vector<Address> own) {
  Card& card = cards_[wire];
  card.link = {};
  card.link.index = next_index_++;
  card.link.name = name;
  card.link.up = card.link.running = true;
  card.link.mac = core::MacAddress{};
  card.addresses = std::move(own);
  for (Address& address : card.addresses) {
    somebodys_.insert(address.prefix.address);
    address.interface = card.link.index;
    if (address.prefix.address.is_v4()) address.label = name;
    look_for_duplicates(wire, address);
  }
  tell(netlink::LinkReport{card.link, false});
  tell_difference({}, card.addresses);
}

void Kernel::look_for_duplicates(std::size_t wire, Address& address) {
  if (!address.prefix.address.is_link_local() || world_.now() == kBegin) return;
  address.flags |= netlink::kFlagTentative;
  world_.after(kDuplicateDetection, [this, wire, key = address.key()] {
    const auto card = cards_.find(wire);
    if (card == cards_.end()) return;
    const std::vector<Address> before = card->second.addresses;
    for (Address& one : card->second.addresses) {
      if (one.key() == key) one.flags &= ~netlink::kFlagTentative;
    }
    tell_difference(before, card->second.addresses);
  });
}

void Kernel::set_link(std::size_t wire, bool up) {
  disturbed_at_ = world_.now();
  const auto found = cards_.find(wire);
  if (found == cards_.end()) return;
  found->second.link.up = found->second.link.running = up;
  tell(netlink::LinkReport{found->second.link, false});
}

void Kernel::rename(std::size_t wire, const std::string& name) {
  disturbed_at_ = world_.now();
  const auto found = cards_.find(wire);
  if (found == cards_.end()) return;
  found->second.link.name = name;
  tell(netlink::LinkReport{found->second.link, false});
}

void Kernel::unplug(std::size_t wire) {
  disturbed_at_ = world_.now();
  const auto found = cards_.find(wire);
  if (found == cards_.end()) return;
  const Card gone = std::move(found->second);
  cards_.erase(found);
  tell_difference(gone.addresses, {});
  tell(netlink::LinkReport{gone.link, true});
}

void Kernel::boot() {
  for (auto& [wire, card] : cards_) {
    std::erase_if(card.addresses,
                  [&](const Address& one) { return made_by_us_.contains(one.key()); });
  }
  made_by_us_.clear();
  ours_.clear();
}

void Kernel::obscure(std::size_t wire) {
  const auto found = cards_.find(wire);
  if (found == cards_.end()) return;
  for (const Address& address : found->second.addresses) {
    if (made_by_us_.erase(address.key()) == 0) continue;
    obscure_.insert(address.key());
    ours_.erase(address.prefix.address);
  }
}

const Kernel::Card* Kernel::card(netlink::InterfaceIndex index) const {
  return card_on(wire_of(index));
}

const Kernel::Card* Kernel::card_on(std::size_t wire) const {
  const auto found = cards_.find(wire);
  return found == cards_.end() ? nullptr : &found->second;
}

std::size_t Kernel::wire_of(netlink::InterfaceIndex index) const {
  for (const auto& [wire, card] : cards_) {
    if (card.link.index == index) return wire;
  }
  return kNowhere;
}

bool Kernel::has(const core::IpAddress& address) const {
  return std::any_of(cards_.begin(), cards_.end(),
                     [&](const auto& each) { return has_on(each.first, address); });
}

bool Kernel::has_on(std::size_t wire, const core::IpAddress& address) const {
  const Card* card = card_on(wire);
  return card != nullptr &&
         std::any_of(card->addresses.begin(), card->addresses.end(),
                     [&](const Address& one) { return one.prefix.address == address; });
}

// ---- strangers ----

void Kernel::refuse(const core::IpAddress& address) {
  disturbed_at_ = world_.now();
  refused_.insert(address);
}

void Kernel::accept(const core::IpAddress& address) {
  disturbed_at_ = world_.now();
  refused_.erase(address);
}

void Kernel::somebody_adds(std::size_t wire, Address address) {
  disturbed_at_ = world_.now();
  const auto found = cards_.find(wire);
  if (found == cards_.end()) return;
  Card& card = found->second;
  somebodys_.insert(address.prefix.address);
  address.interface = card.link.index;
  if (address.prefix.address.is_v4()) address.label = card.link.name;
  look_for_duplicates(wire, address);
  const std::vector<Address> before = card.addresses;
  const netlink::Step step{netlink::StepKind::add, address};
  card.addresses = netlink::apply({&step, 1}, before, habits_.promote).addresses;
  tell_difference(before, card.addresses);
}

bool Kernel::somebody_removes(const core::IpAddress& address) {
  return std::any_of(cards_.begin(), cards_.end(),
                     [&](const auto& each) { return somebody_removes_on(each.first, address); });
}

bool Kernel::somebody_removes_on(std::size_t wire, const core::IpAddress& address) {
  disturbed_at_ = world_.now();
  const auto card = cards_.find(wire);
  if (card == cards_.end()) return false;
  const std::vector<Address> before = card->second.addresses;
  for (const Address& one : before) {
    if (one.prefix.address != address) continue;
    const netlink::Step step{netlink::StepKind::remove, one};
    card->second.addresses = netlink::apply({&step, 1}, before, habits_.promote).addresses;
    tell_difference(before, card->second.addresses);
    return true;
  }
  return false;
}

}  // namespace holdfast::sim
