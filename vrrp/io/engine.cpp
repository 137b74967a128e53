#include "vrrp/io/engine.hpp"

#include "vrrp/messages.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace holdfast::vrrp {
namespace {

constexpr core::Duration kNoiseEvery = std::chrono::minutes(1);

}  // namespace

Engine::Engine(boost::asio::io_context& io, runtime::Logger& logger, netlink::Reflector& reflector,
               ArpSocket arp, std::optional<HandoverPage> page, Executor::OnNotify on_notify)
    : io_(io),
      logger_(logger),
      reflector_(reflector),
      driver_(Router{}),
      ports_(io, [this](const std::string& interface) { wake(&interface); }),
      executor_(driver_, ports_, std::move(arp), reflector, logger, std::move(page),
                std::move(on_notify)),
      noise_(kNoiseEvery),
      timer_(io, [this] { wake(nullptr); }),
      patience_(io, [this] { handle(ShutdownNow{}); }) {
  // The reflector belongs to the daemon and may outlive us: its callbacks ask first.
  const std::weak_ptr<Life> life = life_;
  reflector_.on_link([this, life](const netlink::LinkEvent& event) {
    if (life.lock()) on_link(event);
  });
  reflector_.on_address([this, life](const netlink::AddressEvent& event) {
    if (life.lock()) on_address(event);
  });
  reflector_.on_published(
      [this, life](const core::RouterKey& owner, const netlink::Publication& publication) {
        if (life.lock()) on_published(owner, publication);
      });
  reflector_.on_lost(
      [this, life](const core::RouterKey& owner, const netlink::Publication& publication) {
        if (!life.lock()) return;
        if (const auto id = router().find(owner.interface, owner.vrid)) {
          handle(AddressesFailed{*id, std::string(publication.first_problem())});
        }
      });
  reflector_.on_repaired([this, life](const core::RouterKey& owner, const core::IpPrefix&) {
    if (!life.lock()) return;
    if (const auto id = router().find(owner.interface, owner.vrid)) handle(AddressesRepaired{*id});
  });
}

Engine::~Engine() = default;

// ---- the wake-up: read the clock once, drain the sockets, then judge ----

void Engine::wake(const std::string* readable) {
  if (in_turn_)
    return;  // a callback of the reflector, never the loop itself; the timer fires again
  in_turn_ = true;
  const core::Instant woke_at = runtime::now();
  const runtime::PauseDetector::Pause pause = pauses_.observe(driver_.deadline(), woke_at);
  report_pause(pause);
  actions_.clear();
  driver_.begin(woke_at, pause.suspended, actions_);
  const auto take_packet = [this](const std::string& interface,
                                  std::span<const std::uint8_t> packet) {
    take(interface, packet);
  };
  // Nothing may be judged before every socket was heard; while nothing is due one socket is enough.
  const bool is_due = driver_.deadline() && *driver_.deadline() <= woke_at;
  const bool complete = is_due || readable == nullptr ? ports_.drain_all(take_packet)
                                                      : ports_.drain(*readable, take_packet);
  if (!complete && noise_.admit("flood", woke_at)) {
    logger_.log(kFlood, "more than {} packets were waiting on an interface", kMaxDrainPackets);
  }
  driver_.finish(actions_);
  end_turn();
}

void Engine::take(const std::string& interface, std::span<const std::uint8_t> packet) {
  if (const auto id = router().interface_id(interface)) driver_.receive({*id, packet}, actions_);
}

void Engine::handle(Event event) {
  pending_.push_back(std::move(event));
  if (in_turn_) return;  // the turn that runs will take it
  in_turn_ = true;
  actions_.clear();
  end_turn();
}

void Engine::end_turn() {
  perform();
  for (int count = 0; !pending_.empty() && count < kMaxEventsPerTurn; ++count) {
    const Event event = std::move(pending_.front());
    pending_.pop_front();
    actions_.clear();
    driver_.handle(event, runtime::now(), actions_);
    perform();
  }
  in_turn_ = false;
  if (!pending_.empty()) {
    boost::asio::post(io_, [this, life = std::weak_ptr<Life>(life_)] {
      if (!life.lock() || in_turn_) return;
      in_turn_ = true;
      actions_.clear();
      end_turn();
    });
  }
  timer_.arm(driver_.deadline());
  if (executor_.stopped() && on_stopped_) std::exchange(on_stopped_, {})();
}

void Engine::perform() {
  executor_.perform(actions_);
  const bool any_gone = std::any_of(actions_.begin(), actions_.end(), [](const Action& action) {
    return std::holds_alternative<Removed>(action);
  });
  if (any_gone) refresh_ports();
}

void Engine::report_pause(const runtime::PauseDetector::Pause& pause) {
  const auto threshold = router().shortest_interval();
  if (!threshold || pause.total() < *threshold) return;
  if (!noise_.admit("pause", runtime::now())) return;
  logger_.log(kPause, "woke up {} ms late, the machine was suspended for {} ms",
              pause.late.count() / 1000, pause.suspended.count() / 1000);
}

// ---- configuration ----

core::Result<void> Engine::prepare(const std::vector<InstanceSettings>& next) {
  for (const InstanceSettings& settings : next) {
    const netlink::Link* link = reflector_.link(settings.interface);
    if (link == nullptr) continue;
    if (auto opened = ports_.open(settings.interface, link->index); !opened) {
      abort();
      return opened;
    }
  }
  return {};
}

void Engine::abort() {
  refresh_ports();
}

