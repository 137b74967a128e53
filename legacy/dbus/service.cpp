#include "legacy/dbus/service.hpp"

#include "runtime/clock.hpp"
#include "runtime/tidings.hpp"

#include <boost/asio/post.hpp>

#include "legacy/ask.hpp"
#include "legacy/messages.hpp"
#include "legacy/status_view.hpp"
#include <utility>

namespace holdfast::legacy {
namespace {

constexpr const char* kServiceInterface = "org.keepalived.Vrrp1.Vrrp";
constexpr const char* kInstanceInterface = "org.keepalived.Vrrp1.Instance";
/// Callers wait 25 s for a method by default.
constexpr core::Duration kPatience = std::chrono::seconds(10);
constexpr core::Duration kReloadPatience = std::chrono::seconds(24);

}  // namespace

/// What sd-bus calls. Methods are for root: sd-bus sees to that where nothing else is said.
struct BusService::Vtables {
  using Message = sd_bus_message;
  using Problem = sd_bus_error;

  static int name(sd_bus*, const char*, const char*, const char*, Message* reply, void* user,
                  Problem*) {
    return sd_bus_message_append(reply, "(s)", static_cast<Shown*>(user)->name.c_str());
  }
  static int state(sd_bus*, const char*, const char*, const char*, Message* reply, void* user,
                   Problem*) {
    const State state = static_cast<Shown*>(user)->what.state;
    return sd_bus_message_append(reply, "(us)", static_cast<std::uint32_t>(state),
                                 word_of(state).c_str());
  }
  static int send_garp(Message* message, void* user, Problem* problem) {
    const auto& shown = *static_cast<Shown*>(user);
    return shown.service.answer(
        message, problem,
        shown.service.ask("vrrp", {{"command", "announce"}, {"instance", shown.name}}, kPatience));
  }
  template <int Which>
  static int print(Message* message, void* user, Problem* problem) {
    constexpr std::array kDumps{"data", "stats", "stats,clear"};
    const auto& service = *static_cast<BusService*>(user);
    return service.answer(
        message, problem,
        service.ask("watchdog", {{"command", "dump"}, {"dumps", kDumps[Which]}}, kPatience));
  }
  static int reload(Message* message, void* user, Problem* problem) {
    const auto& service = *static_cast<BusService*>(user);
    return service.answer(message, problem,
                          service.ask("watchdog", {{"command", "reload"}}, kReloadPatience));
  }

