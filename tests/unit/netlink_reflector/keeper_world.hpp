// A kernel with interfaces beneath a keeper: the model of the rules, a mirror fed with the
// differences, the list on record, strangers, and a switch that makes the kernel refuse.
#pragma once

#include "netlink_reflector/core/keeper.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace holdfast::netlink {

using namespace std::chrono_literals;

inline const core::RouterKey kFirst{"eth0", core::Family::v4, 51,
                                    *core::IpAddress::parse("224.0.0.18")};
inline const core::RouterKey kSecond{"eth0", core::Family::v4, 52,
                                     *core::IpAddress::parse("224.0.0.18")};

inline DesiredAddress vip(std::string_view prefix, std::string_view interface = "eth0",
                          std::string_view label = "") {
  return {std::string(interface), *core::IpPrefix::parse(prefix), std::string(label), {}, 0};
}

/// What an owner of one address is told when it is gone.
inline Lost lost(const core::RouterKey& owner, std::string_view prefix, std::string problem) {
  return {owner, {true, false, {{vip(prefix), false, false, false, std::move(problem)}}}};
}

struct World {
  Keeper keeper{1s};
  Mirror mirror;
  core::Instant now{1h};
  std::vector<Address> kernel;
  std::vector<Notice> notices;
  OwnedList record;
  PromoteSecondaries promote = PromoteSecondaries::no;
  int refuse_with = 0;
  /// Empty: it refuses everything.
  std::set<core::IpAddress> refuse_only;

  World() { link_appears(2, "eth0"); }

  void link_appears(InterfaceIndex index, std::string name) {
    keeper.on_link(*mirror.links.upsert({.index = index, .name = std::move(name), .up = true}),
                   now);
  }
  void rename(InterfaceIndex index, std::string name) { link_appears(index, std::move(name)); }
  void link_vanishes(InterfaceIndex index) {
    std::erase_if(kernel, [&](const Address& one) { return one.interface == index; });
    for (const AddressEvent& event : mirror.addresses.remove_interface(index)) {
      keeper.on_address(event, mirror, now);
    }
    keeper.on_link(*mirror.links.remove(index), now);
  }
  void events_arrive() {
    std::vector<AddressEvent> events;
    mirror.addresses.begin_resync();
    for (const Address& address : kernel) {
      if (auto event = mirror.addresses.upsert(address)) events.push_back(*event);
    }
    for (AddressEvent& event : mirror.addresses.sweep()) events.push_back(event);
    for (const AddressEvent& event : events) keeper.on_address(event, mirror, now);
  }
  /// Somebody else at work on interface 2. `protocol`: the mark he leaves.
  void foreign(StepKind kind, std::string_view prefix, std::string_view label = "eth0",
               std::uint8_t protocol = 0) {
    Address address = resolve(vip(prefix), *mirror.links.find(InterfaceIndex{2}));
    address.label = label;
    address.protocol = protocol;
    kernel = apply(std::vector<Step>{{kind, address}}, kernel, promote).addresses;
    events_arrive();
  }
  /// The process dies and its successor has nothing but what is there.
  void crash() {
    keeper = Keeper(1s);
    notices.clear();
    for (const Link& link : mirror.links.all()) keeper.on_link(LinkAppeared{link}, now);
  }
  void inherit(OtherKeepers others = OtherKeepers::none) { keeper.inherit(record, others, mirror); }

  /// Works until nothing is left to do now; returns the number of steps sent.
  std::size_t settle() {
    std::size_t sent = 0;
    while (true) {
      std::vector<Batch> batches;
      keeper.work(mirror, now, batches, notices);
      for (const OwnedChange& change : keeper.take_owned_changes()) record.apply(change);
      if (batches.empty()) return sent;
      for (const Batch& batch : batches) sent += carry_out(batch);
    }
  }
  std::size_t carry_out(const Batch& batch) {
    std::vector<StepResult> results;
    for (const Step& step : batch.steps) {
      const bool is_refused =
          refuse_with != 0 &&
          (refuse_only.empty() || refuse_only.contains(step.address.prefix.address));
      if (is_refused) {
        results.push_back({refuse_with, ""});
        continue;
      }
      Applied applied = apply(std::vector{step}, kernel, promote);
      kernel = applied.addresses;
      results.push_back({applied.results.at(0), ""});
    }
    events_arrive();
    keeper.on_results(batch, results, mirror, now);
    return batch.steps.size();
  }

  [[nodiscard]] const Address* find(std::string_view prefix) const {
    const auto found = std::find_if(kernel.begin(), kernel.end(), [&](const Address& one) {
      return one.prefix == *core::IpPrefix::parse(prefix);
    });
    return found == kernel.end() ? nullptr : &*found;
  }
  [[nodiscard]] bool has(std::string_view prefix) const { return find(prefix) != nullptr; }
  /// What carries our mark can be found again by a successor.
  [[nodiscard]] bool record_is_complete() const {
    return std::all_of(kernel.begin(), kernel.end(), [&](const Address& one) {
      const AddressKey key = one.key();
      const OwnedAddress place{key.interface, key.address, key.length, {}};
      return one.protocol != kProtocolHoldfast ||
             std::any_of(record.all().begin(), record.all().end(),
                         [&](const OwnedAddress& line) { return line.is_same_place(place); });
    });
  }
  template <class T>
  [[nodiscard]] std::vector<T> take() {
    std::vector<T> found;
    for (const Notice& notice : notices) {
      if (const auto* one = std::get_if<T>(&notice)) found.push_back(*one);
    }
    notices.clear();
    return found;
  }
};

}  // namespace holdfast::netlink
