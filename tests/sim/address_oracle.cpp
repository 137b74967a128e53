#include "tests/sim/address_oracle.hpp"

#include <algorithm>
#include <set>

namespace holdfast::sim {

using namespace vrrp;
using namespace std::chrono_literals;

namespace {

/// From the end of a budget to the end of the process that takes the addresses off; the silence of
/// a child that hangs is counted from its last heartbeat, not from its last advert.
constexpr Duration kReleaseTakes = 1s;
/// Supervisor::Settings: look_after, and successor_time to see whether it works.
constexpr Duration kHangingIsSeen = 1300ms;
/// A watchdog that was stopped has to look first.
constexpr Duration kLookTakes = 1s;
/// What the kernel tells is read and judged.
constexpr Duration kNewsTakes = 10ms;
/// The keeper tries a refused address again at the latest after this long.
constexpr Duration kLongestRetry = 61s;

bool has(const AddressList& list, const core::IpAddress& address) {
  return std::any_of(list.begin(), list.end(),
                     [&](const VirtualAddress& each) { return each.prefix.address == address; });
}

bool has_own_of_ours(const Machine& machine, std::size_t wire) {
  const Kernel& kernel = machine.kernel();
  return std::any_of(kernel.ours().begin(), kernel.ours().end(), [&](const auto& each) {
    return each.second == wire && kernel.was_somebodys(each.first);
  });
}

/// The instance of this process that should have the address at the moment.
const Instance* holder(const Child& child, const core::IpAddress& address) {
  for (const Instance* instance : child.router().instances()) {
    if (instance->holds_addresses() && has(instance->settings().all_addresses(), address))
      return instance;
  }
  return nullptr;
}

}  // namespace

void AddressOracle::woke(const Child& child, const Wake& wake) {
  if (!child.is_committed()) return;
  if (wake.cause == Wake::Cause::first_commit)
    std::erase_if(packets_before_, [&](const auto& each) { return each.first.first == &child; });
  check_counters(child, wake);
}

void AddressOracle::settled(const Child& child) const {
  if (!child.is_committed()) return;
  check_page(child);
  check_sources(child);
  check_kernel(child);
}

void AddressOracle::check_kernel(const Child& child) const {
  if (child.reflector().is_behind()) return;  // what it does not know yet it cannot mend
  const Machine& machine = child.machine();
  for (const auto& [address, wire] : machine.kernel().ours()) {
    if (holder(child, address) == nullptr)
      situation_.violated("no address without mastership", machine.name(),
                          fmt::format("has {}, and no instance holds it", address.to_string()));
  }
  if (situation_.now() - machine.kernel().disturbed_at() < kLongestRetry) return;
  for (const Instance* instance : child.router().instances()) {
    if (instance->state_name() != StateName::master) continue;
    for (const VirtualAddress& address : instance->settings().all_addresses()) {
      const core::IpAddress& ip = address.prefix.address;
      const Kernel& kernel = machine.kernel();
      // What somebody else has put there he may take away again.
      if (kernel.refuses(ip) || kernel.has(ip) || kernel.was_somebodys(ip)) continue;
      situation_.violated("a master has its addresses", machine.name(),
                          fmt::format("is master and does not have {}", ip.to_string()));
    }
  }
}

/// Unicast, IPv6 and a source that is tracked need the address; who has lost it does not serve.
void AddressOracle::check_sources(const Child& child) const {
  if (child.reflector().is_behind() || child.has_to_look()) return;
  const Machine& machine = child.machine();
  if (situation_.now() - machine.kernel().changed_at() < kNewsTakes) return;
  for (const Instance* instance : child.router().instances()) {
    const bool serves =
        instance->state_name() == StateName::master || instance->state_name() == StateName::backup;
    const std::size_t wire = situation_.routers[situation_.number_of(instance->settings())].wire;
    // An address that the host had before us and we put back is both.
    if (serves && !has_own_of_ours(machine, wire) &&
        !Situation::has_source(machine, wire, instance->settings()))
      situation_.violated(
          "no source, no service", machine.name(),
          fmt::format("{} goes on without an address to send from", instance->settings().name));
  }
}

void AddressOracle::check_counters(const Child& child, const Wake& wake) {
  const Machine& machine = child.machine();
  for (const Action& action : wake.actions) {
    if (const auto* removed = std::get_if<Removed>(&action)) {
      const core::RouterKey& key = removed->router->key;
      const Instance* next = child.router().find(key);
      packets_before_[{&child, key}] =
          child.adverts_sent(key) - (next == nullptr ? 0 : next->counters().adverts_sent);
    }
  }
  for (const Instance* instance : child.router().instances()) {
    const std::uint64_t packets = packets_of(child, instance->key());
    if (instance->counters().adverts_sent != packets)
      situation_.violated(
          "counted is sent", machine.name(),
          fmt::format("counts {} adverts of {} and has sent {}", instance->counters().adverts_sent,
                      instance->settings().name, packets));
  }
}

/// Of this life of the instance.
std::uint64_t AddressOracle::packets_of(const Child& child, const core::RouterKey& key) const {
  const auto before = packets_before_.find({&child, key});
  return child.adverts_sent(key) - (before == packets_before_.end() ? 0 : before->second);
}

void AddressOracle::check_page(const Child& child) const {
  const Machine& machine = child.machine();
  for (const Instance* instance : child.router().instances()) {
    const core::RouterKey& key = instance->key();
    if (instance->state_name() != StateName::master) continue;
    const auto record = machine.page().load(key);
    if (!record) continue;  // void: the addresses are being taken off by another process
    if (record->state != Page::Record::State::master)
      situation_.violated("the page is true", machine.name(), "is master and its page says it not");
    const Instant last = machine.last_packet(key);
    if (packets_of(child, key) > 0 && record->last_advert_sent_at != last)
      situation_.violated("the page is true", machine.name(),
                          "pages another last advert than the segment saw");
  }
}

void AddressOracle::announced(const Child& child, const core::RouterKey& key,
                              const core::IpAddress& address) {
  if (!child.wishes(key))
    situation_.violated("no announcement after a withdrawal", child.machine().name(),
                        fmt::format("announces {}, which it has given up", address.to_string()));
  if (!child.machine().kernel().has(address) && !child.reflector().is_behind())
    situation_.violated("announced is there", child.machine().name(),
                        fmt::format("announces {}, which it does not have", address.to_string()));
}

void AddressOracle::look() {
  for (const auto& machine : situation_.machines) {
    if (machine->kernel().robbed())
      situation_.violated(
          "addresses of others stay", machine->name(),
          fmt::format("took off {}, which is not ours", machine->kernel().robbed()->to_string()));
    if (machine->has_littered())
      situation_.violated("who ends leaves nothing", machine->name(),
                          "has ended in order, and addresses of ours are on its interfaces");
    const Watchdog* watchdog = machine->watchdog();
    const bool guarded = watchdog != nullptr && watchdog->runs();
    if (!guarded) {
      guarded_since_.erase(machine.get());
    } else {
      guarded_since_.try_emplace(machine.get(), situation_.now());
    }
    check_leftovers(*machine);
  }
}

// A killed watchdog and its child at once leave nobody: then the next start has to sweep.
void AddressOracle::check_leftovers(const Machine& machine) {
  const Instant now = situation_.now();
  const Child* child = machine.child();
  const bool lives = child != nullptr && child->runs() && child->is_committed();
  const auto first = without_holder_since_.lower_bound({&machine, core::IpAddress{}});
  for (auto at = first; at != without_holder_since_.end() && at->first.first == &machine;) {
    const bool served = lives && holder(*child, at->first.second) != nullptr;
    const bool gone = !machine.kernel().ours().contains(at->first.second);
    at = served || gone ? without_holder_since_.erase(at) : std::next(at);
  }
  for (const auto& [address, wire] : machine.kernel().ours()) {
    if (lives && holder(*child, address) != nullptr) continue;
    const Instant since = without_holder_since_.try_emplace({&machine, address}, now).first->second;
    const auto guarded = guarded_since_.find(&machine);
    if (guarded == guarded_since_.end() || !machine.has_begun()) continue;
    // Whose adverts did not leave anyway has lost nothing by being busy: it is waited for.
    if (machine.sending_fails() && child != nullptr && child->is_busy()) continue;
    const auto number = situation_.number_of(address);
    const Duration budget =
        number ? std::max(3 * situation_.routers[*number].interval, kHangingIsSeen) : 6s;
    // It may have gone on for a moment and sent an advert.
    const Instant served_at = std::max(since, machine.last_packet());
    if (now <= std::max(served_at + budget + kReleaseTakes, guarded->second + kLookTakes)) continue;
    situation_.violated("nothing outlives its holder", machine.name(),
                        fmt::format("has {} since {:.3f} s without a holder", address.to_string(),
                                    std::chrono::duration<double>(now - since).count()));
  }
}

}  // namespace holdfast::sim
