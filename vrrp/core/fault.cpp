// What keeps an instance from serving: its interface, its addresses, its adverts. Half is better
// than a flap: only what makes serving impossible is a fault, everything else is named in status.
#include "vrrp/core/instance.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/core/timing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::vrrp {
namespace {

using namespace std::chrono_literals;

const std::string kFromInterface = "interface";
const std::string kFromDevice = "device";
const std::string kFromAddresses = "addresses";
const std::string kFromSending = "adverts";
const std::string kFromPeers = "peers";

/// In FAULT we do not even take over from silence, so that is looked at more often than whether to
/// pre-empt.
constexpr Duration kLongestFault = 60s;

}  // namespace

// ---- the interface ----

void Instance::on(const InterfaceReport& event, Instant now, Actions& out) {
  const bool was_deaf = is_deaf();
  interface_ = event.status;
  if (was_deaf && !is_deaf()) hear_again(now);
  if (const auto source = source_address()) last_source_ = source;
  // Perhaps this was the reason: what could not be placed or sent may be possible now.
  if (setback_) setback_->until = std::min(setback_->until, now);
  if (auto* fault = std::get_if<Fault>(&state_)) {
    fault->retry_at.reset();
    forget_failures();
  }
  set_interface_fault();
  reconsider_faults(now, out);
}

void Instance::set_interface_fault() {
  const std::string& name = settings_.interface;
  if (!interface_) {
    faults_.add(kFromInterface, name.empty()
                                    ? "nothing is known about this host yet"
                                    : fmt::format("nothing is known about interface {} yet", name));
  } else if (!(*interface_)->exists) {
    faults_.add(kFromInterface, fmt::format("interface {} does not exist", name));
  } else if (is_down()) {
    faults_.add(kFromInterface, fmt::format("interface {} is down or has no carrier", name));
  } else if (const std::string& trouble = settings_.family == core::Family::v4
                                              ? (*interface_)->trouble
                                              : (*interface_)->trouble_v6;
             !trouble.empty()) {
    faults_.add(kFromInterface, trouble);
  } else if (const auto& deaf = (*interface_)->deaf_groups;
             std::find(deaf.begin(), deaf.end(), key().channel) != deaf.end()) {
    faults_.add(kFromInterface, fmt::format("the group {} could not be joined on interface {}",
                                            key().channel.to_string(), name));
  } else if (!source_address()) {
    faults_.add(kFromInterface, why_without_source());
  } else {
    faults_.remove(kFromInterface);
  }
  set_device_fault();
  const auto source = source_address();
  if (settings_.unicast && settings_.unicast->peers.empty()) {
    faults_.add(kFromPeers, "no unicast peer is listed");
  } else if (settings_.unicast && source && destinations(*source).empty()) {
    faults_.add(kFromPeers, "every unicast peer that is listed is an address of this host");
  } else {
    faults_.remove(kFromPeers);
  }
}

void Instance::set_device_fault() {
  faults_.remove(kFromDevice);
  if (!settings_.device || !interface_) return;
  const auto& troubles = (*interface_)->device_troubles;
  const auto trouble = troubles.find(settings_.device->name);
  if (trouble != troubles.end()) faults_.add(kFromDevice, trouble->second);
}

std::string Instance::why_without_source() const {
  const auto& wanted = settings_.source_address;
  if (wanted && !wanted->is_v4() && wanted->is_link_local())
    return fmt::format(
        "interface {} has no address {} to send from, or its duplicate detection is "
        "not over",
        settings_.interface, wanted->to_string());
  if (settings_.source_address)
    return fmt::format("no interface has the address {} to send from",
                       settings_.source_address->to_string());
  if (settings_.is_routed() && settings_.unicast) {
    for (const UnicastPeer& peer : settings_.unicast->peers)
      if (const auto found = (*interface_)->virtual_sources_to.find(peer.address);
          found != (*interface_)->virtual_sources_to.end())
        return fmt::format(
            "the route's source towards {}, {}, is a virtual address: write "
            "unicast_src_ip",
            peer.address.to_string(), found->second.to_string());
  }
  if (settings_.is_routed())
    return "no route of this host leads to a unicast peer: there is no address to send from";
  if (settings_.family == core::Family::v4)
    return fmt::format("interface {} has no IPv4 address to send from", settings_.interface);
  return fmt::format(
      "interface {} has no IPv6 link-local address to send from, or only one whose "
      "duplicate detection is not over",
      settings_.interface);
}

