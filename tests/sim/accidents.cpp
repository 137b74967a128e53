#include "tests/sim/accidents.hpp"

#include "tests/sim/stranger.hpp"

#include <algorithm>

namespace holdfast::sim {

using namespace vrrp;
using namespace std::chrono_literals;

namespace {

constexpr unsigned kMostSteps = 12;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

void Accidents::happen(const Fault& fault) {
  Machine& machine = *situation_.machines[fault.host];
  world_.note("{} on {} {}{} for {} s", to_string(fault.kind), machine.name(), Situation::kNameStem,
              fault.router, seconds(fault.lasts));
  std::visit([&](auto kind) { hit(kind, fault, machine); }, fault.kind);
}

void Accidents::breaks(const Fault& fault, bool on_the_wire, std::function<void()> mend) {
  situation_.trouble_begins(on_the_wire);
  world_.after(fault.lasts, [this, &fault, on_the_wire, mend = std::move(mend)] {
    world_.note("end of {}", to_string(fault.kind));
    mend();
    situation_.trouble_ends(on_the_wire);
  });
}

void Accidents::breaks_with_setbacks(const Fault& fault, Machine& machine,
                                     std::function<void()> mend) {
  breaks(fault, false, [this, &fault, &machine, mend = std::move(mend)] {
    mend();
    situation_.trouble_begins(false);
    Instant quiet = world_.now();
    for (std::size_t number = 0; number < plan_.routers.size(); ++number) {
      const Instance* instance = situation_.instance(machine, number);
      if (instance != nullptr && instance->setback())
        quiet = std::max(quiet, instance->setback()->until);
    }
    world_.at(quiet + 1s, [this] { situation_.trouble_ends(false); });
  });
}

// ---- on the wires ----

void Accidents::hit(WireFault kind, const Fault& fault, Machine& machine) {
  Lan& wire = wires_.at(plan_.routers[fault.router].wire);
  switch (kind) {
    case WireFault::loss:
      wire.loss_percent = 5 + fault.amount % 70;
      return breaks(fault, true, [&wire] { wire.loss_percent = 0; });
    case WireFault::delay: {
      const Duration longest = std::chrono::milliseconds(1 + fault.amount % 900);
      wire.longest_delay = longest;
      return breaks(fault, true, [this, &wire, longest] {
        wire.longest_delay = Lan::kUsualDelay;
        situation_.trouble_begins(true);  // what is on its way is late still
        world_.after(longest, [this] { situation_.trouble_ends(true); });
      });
    }
    case WireFault::duplicates:
      wire.duplicate_percent = 5 + fault.amount % 70;
      return breaks(fault, true, [&wire] { wire.duplicate_percent = 0; });
    case WireFault::cut: {
      const std::size_t number = plan_.routers[fault.router].wire;
      const std::size_t from = machine.port(number);
      const std::size_t to = situation_.machines[fault.other]->port(number);
      wire.cut(from, to);
      return breaks(fault, true, [&wire, from, to] { wire.mend(from, to); });
    }
    case WireFault::partition:
      partition(fault.amount, true);
      return breaks(fault, true, [this, &fault] { partition(fault.amount, false); });
    case WireFault::stranger:
      return strange_advert(fault, world_.now() + fault.lasts);
  }
}

/// Machines whose bit is set in `side` and the others do not hear each other.
void Accidents::partition(unsigned side, bool cut) {
  for (std::size_t a = 0; a < situation_.machines.size(); ++a) {
    for (std::size_t b = 0; b < situation_.machines.size(); ++b) {
      if (((side >> a) & 1U) == ((side >> b) & 1U)) continue;
      for (std::size_t wire = 0; wire < kWires; ++wire) {
        const std::size_t from = situation_.machines[a]->port(wire);
        const std::size_t to = situation_.machines[b]->port(wire);
        cut ? wires_.at(wire).cut(from, to) : wires_.at(wire).mend(from, to);
      }
    }
  }
}

// ---- to interfaces and addresses ----

core::IpAddress Accidents::some_address(const Fault& fault) const {
  const AddressList& all = plan_.directors[fault.host].file[fault.router].addresses;
  return all[fault.amount % all.size()].prefix.address;
}

void Accidents::refuse_all(const Fault& fault, Machine& machine, bool refuse) {
  for (const core::IpAddress& address : plan_.routers[fault.router].pool)
    refuse ? machine.kernel().refuse(address) : machine.kernel().accept(address);
}

void Accidents::hit(KernelFault kind, const Fault& fault, Machine& machine) {
  Kernel& kernel = machine.kernel();
  const std::size_t wire = plan_.routers[fault.router].wire;
  switch (kind) {
    case KernelFault::link_down:
      kernel.set_link(wire, false);
      return breaks(fault, true, [&kernel, wire] { kernel.set_link(wire, true); });
    case KernelFault::renamed:
      // The record goes by name and number: without marks and without anybody who sees the change,
      // nobody can know afterwards what is ours.
      if (!kernel.keeps_marks() && !machine.has_committed_child()) kernel.obscure(wire);
      kernel.rename(wire, fmt::format("was{}", wire));
      return breaks(fault, false, [&kernel, wire] { kernel.rename(wire, interface_name(wire)); });
    case KernelFault::made_anew: {
      kernel.unplug(wire);
      return breaks(fault, false, [&kernel, &machine, wire] {
        if (kernel.card_on(wire) == nullptr)
          kernel.plug_in(wire, interface_name(wire), machine.own_addresses(wire));
      });
    }
    case KernelFault::address_refused: {
      const core::IpAddress address = some_address(fault);
      kernel.refuse(address);
      return breaks_with_setbacks(fault, machine, [&kernel, address] { kernel.accept(address); });
    }
    case KernelFault::all_refused:
      refuse_all(fault, machine, true);
      return breaks_with_setbacks(fault, machine,
                                  [this, &fault, &machine] { refuse_all(fault, machine, false); });
    case KernelFault::address_stolen:
      situation_.changed();
      kernel.somebody_removes(some_address(fault));
      return;
    case KernelFault::address_taken:
    case KernelFault::strange_address:
      return put_strange_address(kind, fault, machine);
    case KernelFault::source_lost:
      return lose_source(fault, machine);
    case KernelFault::sending_fails:
      machine.let_sending_fail(true);
      return breaks_with_setbacks(fault, machine, [&machine] { machine.let_sending_fail(false); });
  }
}

/// Who is master with another source meanwhile is a stranger to its unicast peers.
void Accidents::lose_source(const Fault& fault, Machine& machine) {
  const std::size_t wire = plan_.routers[fault.router].wire;
  const InstanceSettings& settings = plan_.directors[fault.host].file[fault.router];
  const core::IpAddress source = settings.source_address.value_or(
      own_address(machine.number(), wire, settings.family, Which::first));
  machine.lose_address(wire, source);
  breaks(fault, true, [&machine, wire] { machine.restore_addresses(wire); });
}

void Accidents::put_strange_address(KernelFault kind, const Fault& fault, Machine& machine) {
  Kernel& kernel = machine.kernel();
  const std::size_t wire = plan_.routers[fault.router].wire;
  netlink::Address strange;
  const auto last = static_cast<std::uint8_t>(240 + fault.amount % 10);
  const bool is_v6 = plan_.routers[fault.router].family == core::Family::v6;
  strange.prefix.address =
      is_v6 ? ipv6(0xfd00, wire, last)
            : core::IpAddress::v4({10, 0, static_cast<std::uint8_t>(wire), last});
  if (kind == KernelFault::address_taken) {
    strange.prefix.address = some_address(fault);
    // Who dies while it moves an address leaves it on record: the next one could not tell.
    const auto& record = machine.record().all();
    if (!machine.has_committed_child() &&
        std::any_of(record.begin(), record.end(), [&](const netlink::OwnedAddress& each) {
          return each.address == strange.prefix.address;
        }))
      return;
  }
  const bool has_network = fault.amount % 2 == 0;
  strange.prefix.length = is_v6 ? (has_network ? 64 : 128) : (has_network ? 24 : 32);
  kernel.somebody_adds(wire, strange);
  breaks(fault, false,
         [&kernel, address = strange.prefix.address] { kernel.somebody_removes(address); });
}

// ---- to processes ----

void Accidents::hit(ProcessFault kind, const Fault& fault, Machine& machine) {
  const unsigned steps = fault.amount % kMostSteps;
  switch (kind) {
    case ProcessFault::child_stopped:
      machine.pause_child(Process::Run::stopped);
      return breaks(fault, false, [&machine] { machine.go_on(); });
    case ProcessFault::child_hangs:
      machine.pause_child(Process::Run::hangs);
      return breaks(fault, false, [&machine] { machine.go_on(); });
    case ProcessFault::child_busy:
      machine.pause_child(Process::Run::busy);
      return breaks(fault, false, [&machine] { machine.go_on(); });
    case ProcessFault::watchdog_stopped:
      machine.pause_watchdog();
      return breaks(fault, false, [&machine] { machine.go_on(); });
    case ProcessFault::everything_stopped:
      machine.pause_everything();
      return breaks(fault, false, [&machine] { machine.go_on(); });
    case ProcessFault::child_killed:
      return machine.kill_child(steps);
    case ProcessFault::watchdog_killed:
      return machine.kill_watchdog(steps);
    case ProcessFault::everything_killed:
      return machine.kill_everything();
    case ProcessFault::slow_birth:
      machine.next_birth_takes(fault.lasts);
      return fault.amount % 2 == 0 ? machine.kill_child_at_move() : machine.kill_child(steps);
    case ProcessFault::stop_before_birth:
      machine.next_birth_takes(fault.lasts);
      machine.kill_child(0);
      return stop_meanwhile(fault, machine);
    case ProcessFault::stop_while_hanging:
      machine.pause_child(Process::Run::hangs);
      return stop_meanwhile(fault, machine);
    case ProcessFault::power_off:
      machine.power_off();
      return breaks(fault, false, [&machine] { machine.start(); });
  }
}

void Accidents::stop_meanwhile(const Fault& fault, Machine& machine) {
  world_.after(rng_.below(std::min(fault.lasts, Duration(1s))), [&machine] { machine.stop(); });
  breaks(fault, false, [&machine] {
    machine.go_on();
    machine.start();
  });
}

// ---- by people ----

void Accidents::edit(Machine& machine, const std::function<void(File&)>& change) {
  File file = machine.file();
  change(file);
  machine.edit(std::move(file));
  machine.reload();
  situation_.changed();
}

void Accidents::hit(PeoplesFault kind, const Fault& fault, Machine& machine) {
  const auto with_instance = [&](const std::function<void(InstanceSettings&)>& change) {
    edit(machine, [&](File& file) {
      for (InstanceSettings& each : file) {
        if (situation_.number_of(each) == fault.router) change(each);
      }
    });
  };
  switch (kind) {
    case PeoplesFault::stop_and_start:
      machine.stop();
      return breaks(fault, false, [&machine] { machine.start(); });
    case PeoplesFault::reload:
      return machine.reload();
    case PeoplesFault::other_priority:
      return edit(machine, [&](File& file) {
        for (InstanceSettings& each : file)  // of a group all together, as people are told
          if (situation_.number_of(each) == fault.router || !each.sync_group.empty())
            each.priority = static_cast<std::uint8_t>(1 + fault.amount % 254);
      });
    case PeoplesFault::other_interval:
      return change_interval(fault, machine);
    case PeoplesFault::without_peer:
      return without_peer(fault, machine);
    case PeoplesFault::other_addresses:
      return change_addresses(fault, machine);
    case PeoplesFault::without_instance:
      return without_instance(fault, machine);
    case PeoplesFault::renumbered:
      return renumber(fault);
    case PeoplesFault::renamed:
      return with_instance([&](InstanceSettings& each) { each.name += "x"; });
    case PeoplesFault::without_vrrp: {
      const File before = machine.file();
      edit(machine, [](File& file) { file.clear(); });
      return breaks(fault, false, [this, &machine, before] {
        if (machine.file().empty()) edit(machine, [&](File& file) { file = before; });
      });
    }
  }
}

// ---- to what is tracked ----

void Accidents::hit(TrackerFault kind, const Fault& fault, Machine& machine) {
  const auto& trackers = plan_.directors[fault.host].file[fault.router].trackers;
  if (trackers.empty()) return;
  const TrackerId& id = trackers[fault.amount % trackers.size()].id;
  const auto number = static_cast<int>(fault.amount / 4);
  if (kind == TrackerFault::other_weight) {
    return edit(machine, [&](File& file) {
      for (InstanceSettings& each : file) {
        if (situation_.number_of(each) != fault.router) continue;
        const auto found = std::ranges::find(each.trackers, id, &Tracker::id);
        const bool is_there = found != each.trackers.end();
        if (is_there && number % 5 == 0)
          each.trackers.erase(found);
        else if (is_there)
          found->weight = static_cast<std::int16_t>(number % 200 - 100);
        else
          each.trackers.push_back(
              {.id = id, .weight = static_cast<std::int16_t>(number % 99 - 50)});
      }
    });
  }
  if (id.kind == TrackerKind::interface) return;  // its link has accidents of its own
  const bool is_file = id.kind == TrackerKind::file;
  machine.set_truth(id, is_file ? Verdict{number % 30 - 15} : Verdict{number % 2});
  situation_.changed();
}

/// To that of another director: in version 2 it is the same.
void Accidents::change_interval(const Fault& fault, Machine& machine) {
  const Duration next = plan_.directors[fault.other].file[fault.router].advert_interval;
  edit(machine, [&](File& file) {
    for (InstanceSettings& each : file) {
      if (situation_.number_of(each) == fault.router) each.advert_interval = next;
    }
  });
}

/// One list lacks a peer: they hear each other one way only, or not at all.
void Accidents::without_peer(const Fault& fault, Machine& machine) {
  const InstanceSettings& whole = plan_.directors[fault.host].file[fault.router];
  if (!whole.unicast) return;
  const auto& peers = whole.unicast->peers;
  const core::IpAddress lost = peers[fault.amount % peers.size()].address;
  const auto set_peers = [this, &fault, &machine](const Unicast& unicast) {
    edit(machine, [&](File& file) {
      for (InstanceSettings& each : file) {
        if (situation_.number_of(each) == fault.router) each.unicast = unicast;
      }
    });
  };
  Unicast fewer = *whole.unicast;
  std::erase_if(fewer.peers, [&](const UnicastPeer& peer) { return peer.address == lost; });
  set_peers(fewer);
  breaks(fault, true, [set_peers, &whole] { set_peers(*whole.unicast); });
}

void Accidents::strange_advert(const Fault& fault, Instant end) {
  const Machine& machine = *situation_.machines[fault.host];
  if (const Instance* victim = situation_.instance(machine, fault.router)) {
    const std::size_t wire = plan_.routers[fault.router].wire;
    const auto packet = forged_advert(victim->settings(), victim->source_address(), wire, fault);
    if (packet) wires_.at(wire).send(Lan::kStranger, *packet);
  }
  const Instant next = world_.now() + plan_.routers[fault.router].interval / 3;
  if (next < end) world_.at(next, [this, &fault, end] { strange_advert(fault, end); });
}

void Accidents::change_addresses(const Fault& fault, Machine& machine) {
  const auto& pool = plan_.routers[fault.router].pool;
  edit(machine, [&](File& file) {
    for (InstanceSettings& each : file) {
      if (situation_.number_of(each) != fault.router) continue;
      const std::uint8_t length = each.addresses.front().prefix.length;
      const core::IpAddress& chosen = pool[fault.amount % pool.size()];
      const auto found =
          std::find_if(each.addresses.begin(), each.addresses.end(),
                       [&](const VirtualAddress& one) { return one.prefix.address == chosen; });
      if (found == each.addresses.end()) {
        VirtualAddress more = each.addresses.front();
        more.prefix = {chosen, length};
        each.addresses.push_back(more);
      } else if (each.addresses.size() > 1) {
        auto fewer = each.addresses.copy();
        fewer.erase(fewer.begin() + (found - each.addresses.begin()));
        each.addresses = std::move(fewer);
      }
    }
  });
}

void Accidents::without_instance(const Fault& fault, Machine& machine) {
  std::optional<InstanceSettings> removed;
  edit(machine, [&](File& file) {
    std::erase_if(file, [&](const InstanceSettings& each) {
      if (situation_.number_of(each) != fault.router) return false;
      removed = each;
      return true;
    });
  });
  if (!removed) return;
  breaks(fault, false, [this, &fault, &machine, removed] {
    edit(machine, [&](File& file) {
      const bool is_there = std::any_of(file.begin(), file.end(), [&](const auto& each) {
        return situation_.number_of(each) == fault.router;
      });
      if (!is_there) file.push_back(*removed);
    });
  });
}

/// On every machine, one after the other.
void Accidents::renumber(const Fault& fault) {
  const auto vrid = static_cast<std::uint8_t>(51 + 20 * fault.router + fault.amount % 20);
  Duration wait{};
  for (const auto& machine : situation_.machines) {
    world_.after(wait, [this, &fault, &machine = *machine, vrid] {
      edit(machine, [&](File& file) {
        for (InstanceSettings& each : file) {
          if (situation_.number_of(each) == fault.router) each.vrid = vrid;
        }
      });
    });
    wait += rng_.below(Duration(1s));
  }
}

}  // namespace holdfast::sim
