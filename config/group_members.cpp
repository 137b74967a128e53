#include "config/group_members.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

namespace holdfast::config {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

Bytes bytes_of(const core::IpAddress& address) {
  Bytes bytes{};
  std::ranges::copy(address.bytes(), bytes.begin());
  return bytes;
}

core::IpAddress next_of(const core::IpAddress& address) {
  Bytes bytes = bytes_of(address);
  for (std::size_t at = address.bytes().size(); at > 0; --at)
    if (++bytes[at - 1] != 0) break;
  if (address.is_v4()) return core::IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
  return core::IpAddress::v6(bytes);
}

core::IpAddress any_address(core::Family family) {
  return family == core::Family::v6 ? core::IpAddress::v6({}) : core::IpAddress::v4({});
}

class Expansion {
 public:
  explicit Expansion(const Model& model) : model_(model) {
    for (const VirtualServerGroup& group : model.service_groups)
      groups_.emplace(group.name, &group);
  }

  Members all() {
    found_.of.resize(model_.services.size());
    for (std::size_t i = 0; i < model_.services.size(); ++i) add_service(i);
    return std::move(found_);
  }

 private:
  void add_service(std::size_t at) {
    const VirtualServer& service = model_.services[at];
    if (service.fwmark != 0)
      return add(at, {service.fwmark, any_address(service.address.family()), 0, Protocol::tcp});
    if (service.group.empty()) return add(at, {0, service.address, service.port, service.protocol});
    const auto group = groups_.find(service.group);
    if (group == groups_.end()) return;
    for (const GroupEntry& entry : group->second->entries) add_entry(at, service, entry);
  }

  void add_entry(std::size_t at, const VirtualServer& service, const GroupEntry& entry) {
    if (entry.fwmark != 0) {
      const core::Family family = entry.family.value_or(service.address.family());
      return add(at, {entry.fwmark, any_address(family), 0, Protocol::tcp});
    }
    core::IpAddress address = entry.first;
    for (std::size_t left = size_of(entry); left > 0; --left, address = next_of(address))
      add(at, {0, address, entry.port, service.protocol});
  }

  void add(std::size_t at, const Member& member) {
    const auto [first, is_new] = owners_.emplace(member, at);
    if (is_new)
      found_.of[at].push_back(member);
    else
      found_.clashes.push_back({at, first->second, member});
  }

  const Model& model_;
  std::map<std::string_view, const VirtualServerGroup*> groups_;
  std::map<Member, std::size_t> owners_;
  Members found_;
};

}  // namespace

std::size_t size_of(const GroupEntry& entry) {
  if (entry.fwmark != 0) return 1;
  const Bytes first = bytes_of(entry.first);
  const Bytes last = bytes_of(entry.last);
  const std::size_t length = entry.first.bytes().size();
  std::int64_t distance = 0;
  for (std::size_t i = 0; i < length; ++i) {
    distance = distance * 256 + last[i] - first[i];
    if (distance > std::int64_t{kMostGroupMembers}) return kMostGroupMembers + 1;
  }
  return std::min(static_cast<std::size_t>(distance) + 1, kMostGroupMembers + 1);
}

Members members_of(const Model& model) {
  return Expansion(model).all();
}

}  // namespace holdfast::config
