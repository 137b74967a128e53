#include "vrrp/io/announcer.hpp"

#include <cerrno>
#include <fstream>
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

void Announcer::forget(const std::unordered_set<RouterKey>& routers) {
  if (!has_work() || routers.empty()) return;
  for (const RouterKey& key : routers) queue_.forget(key);
  std::erase_if(frames_, [&](const Frame& frame) { return routers.contains(frame.router->key); });
}

void Announcer::send(core::Instant now, std::vector<Event>& answers) {
  paused_until_.reset();
  fill(now);
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

// Nothing new stands behind what the system does not take: its distance would be lost.
void Announcer::fill(core::Instant now) {
  if (!frames_.empty()) return;
  forwards_.clear();
  queue_.take(now, kFramesAtOnce,
              [this](const auto& candidate) { return append_frame(candidate); });
}

std::optional<core::Instant> Announcer::due_at() const {
  if (!frames_.empty()) return paused_until_.value_or(core::Instant{});
  return queue_.deadline();
}

// What the kernel does not have is not announced, nor what it has not any more.
bool Announcer::append_frame(const AnnounceQueue::Candidate& candidate) {
  const netlink::Link* link = reflector_.link(candidate.interface);
  const core::IpAddress& ip = candidate.address.prefix.address;
  if (link == nullptr || !link->mac || link->no_arp || !reflector_.holds(link->index, ip))
    return false;
  frames_.push_back({candidate.router, ip.is_v4() ? AnnounceFrame::arp(link->index, *link->mac, ip)
                                                  : AnnounceFrame::na(link->index, *link->mac, ip,
                                                                      forwards(link->name))});
  return true;
}

// Asked of the system once for all frames that are made together.
ForwardsPackets Announcer::forwards(const std::string& interface) {
  const auto known = forwards_.find(interface);
  if (known != forwards_.end()) return known->second;
  return forwards_.emplace(interface, forwards_packets(interface)).first->second;
}

}  // namespace holdfast::vrrp