void Engine::commit(std::vector<InstanceSettings> next) {
  in_turn_ = true;  // what the reflector calls back now belongs to this turn
  claim_addresses(next);
  watch(next);
  const core::Instant moment = runtime::now();
  actions_.clear();
  driver_.begin(moment, core::Duration::zero(), actions_);
  for (const std::string& name : watched_) {
    driver_.handle(InterfaceChanged{name, read_interface(name)}, moment, actions_);
  }
  driver_.handle(Reload{next}, moment, actions_);
  if (!started_) {
    started_ = true;
    resume(next);
    driver_.handle(Startup{}, moment, actions_);
  }
  refresh_ports();
  end_turn();
}

void Engine::claim_addresses(const std::vector<InstanceSettings>& settings) {
  for (const InstanceSettings& each : settings) {
    reflector_.claim(router_key({each.interface, each.vrid}),
                     desired_addresses(each.interface, each.all_addresses()));
  }
  // Done within this turn, after resumed instances have said what they hold.
  reflector_.sweep_leftovers();
}

void Engine::watch(const std::vector<InstanceSettings>& settings) {
  watched_.clear();
  for (const InstanceSettings& each : settings) {
    const bool is_new = watched_.insert(each.interface).second;
    if (!is_new || reflector_.link(each.interface) != nullptr) continue;
    logger_.log(kNoInterface, "interface {} of vrrp_instance {} does not exist on this host",
                each.interface, each.name);
  }
}

// What the page says about virtual routers that the configuration no longer has must not come back
// in a later life.
void Engine::resume(const std::vector<InstanceSettings>& settings) {
  auto& page = executor_.page();
  if (!page) return;
  std::set<std::uint64_t> configured;
  for (const InstanceSettings& each : settings) {
    const InstanceKey key{each.interface, each.vrid};
    const std::uint64_t place = page_key(router_key(key));
    configured.insert(place);
    const auto record = page->load(place);
    if (!record || record->state != runtime::VrrpRecord::State::master) continue;
    driver_.handle(ResumeFromPage{key, record->since, record->last_advert_sent_at}, runtime::now(),
                   actions_);
  }
  for (const std::uint64_t key : page->keys()) {
    if (!configured.contains(key)) page->erase(key);
  }
}

void Engine::refresh_ports() {
  std::map<std::string, std::set<std::uint8_t>> vrids;
  for (const InstanceId id : router().ids()) {
    const InstanceSettings& settings = router().view(id).settings();
    vrids[settings.interface].insert(settings.vrid);
  }
  std::set<std::string> in_use;
  for (const auto& [interface, wanted] : vrids) {
    in_use.insert(interface);
    ports_.set_vrids(interface, wanted);
  }
  ports_.retain(in_use);
}

void Engine::stop(bool keep_addresses, std::function<void()> on_stopped) {
  on_stopped_ = std::move(on_stopped);
  if (keep_addresses) executor_.keep_addresses();
  patience_.arm(runtime::now() + kMaxHandover);
  handle(Shutdown{});
}

// ---- the kernel's news ----

void Engine::on_link(const netlink::LinkEvent& event) {
  if (const auto* changed = std::get_if<netlink::LinkChanged>(&event)) {
    mark_dirty(changed->before.name);
    mark_dirty(changed->after.name);
  } else if (const auto* appeared = std::get_if<netlink::LinkAppeared>(&event)) {
    mark_dirty(appeared->link.name);
  } else if (const auto* vanished = std::get_if<netlink::LinkVanished>(&event)) {
    mark_dirty(vanished->link.name);
  }
}

void Engine::on_address(const netlink::AddressEvent& event) {
  const auto note = [this](const netlink::Address& address) {
    if (const netlink::Link* link = reflector_.link(address.interface)) mark_dirty(link->name);
  };
  if (const auto* changed = std::get_if<netlink::AddressChanged>(&event)) {
    note(changed->after);
  } else if (const auto* vanished = std::get_if<netlink::AddressVanished>(&event)) {
    note(vanished->address);
  } else if (const auto* appeared = std::get_if<netlink::AddressAppeared>(&event)) {
    note(appeared->address);
  }
}

void Engine::on_published(const core::RouterKey& owner, const netlink::Publication& publication) {
  if (!publication.wanted || publication.complete) return;
  const auto id = router().find(owner.interface, owner.vrid);
  if (!id) return;
  for (const netlink::HeldAddress& address : publication.addresses) {
    if (address.problem.empty()) continue;
    logger_.log(kAddressTrouble, "{}: {}", router().view(*id).settings().name, address.problem);
    handle(AddressesFailed{*id, address.problem});
    return;
  }
}

// A burst of events (twenty addresses put in place) becomes one look at the interface.
void Engine::mark_dirty(const std::string& interface) {
  if (!watched_.contains(interface)) return;
  const bool is_first = dirty_.empty();
  dirty_.insert(interface);
  if (!is_first) return;
  boost::asio::post(io_, [this, life = std::weak_ptr<Life>(life_)] {
    if (!life.lock()) return;
    for (const std::string& name : std::exchange(dirty_, {})) refresh_interface(name);
  });
}

void Engine::refresh_interface(const std::string& name) {
  InterfaceStatus status = read_interface(name);
  refresh_ports();
  handle(InterfaceChanged{name, std::move(status)});
}

/// Opens or closes the interface's socket on the way: an instance without a socket must not take
/// part.
InterfaceStatus Engine::read_interface(const std::string& name) {
  const netlink::Link* link = reflector_.link(name);
  if (link == nullptr) {
    ports_.close(name);
    return {};
  }
  InterfaceStatus status{.exists = true, .up = link->is_usable(), .primary_address = {}};
  status.primary_address = reflector_.primary_v4(link->index);
  if (const auto opened = ports_.open(name, link->index); !opened) {
    if (noise_.admit(name, runtime::now())) logger_.log(kNoSocket, "{}", opened.error().message);
    status.up = false;
  }
  return status;
}

}  // namespace holdfast::vrrp
