#include "vrrp/io/executor.hpp"

#include "core/assertion.hpp"
#include "runtime/clock.hpp"
#include "vrrp/core/timing.hpp"
#include "vrrp/messages.hpp"

#include <system_error>

namespace holdfast::vrrp {
namespace {

constexpr core::Duration kSendErrorEvery = std::chrono::seconds(10);

template <class Wanted>
const Wanted* as(const Action& action) {
  return std::get_if<Wanted>(&action);
}

std::optional<InstanceId> instance_of(const Action& action) {
  return std::visit(
      [](const auto& known) -> std::optional<InstanceId> {
        if constexpr (requires { known.instance; }) {
          return known.instance;
        } else {
          return std::nullopt;
        }
      },
      action);
}

}  // namespace

core::RouterKey router_key(const InstanceKey& key) {
  return {.interface = key.interface,
          .family = core::Family::v4,
          .vrid = key.vrid,
          .channel = core::IpAddress::v4({224, 0, 0, 18})};
}

std::uint64_t page_key(const core::RouterKey& key) {
  return runtime::handover_key(core::to_string(key));
}

std::vector<netlink::DesiredAddress> desired_addresses(
    const std::string& interface, const std::vector<VirtualAddress>& addresses) {
  std::vector<netlink::DesiredAddress> desired;
  desired.reserve(addresses.size());
  for (const VirtualAddress& address : addresses) {
    desired.push_back({.interface = address.interface.empty() ? interface : address.interface,
                       .prefix = address.prefix,
                       .label = address.label,
                       .broadcast = address.broadcast,
                       .scope = address.scope.value_or(netlink::kScopeGlobal)});
  }
  return desired;
}

Executor::Executor(Driver& driver, AdvertPorts& ports, ArpSocket arp, netlink::Reflector& reflector,
                   runtime::Logger& logger, std::optional<HandoverPage> page, OnNotify on_notify)
    : driver_(driver),
      ports_(ports),
      arp_(std::move(arp)),
      reflector_(reflector),
      logger_(logger),
      page_(std::move(page)),
      on_notify_(std::move(on_notify)),
      send_errors_(kSendErrorEvery) {}

// A step over many instances becomes one batch of each kind. Within one instance the core's order
// is the same, so that grouping by kind keeps the contract and saves system calls.
void Executor::perform(const Actions& actions) {
  if (actions.empty()) return;
  for (const Action& action : actions) {
    if (const auto id = instance_of(action)) learn(*id);
  }
  send_adverts(actions);
  move_addresses(actions);
  announce(actions);
  for (const Action& action : actions) {
    std::visit([this](const auto& each) { tell(each); }, action);
  }
}

void Executor::learn(InstanceId id) {
  const Router& router = driver_.router();
  if (!router.contains(id)) return;  // learned earlier, removed within this wake-up
  const InstanceSettings& settings = router.view(id).settings();
  Known& entry = known_[static_cast<std::uint32_t>(id)];
  if (entry.owner.vrid == 0) {
    entry.key = {settings.interface, settings.vrid};
    entry.owner = router_key(entry.key);
    entry.page_key = page_key(entry.owner);
  }
  if (entry.name != settings.name) entry.name = settings.name;
}

const Executor::Known& Executor::known(InstanceId id) const {
  const auto found = known_.find(static_cast<std::uint32_t>(id));
  HOLDFAST_ASSERT(found != known_.end(), "perform learns every id before it acts");
  return found->second;
}

void Executor::send_adverts(const Actions& actions) {
  bool any = false;
  for (const Action& action : actions) {
    const auto* advert = as<SendAdvert>(action);
    if (advert == nullptr || !driver_.router().contains(advert->instance)) continue;
    PacketQueue* queue = ports_.queue(known(advert->instance).key.interface);
    if (queue == nullptr || !driver_.encode(*advert, queue->bytes())) continue;
    queue->end_packet();
    any = true;
  }
  if (!any) return;
  ports_.flush(
      [this](const std::string& interface, int error) { complain(interface, "an advert", error); });
  for (const Action& action : actions) {
    if (const auto* advert = as<SendAdvert>(action)) remember(advert->instance);
  }
}

// The successor of a killed process reads here whether it was master, and whether peers can have
// noticed.
void Executor::remember(InstanceId id) {
  if (!page_ || !driver_.router().contains(id)) return;
  const Instance& instance = driver_.router().view(id);
  const bool is_master = instance.state_name() == StateName::master;
  runtime::VrrpRecord record;
  record.since = is_master ? instance.became_master_at() : instance.since();
  record.last_advert_sent_at = instance.last_advert_at();
  record.silence_allowed = silence_allowed(instance.settings());
  record.vrid = instance.settings().vrid;
  record.priority = instance.effective_priority();
  record.state = is_master ? runtime::VrrpRecord::State::master : runtime::VrrpRecord::State::other;
  page_->store(known(id).page_key, record);
}

void Executor::move_addresses(const Actions& actions) {
  bool any = false;
  for (const Action& action : actions) {
    if (const auto* publish = as<PublishAddresses>(action)) {
      const Known& instance = known(publish->instance);
      reflector_.hold(instance.owner,
                      desired_addresses(instance.key.interface, publish->addresses));
      any = true;
    } else if (const auto* withdraw = as<WithdrawAddresses>(action);
               withdraw != nullptr && !keep_addresses_) {
      reflector_.release(known(withdraw->instance).owner);
      any = true;
    }
  }
  // Announcements must follow the addresses: hosts ask back at once.
  if (any) reflector_.flush();
}

void Executor::announce(const Actions& actions) {
  frames_.clear();
  for (const Action& action : actions) {
    if (const auto* burst = as<Announce>(action)) queue_announcements(*burst, frames_);
  }
  if (frames_.empty()) return;
  if (const int error = arp_.send(frames_); error != 0)
    complain("gratuitous ARP", "an announcement", error);
}

// Round robin, as keepalived does: a lost moment costs every address one repetition, not one
// address all.
void Executor::queue_announcements(const Announce& action, std::vector<ArpFrame>& frames) const {
  if (!driver_.router().contains(action.instance)) return;
  const InstanceSettings& settings = driver_.router().view(action.instance).settings();
  std::vector<ArpFrame> round;
  for (const VirtualAddress& address : settings.all_addresses()) {
    const netlink::Link* link =
        reflector_.link(address.interface.empty() ? settings.interface : address.interface);
    if (!address.prefix.address.is_v4() || link == nullptr || !link->mac || link->no_arp) continue;
    round.push_back({link->index, gratuitous_arp(*link->mac, address.prefix.address)});
  }
  for (std::uint32_t i = 0; i < action.repeat; ++i)
    frames.insert(frames.end(), round.begin(), round.end());
}

void Executor::tell(const Notify& action) {
  const Known& instance = known(action.instance);
  on_notify_(instance.key, instance.name, action);
}

void Executor::tell(const StateChanged& action) {
  const runtime::Message& message = action.to == StateName::fault ? kFault : kState;
  logger_.log(message, "{}: {} → {}: {}", known(action.instance).name, to_string(action.from),
              to_string(action.to), action.why);
  remember(action.instance);
}

void Executor::tell(const PeerProblem& action) {
  logger_.log(kPeerProblem, "{}: {} (from {}, {} so far)", known(action.instance).name,
              action.sentence, action.source.to_string(), action.occurrences);
}

void Executor::tell(const Removed& action) {
  const Known& instance = known(action.instance);
  // A new instance with the same key may have begun in the same step.
  if (!driver_.router().find(instance.key.interface, instance.key.vrid)) {
    reflector_.forget(instance.owner);
    if (page_) page_->erase(instance.page_key);
  }
  known_.erase(static_cast<std::uint32_t>(action.instance));
}

void Executor::tell(const Stopped&) {
  stopped_ = true;
}

void Executor::complain(const std::string& interface, std::string_view what, int error) {
  const auto held_back = send_errors_.admit(interface, runtime::now());
  if (!held_back) return;
  logger_.log(kSendFailed, "{}: {} could not be sent: {} ({} more like this since the last line)",
              interface, what, std::generic_category().message(error), *held_back);
}

}  // namespace holdfast::vrrp
