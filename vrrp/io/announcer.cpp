#include "vrrp/io/announcer.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

namespace holdfast::vrrp {
namespace {

/// RFC 4861 §6.2.1 IsRouter: what the kernel's own advertisements of this interface would say.
ForwardsPackets forwards_packets(const std::string& interface) {
  std::ifstream setting("/proc/sys/net/ipv6/conf/" + interface + "/forwarding");
  int value = 0;
  setting >> value;
  return value == 0 ? ForwardsPackets::no : ForwardsPackets::yes;
}

/// The queue of the socket or of the interface is full.
bool is_for_now(int error) {
  return error == EAGAIN || error == ENOBUFS;
}

}  // namespace

void Announcer::add(const Announce& announce) {
  if (announce.repeat == 0 || announce.addresses.empty()) return;
  const auto found = waits_.find(announce.router->key);
  if (found == waits_.end()) {
    queue_.push_back({announce.router, announce.addresses, announce.repeat});
    waits_.emplace(announce.router->key, std::prev(queue_.end()));
    return;
  }
  Waiting& waiting = *found->second;
  waiting.addresses = announce.addresses;
  waiting.rounds = std::max(waiting.rounds, announce.repeat);
  waiting.next = 0;
}

void Announcer::forget(const std::unordered_set<RouterKey>& routers) {
  if (!has_work() || routers.empty()) return;
  for (const RouterKey& key : routers) {
    const auto found = waits_.find(key);
    if (found == waits_.end()) continue;
    queue_.erase(found->second);
    waits_.erase(found);
  }
  std::erase_if(frames_, [&](const Frame& frame) { return routers.contains(frame.router->key); });
}

void Announcer::send(core::Instant now, std::vector<Event>& answers) {
  paused_until_.reset();
  fill();
  std::map<RouterKey, std::uint64_t> refused;
  std::size_t skipped = 0;
  const auto frame = [&](std::size_t index) -> AnnounceFrame& { return frames_[index].bytes; };
  const std::size_t done = socket_.send(frames_.size(), frame, [&](std::size_t index, int error) {
    if (is_for_now(error) && !has_waited_enough(now)) return Refusal::stop;
    const RouterKey& key = frames_[index].router->key;
    complain_(key.interface, std::generic_category().message(error));
    ++refused[key];
    ++skipped;
    return Refusal::skip;
  });
  if (done < frames_.size()) paused_until_ = now + kPause;
  if (done > skipped) full_since_.reset();  // slow, but it takes some
  frames_.erase(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(done));
  for (const auto& [key, frames] : refused) answers.emplace_back(AnnouncementsRefused{key, frames});
}

bool Announcer::has_waited_enough(core::Instant now) {
  if (!full_since_) full_since_ = now;
  return now - *full_since_ >= kPatience;
}

void Announcer::fill() {
  forwards_.clear();
  while (frames_.size() < kFramesAtOnce && !queue_.empty()) {
    Waiting& waiting = queue_.front();
    append_frame(waiting, waiting.addresses[waiting.next]);
    if (++waiting.next < waiting.addresses.size()) continue;
    waiting.next = 0;
    if (--waiting.rounds > 0) {
      queue_.splice(queue_.end(), queue_, queue_.begin());
    } else {
      waits_.erase(waiting.router->key);
      queue_.pop_front();
    }
  }
}

// What the kernel does not have is not announced, nor what it has not any more.
void Announcer::append_frame(const Waiting& waiting, const VirtualAddress& address) {
  const std::string& interface =
      address.interface.empty() ? waiting.router->key.interface : address.interface.str();
  const netlink::Link* link = reflector_.link(interface);
  const core::IpAddress& ip = address.prefix.address;
  if (link == nullptr || !link->mac || link->no_arp || !reflector_.holds(link->index, ip)) return;
  frames_.push_back({waiting.router, ip.is_v4() ? AnnounceFrame::arp(link->index, *link->mac, ip)
                                                : AnnounceFrame::na(link->index, *link->mac, ip,
                                                                    forwards(link->name))});
}

// Asked of the system once for all frames that are made together.
ForwardsPackets Announcer::forwards(const std::string& interface) {
  const auto known = forwards_.find(interface);
  if (known != forwards_.end()) return known->second;
  return forwards_.emplace(interface, forwards_packets(interface)).first->second;
}

}  // namespace holdfast::vrrp