  static const sd_bus_vtable* of_instance() {
    static const std::array kTable{
        sd_bus_vtable SD_BUS_VTABLE_START(0),
        sd_bus_vtable SD_BUS_METHOD("SendGarp", "", "", &Vtables::send_garp, 0),
        sd_bus_vtable SD_BUS_PROPERTY("Name", "(s)", &Vtables::name, 0,
                                      SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        sd_bus_vtable SD_BUS_PROPERTY("State", "(us)", &Vtables::state, 0,
                                      SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        sd_bus_vtable SD_BUS_SIGNAL("VrrpStatusChange", "u", 0),
        sd_bus_vtable SD_BUS_VTABLE_END};
    return kTable.data();
  }
  static const sd_bus_vtable* of_service() {
    static const std::array kTable{
        sd_bus_vtable SD_BUS_VTABLE_START(0),
        sd_bus_vtable SD_BUS_METHOD("PrintData", "", "", &Vtables::print<0>, 0),
        sd_bus_vtable SD_BUS_METHOD("PrintStats", "", "", &Vtables::print<1>, 0),
        sd_bus_vtable SD_BUS_METHOD("PrintStatsClear", "", "", &Vtables::print<2>, 0),
        sd_bus_vtable SD_BUS_METHOD("ReloadConfig", "", "", &Vtables::reload, 0),
        sd_bus_vtable SD_BUS_SIGNAL("VrrpStarted", "", 0),
        sd_bus_vtable SD_BUS_SIGNAL("VrrpReloaded", "", 0),
        sd_bus_vtable SD_BUS_SIGNAL("VrrpStopped", "", 0),
        sd_bus_vtable SD_BUS_VTABLE_END};
    return kTable.data();
  }
};

BusService::BusService(boost::asio::io_context& io, runtime::Logger& logger, Settings settings)
    : io_(io),
      logger_(logger),
      settings_(std::move(settings)),
      again_(io, [this] { begin(); }),
      refresh_(io, [this] { refresh(); }) {}

void BusService::begin() {
  // Not from inside the connection's own call.
  bus_ = std::make_unique<BusConnection>(
      io_, [this] { boost::asio::post(io_, [this] { serve(); }); },
      [this](const std::string& why) { boost::asio::post(io_, [this, why] { lose(why); }); });
  if (const auto opened = bus_->open(); !opened) lose(opened.error().message);
}

void BusService::serve() {
  if (!bus_) return;  // lost meanwhile
  sd_bus_slot* slot = nullptr;
  if (const int error =
          sd_bus_add_object_vtable(bus_->bus(), &slot, service_path(settings_.names).c_str(),
                                   kServiceInterface, Vtables::of_service(), this);
      error < 0)
    return lose(std::generic_category().message(-error));
  slot_.reset(slot);
  if (auto taken = bus_->take_name(settings_.service); !taken) return lose(taken.error().message);
  is_served_ = true;
  trouble_.clear();
  logger_.log(kBusServed, "{} is on the system bus", settings_.service);
  tell("VrrpStarted");
  asked_at_.reset();
  refresh();
  bus_->go_on();
}

void BusService::lose(const std::string& why) {
  if (trouble_ != why)
    logger_.log(kBusAway, "D-Bus is not served: {}; it is tried again every {} s", why,
                kPause / std::chrono::seconds(1));
  trouble_ = why;
  is_served_ = false;
  shown_.clear();
  slot_.reset();
  bus_.reset();
  again_.arm(runtime::now() + kPause);
}

core::Result<boost::json::object> BusService::ask(const char* process,
                                                  const boost::json::object& question,
                                                  core::Duration patience) const {
  auto told = ask_process(settings_.run_dir, process, question, patience);
  if (told && told->contains("ok") && !flag_in(*told, "ok"))
    return core::fail("{}", text_in(*told, "diagnostics"));
  return told;
}

int BusService::answer(sd_bus_message* message, sd_bus_error* error,
                       const core::Result<boost::json::object>& outcome) const {
  if (outcome) return sd_bus_reply_method_return(message, "");
  return sd_bus_error_set(error, SD_BUS_ERROR_FAILED, outcome.error().message.c_str());
}

// The document of a large director is long: it is asked for when it must have changed, only.
void BusService::refresh() {
  refresh_.arm(std::nullopt);
  if (!is_served_) return;
  const core::Instant now = runtime::now();
  if (asked_at_ && now - *asked_at_ < kAskEvery) return refresh_.arm(*asked_at_ + kAskEvery);
  asked_at_ = now;
  const auto status = ask("vrrp", {{"command", "status"}}, kPatience);
  // It is being started, or has just ended: its next line, or this, comes later.
  if (!status) return refresh_.arm(now + kAskEvery);
  const auto instances = instances_of(settings_.names, *status);
  std::vector<std::string> gone;
  for (const auto& [name, shown] : shown_) {
    const auto found = instances.find(name);
    if (found == instances.end() || found->second.path != shown->what.path) gone.push_back(name);
  }
  for (const std::string& name : gone) shown_.erase(name);
  for (const auto& [name, instance] : instances) show(name, instance);
  const std::int64_t generation = number_in(*status, "generation");
  if (generation_ && *generation_ != generation) tell("VrrpReloaded");
  generation_ = generation;
  bus_->go_on();
}

void BusService::show(const std::string& name, const BusInstance& instance) {
  auto& place = shown_[name];
  if (place) return tell_state(*place, instance.state);
  place = std::make_unique<Shown>(Shown{*this, name, {instance.path, State::init}, {}});
  sd_bus_slot* slot = nullptr;
  if (sd_bus_add_object_vtable(bus_->bus(), &slot, instance.path.c_str(), kInstanceInterface,
                               Vtables::of_instance(), place.get()) < 0) {
    shown_.erase(name);  // two instances have one path; the first is shown
    return;
  }
  place->slot.reset(slot);
  tell_state(*place, instance.state);
}

void BusService::take(std::string_view line) {
  if (line == runtime::kAskAgainLine) return refresh_.arm(runtime::now() + kSettle);
  if (line == runtime::kStoppedLine && is_served_) return tell("VrrpStopped");
  const auto told = state_line_of(line);
  if (!told || !is_served_) return;
  const auto found = shown_.find(told->name);
  if (found == shown_.end()) return refresh();
  tell_state(*found->second, told->state);
  if (told->state == State::deleted) shown_.erase(found);
  bus_->go_on();
}

void BusService::tell_state(Shown& shown, State state) {
  if (shown.what.state == state) return;
  shown.what.state = state;
  sd_bus_emit_signal(bus_->bus(), shown.what.path.c_str(), kInstanceInterface, "VrrpStatusChange",
                     "u", static_cast<std::uint32_t>(state));
  sd_bus_emit_properties_changed(bus_->bus(), shown.what.path.c_str(), kInstanceInterface, "State",
                                 nullptr);
}

void BusService::tell(const char* signal) {
  sd_bus_emit_signal(bus_->bus(), service_path(settings_.names).c_str(), kServiceInterface, signal,
                     "");
}

void BusService::leave() {
  if (bus_) bus_->flush();
}

}  // namespace holdfast::legacy
