#include "vrrp/rehearsal_desk.hpp"

#include "vrrp/device_wiring.hpp"

namespace holdfast::vrrp {

namespace json = boost::json;

RehearsalDesk::RehearsalDesk(boost::asio::io_context& io, const Runner& runner,
                             const netlink::Reflector& reflector, const netlink::Devices& devices,
                             const Notifier& notifier, ReadWiring read_wiring)
    : runner_(runner),
      reflector_(reflector),
      devices_(devices),
      notifier_(notifier),
      read_wiring_(std::move(read_wiring)),
      job_(io) {}

void RehearsalDesk::answer_on(runtime::ControlServer& server) {
  using Access = runtime::ControlAccess;
  server.handle("rehearse", Access::change,
                [this](const json::object& request, const runtime::ControlReply& reply) {
                  rehearse(request, reply);
                });
  server.handle("what-if", Access::change,
                [this](const json::object& request, const runtime::ControlReply& reply) {
                  suppose(request, reply);
                });
}

std::shared_ptr<DirectorCopy> RehearsalDesk::copy() const {
  auto copy = std::make_shared<DirectorCopy>(runner_.copy());
  copy->is_wanted = job_.is_wanted();
  return copy;
}

void RehearsalDesk::rehearse(const json::object& request, const runtime::ControlReply& reply) {
  job_.read_snapshot<Wiring>(
      request, read_wiring_,
      [this, reply](Wiring next) {
        keep_device_names(next, devices_.ours());
        job_.answer(
            [copy = copy(), interfaces = interfaces(next.instances),
             next = std::make_shared<Wiring>(std::move(next)), scripts = notifier_.scripts()] {
              return rehearse_reload(std::move(*copy), std::move(*next), interfaces, scripts);
            },
            reply);
      },
      reply);
}

void RehearsalDesk::suppose(const json::object& request, const runtime::ControlReply& reply) {
  const Supposition that{.what = runtime::word_of(request, "what"),
                         .name = runtime::word_of(request, "name"),
                         .value = runtime::word_of(request, "value")};
  job_.answer(
      [copy = copy(), that, interfaces = interfaces(), scripts = notifier_.scripts()] {
        auto answer = rehearse_what_if(std::move(*copy), that, interfaces, scripts);
        return answer ? std::move(*answer) : runtime::error_answer(answer.error());
      },
      reply);
}

InterfacesByName RehearsalDesk::interfaces(const std::vector<InstanceSettings>& coming) const {
  std::map<std::string, std::set<IpAddress>> wanted;
  for (const Instance* each : runner_.router().instances())
    wanted[each->settings().interface].merge(addresses_to_watch(each->settings()));
  for (const InstanceSettings& each : coming)
    wanted[each.interface].merge(addresses_to_watch(each));
  HostQuestion host;
  for (const Instance* each : runner_.router().instances()) host.add(each->settings());
  for (const InstanceSettings& each : coming) host.add(each);
  const auto known = runner_.router().situation().interfaces;
  if (const auto found = known.find({}); found != known.end())
    host.known = found->second.sources_to;
  InterfacesByName all;
  if (wanted.contains({})) all[{}] = host_status(reflector_, host);
  for (const netlink::Link& link : reflector_.links())
    all[link.name] = interface_status(reflector_, link, wanted[link.name]);
  // One that is tracked and not there counts as down.
  for (const InstanceSettings& each : coming)
    for (const Tracker& tracker : each.trackers)
      if (tracker.id.kind == TrackerKind::interface) all.try_emplace(tracker.id.name);
  return all;
}

}  // namespace holdfast::vrrp