void Instance::reconsider_faults(Instant now, Actions& out) {
  const bool faulty = !faults_.empty();
  std::visit(Match{[&](Init& init) {  // nobody can be heard on a broken interface: waiting is
                                      // pointless
                     if (!faulty) return;
                     if (init.waits_for_group) return enter_fault(now, out);
                     if (init.handover_until) finish_handover(out);
                   },
                   [&](Backup&) {
                     if (faulty) enter_fault(now, out);
                   },
                   [&](Master&) {
                     if (faulty) enter_fault(now, out);
                   },
                   [&](Fault&) {
                     if (faulty) return;
                     const Duration interval = master_interval(now);
                     listen(interval, now + down_interval(interval), "the fault is over", now, out);
                     notify(NotifyState::backup, out);
                   }},
             state_);
}

// Enters FAULT from any state. A master resigns, from the address it had if need be, unless the
// link cannot carry it. An interface whose name is gone may have been renamed: the socket still
// sends.
void Instance::enter_fault(Instant now, Actions& out) {
  if (state_name() == StateName::master) {
    const bool link_is_down = interface_ && (*interface_)->exists && !(*interface_)->up;
    if (!link_is_down) send_advert(kResignPriority, now, out);
    ++counters_.released_master;
    placement_.reset();
    out.emplace_back(WithdrawAddresses{subject_});
  }
  change_state(Fault{}, faults_.all().begin()->second, now, out);
  notify(NotifyState::fault, out);
}

// ---- the addresses ----

void Instance::on(const AddressesPlaced& event, Instant now, Actions& out) {
  const bool none = event.wanted > 0 && event.placed == 0;
  std::visit(Match{[&](Init& init) {
                     if (init.handover_until && none) finish_handover(out);
                   },
                   [](Backup&) {},  // an answer to an older wish: nothing is held now
                   [&](Master&) {
                     const bool more = placement_ && event.placed > placement_->placed;
                     placement_ = Placement{event.wanted, event.placed, event.problem};
                     if (none) {
                       suffer_setback(kFromAddresses, event.problem, now, out);
                     } else if (more && settings_.garp.repeat > 0) {
                       announce(settings_.garp.repeat, out);
                     }
                   },
                   [](Fault&) {}},
             state_);
}

void Instance::on(const AddressesRepaired&, Instant, Actions& out) {
  ++counters_.addresses_repaired;
  std::visit(
      Match{[](Init&) {}, [](Backup&) {},
            [&](Master&) { announce(std::max(settings_.garp.repeat, 1U), out); }, [](Fault&) {}},
      state_);
}

// ---- the adverts ----

void Instance::on(const AdvertRefused& event, Instant now, Actions& out) {
  ++counters_.adverts_refused;
  offered_number_ = 0;                            // it is free again
  if (event.priority == kResignPriority) return;  // we are on our way out anyway
  send_trouble_ = SendTrouble{event.sentence, send_trouble_ ? send_trouble_->since : now};
  std::visit(Match{[](Init&) {}, [](Backup&) {}, [&](Master&) { stop_if_unheard(now, out); },
                   [](Fault&) {}},
             state_);
}

// A master whose adverts do not leave is master for nobody but itself. While nobody else serves
// that does no harm; as soon as somebody does, there would be two holders that cannot settle it.
void Instance::stop_if_unheard(Instant now, Actions& out) {
  if (hears_another_master(now)) yield_if_mute(heard_master_->address, now, out);
}

void Instance::yield_if_mute(const IpAddress& other, Instant now, Actions& out) {
  if (!send_trouble_) return;
  const bool never_heard = last_advert_at_ < became_master_at_;
  if (!never_heard && now - send_trouble_->since < settings_.advert_interval) return;
  suffer_setback(kFromSending,
                 fmt::format("adverts cannot be sent ({}), and {} is master", send_trouble_->why,
                             other.to_string()),
                 now, out);
}

// ---- trying again ----

void Instance::suffer_setback(const std::string& source, const std::string& why, Instant now,
                              Actions& out) {
  const Duration pause =
      setback_ ? std::min(2 * setback_->pause, kLongestSetback) : settings_.retry_after;
  setback_ = Setback{why, pause, now + pause};
  faults_.add(source, why);
  enter_fault(now, out);
  std::get<Fault>(state_).retry_at = now + std::min(pause, kLongestFault);
}

/// Only trying can show whether these are over.
void Instance::forget_failures() {
  faults_.remove(kFromAddresses);
  faults_.remove(kFromSending);
  send_trouble_.reset();
}

}  // namespace holdfast::vrrp
