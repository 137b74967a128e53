#include "tests/sim/host.hpp"

#include "vrrp/io/ipv4_header.hpp"

namespace holdfast::sim {

using namespace vrrp;
using namespace std::chrono_literals;

namespace {
constexpr std::size_t kSocketBufferPackets = 64;  // what does not fit is lost, as in a kernel
}

Host::Host(World& world, Lan& lan, core::Rng& rng, Watcher& watcher, InstanceSettings settings,
           core::IpAddress address)
    : world_(world),
      lan_(lan),
      rng_(rng),
      watcher_(watcher),
      settings_(std::move(settings)),
      address_(address) {
  port_ = lan.plug_in([this](const Bytes& packet) { received(packet); });
}

const Instance& Host::instance() const {
  return *driver_->router().instances().front();
}

void Host::start(bool with_page) {
  if (driver_) return;
  driver_ = std::make_unique<Driver>(Router({settings_}));
  socket_.clear();
  stopping_ = false;
  std::vector<Event> events{
      InterfaceChanged{"eth0", {.exists = true, .up = link_up_, .primary_address = address_}}};
  resuming_ = with_page && page_;
  if (resuming_) events.emplace_back(*page_);
  if (!with_page) page_.reset();
  events.emplace_back(Startup{});
  wake(with_page ? Wake::Cause::resume : Wake::Cause::start, events);
}

void Host::kill() {
  driver_.reset();
  socket_.clear();
  paused_at_.reset();
  paused_for_.reset();
  planned_for_.reset();
  stopping_ = false;
  ++plan_;
}

void Host::power_off() {
  kill();
  holds_addresses_ = false;
  page_.reset();
}

void Host::stop() {
  if (!driver_ || stopping_ || paused_at_) return;
  stopping_ = true;
  wake(Wake::Cause::shutdown, {Shutdown{}});
}

void Host::pause() {
  if (driver_ && !paused_at_) paused_at_ = world_.now();
}

void Host::go_on() {
  if (!paused_at_) return;
  paused_for_ = world_.now() - *paused_at_;
  paused_at_.reset();
  if (driver_) wake(socket_.empty() ? Wake::Cause::timer : Wake::Cause::packets, {});
  if (driver_) set_link(link_up_);  // netlink news waited in their own socket
}

void Host::set_link(bool up) {
  link_up_ = up;
  if (driver_ && !paused_at_) {
    wake(Wake::Cause::link,
         {InterfaceChanged{"eth0", {.exists = true, .up = up, .primary_address = address_}}});
  }
}

void Host::reload(const InstanceSettings& settings) {
  if (!driver_ || paused_at_ || stopping_) return;
  const bool same = settings == settings_;
  settings_ = settings;
  wake(same ? Wake::Cause::reload_same : Wake::Cause::reload_changed, {Reload{{settings}}});
}

void Host::disturb_addresses() {
  if (driver_ && !paused_at_ && holds_addresses_)
    wake(Wake::Cause::kernel, {AddressesRepaired{instance().key()}});
}

void Host::received(const Bytes& packet) {
  if (!driver_ || !link_up_ || socket_.size() >= kSocketBufferPackets) return;
  socket_.push_back(packet);
  if (!paused_at_ && socket_.size() == 1) {
    world_.after(rng_.below(Duration(200us)), [this] {
      if (driver_ && !paused_at_ && !socket_.empty()) wake(Wake::Cause::packets, {});
    });
  }
}

void Host::wake(Wake::Cause cause, const std::vector<Event>& events) {
  Wake wake{.cause = cause,
            .before = instance().state_name(),
            .had_page = false,
            .first_after_pause = false,
            .paused_for = {},
            .heard = {},
            .actions = {}};
  wake.had_page = std::exchange(resuming_, false);
  wake.first_after_pause = paused_for_.has_value();
  wake.paused_for = std::exchange(paused_for_, std::nullopt).value_or(Duration::zero());

  if (events.empty()) {
    driver_->begin(world_.now(), 0s, wake.actions);
    drain(wake);
    driver_->finish(wake.actions);
  }
  for (const Event& event : events) driver_->handle(event, world_.now(), wake.actions);
  perform(wake.actions, *this,
          [this](const Event& answer, Actions& out) { driver_->answer(answer, out); });
  watcher_.woke(*this, wake);
  if (driver_->router().has_stopped()) {
    kill();
    page_.reset();
    return;
  }
  plan_wake();
}

void Host::drain(Wake& wake) {
  while (!socket_.empty()) {
    const Bytes bytes = std::exchange(socket_.front(), {});
    socket_.pop_front();
    auto packet = decode_ipv4(bytes);
    if (packet.has_error()) continue;
    if (auto advert = decode_advert(packet->payload))
      wake.heard.emplace_back(packet->source, *advert);
    packet->interface = "eth0";
    driver_->receive(*packet, wake.actions);
  }
}

void Host::send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers) {
  for (const SendAdvert* advert : adverts) {
    Bytes bytes;
    encode_ipv4(*advert->departure, advert->departure->destinations.front(), advert->identification,
                bytes);
    if (link_up_) lan_.send(port_, bytes);
    answers.emplace_back(AdvertSent{advert->router->key, advert->priority});
  }
}

void Host::move(std::span<const AddressMove> moves) {
  for (const AddressMove& move : moves) {
    holds_addresses_ = std::holds_alternative<const PublishAddresses*>(move);
    if (!holds_addresses_ || !kernel_refuses_) continue;
    world_.after(1ms, [this, key = instance().key()] {
      if (driver_ && !paused_at_ && is_master()) {
        wake(Wake::Cause::kernel, {AddressesPlaced{key, 1, 0, "the kernel refuses"}});
      }
    });
  }
}

void Host::tell(const Action& action) {
  const auto* remember = std::get_if<Remember>(&action);
  if (remember == nullptr) return;
  page_.reset();
  if (remember->state == StateName::master)
    page_ = ResumeFromPage{remember->router->key, remember->since, remember->last_advert_at};
}

void Host::plan_wake() {
  const auto deadline = driver_->deadline();
  if (deadline == planned_for_ && deadline && *deadline > world_.now()) return;
  planned_for_ = deadline;
  ++plan_;
  if (!deadline) return;
  world_.at(*deadline + rng_.below(kLatestWake), [this, plan = plan_] {
    if (plan == plan_ && driver_ && !paused_at_) wake(Wake::Cause::timer, {});
  });
}

}  // namespace holdfast::sim
