#include "vrrp/core/announce_queue.hpp"

#include <algorithm>
#include <iterator>

namespace holdfast::vrrp {
namespace {

const std::string& interface_of(const RouterKey& key, const VirtualAddress& address,
                                std::string& storage) {
  if (address.interface.empty()) return key.interface;
  return storage = address.interface.str();
}

/// The addresses of each lane, in the order of the list.
std::map<LaneName, std::vector<VirtualAddress>> by_lane(const Pace& pace, const RouterKey& key,
                                                        const AddressList& addresses) {
  std::map<LaneName, std::vector<VirtualAddress>> lanes;
  std::string storage;
  for (const VirtualAddress& address : addresses)
    lanes[pace.lane_of(interface_of(key, address, storage), address.prefix.address.family())]
        .push_back(address);
  return lanes;
}

bool has_one_lane(const Pace& pace) {
  return pace.arp == Duration::zero() && pace.na == Duration::zero() && pace.groups.empty();
}

}  // namespace

void AnnounceQueue::set_pace(const Pace& pace) {
  if (pace == pace_) return;
  pace_ = pace;
  std::vector<Announce> waiting;
  for (const auto& [key, places] : waits_) {
    Announce& again = waiting.emplace_back(Announce{places.front().entry->router, {}, 0});
    std::vector<VirtualAddress> addresses;
    for (const Place& place : places) {
      const Waiting& entry = *place.entry;
      addresses.insert(addresses.end(), entry.addresses.begin(), entry.addresses.end());
      again.repeat = std::max(again.repeat, entry.rounds);
    }
    again.addresses = AddressList(std::move(addresses));
  }
  waits_.clear();
  for (auto& [name, lane] : lanes_) {
    lane.line.clear();
    lane.interval = name.first.empty() ? Duration{} : pace_.interval_of(name.first, name.second);
  }
  for (const Announce& each : waiting) add(each);
}

void AnnounceQueue::add(const Announce& announce) {
  if (announce.repeat == 0 || announce.addresses.empty()) return;
  const RouterKey& key = announce.router->key;
  std::vector<Place>& before = waits_[key];
  std::vector<Place> places;
  if (has_one_lane(pace_)) {
    places = std::exchange(before, {});
    enter(announce.router, pace_.lane_of(key.interface, key.family), announce.addresses,
          announce.repeat, places);
  } else {
    std::vector<Place> known = std::exchange(before, {});
    for (auto& [name, addresses] : by_lane(pace_, key, announce.addresses)) {
      std::vector<Place> here;
      const auto same =
          std::find_if(known.begin(), known.end(),
                       [&lane = name](const Place& place) { return place.lane->first == lane; });
      if (same != known.end()) {
        here.push_back(*same);
        known.erase(same);
      }
      enter(announce.router, name, AddressList(std::move(addresses)), announce.repeat, here);
      places.push_back(here.front());
    }
    for (const Place& gone : known) leave(gone);
  }
  waits_[key] = std::move(places);
}

// What waits keeps its place in the line. The same list goes on where it is: one that takes longer
// than the pause between two announcements would never come to its end otherwise.
void AnnounceQueue::enter(const core::Shared<Subject>& router, const LaneName& name,
                          AddressList addresses, std::uint32_t rounds, std::vector<Place>& places) {
  if (!places.empty()) {
    Waiting& waiting = *places.front().entry;
    waiting.rounds = std::max(waiting.rounds, rounds);
    if (waiting.addresses == addresses) return;
    waiting.addresses = std::move(addresses);
    waiting.next = 0;
    return;
  }
  const auto [lane, is_new] = lanes_.try_emplace(name);
  if (is_new && !name.first.empty())
    lane->second.interval = pace_.interval_of(name.first, name.second);
  lane->second.line.push_back({router, std::move(addresses), rounds});
  places.push_back({lane, std::prev(lane->second.line.end())});
}

void AnnounceQueue::forget(const RouterKey& router) {
  const auto found = waits_.find(router);
  if (found == waits_.end()) return;
  for (const Place& place : found->second) leave(place);
  waits_.erase(found);
}

void AnnounceQueue::leave(const Place& place) {
  place.lane->second.line.erase(place.entry);
}

std::optional<Instant> AnnounceQueue::deadline() const {
  std::optional<Instant> earliest;
  for (const auto& [name, lane] : lanes_)
    if (!lane.line.empty() && (!earliest || lane.free_at < *earliest)) earliest = lane.free_at;
  if (!earliest) return std::nullopt;
  return std::max(*earliest, full_at_ - (kAtOnce - 1) * kEach);
}

// A round over the lanes takes one frame of each that is free; one without a pace never ends before
// its line does.
void AnnounceQueue::take(Instant now, std::size_t frames, const Offer& offer) {
  for (bool any = true; any;) {
    any = false;
    for (auto lane = lanes_.begin(); lane != lanes_.end(); ++lane) {
      if (frames == 0 || full_at_ + kEach > now + kAtOnce * kEach) return;
      if (lane->second.free_at > now || !serve(lane, offer)) continue;
      any = true;
      --frames;
      full_at_ = std::max(full_at_, now) + kEach;
      lane->second.free_at = now + lane->second.interval;
    }
  }
}

/// True when something was taken; false when the line has ended.
bool AnnounceQueue::serve(Lanes::iterator lane, const Offer& offer) {
  std::string storage;
  while (!lane->second.line.empty()) {
    const Waiting& waiting = lane->second.line.front();
    const VirtualAddress& address = waiting.addresses[waiting.next];
    const bool taken =
        offer({waiting.router, address, interface_of(waiting.router->key, address, storage)});
    advance(lane);
    if (taken) return true;
  }
  return false;
}

void AnnounceQueue::advance(Lanes::iterator lane) {
  Line& line = lane->second.line;
  Waiting& waiting = line.front();
  if (++waiting.next < waiting.addresses.size()) return;
  waiting.next = 0;
  if (--waiting.rounds > 0) {
    line.splice(line.end(), line, line.begin());
    return;
  }
  const auto found = waits_.find(waiting.router->key);
  std::erase_if(found->second, [&](const Place& place) { return place.lane == lane; });
  if (found->second.empty()) waits_.erase(found);
  line.pop_front();
}

}  // namespace holdfast::vrrp
