#include "vrrp/rehearsal_desk.hpp"

#include "runtime/base64.hpp"

namespace holdfast::vrrp {
namespace {

namespace json = boost::json;

std::string word_of(const json::object& request, std::string_view key) {
  const auto* value = request.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

json::object error_of(const core::Error& error) {
  return {{"error", error.message}};
}

}  // namespace

RehearsalDesk::RehearsalDesk(boost::asio::io_context& io, const Runner& runner,
                             const netlink::Reflector& reflector, const Notifier& notifier,
                             ReadWiring read_wiring)
    : runner_(runner),
      reflector_(reflector),
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

void RehearsalDesk::rehearse(const json::object& request, const runtime::ControlReply& reply) {
  const auto wiring = std::make_shared<core::Result<Wiring>>(core::fail("it is no snapshot"));
  const auto started = job_.start(
      [this, text = word_of(request, "snapshot"), wiring] {
        if (const auto bytes = runtime::from_base64(text)) *wiring = read_wiring_(*bytes);
      },
      [this, wiring, reply] {
        if (!*wiring) return reply(error_of(wiring->error()));
        step_through(std::move(**wiring), reply);
      });
  if (!started) reply(error_of(started.error()));
}

void RehearsalDesk::step_through(Wiring next, const runtime::ControlReply& reply) {
  answer_aside(
      [copy = std::make_shared<DirectorCopy>(runner_.copy()),
       interfaces = interfaces(next.instances), next = std::make_shared<Wiring>(std::move(next)),
       scripts = notifier_.scripts()] {
        return rehearse_reload(std::move(*copy), std::move(*next), interfaces, scripts);
      },
      reply);
}

void RehearsalDesk::suppose(const json::object& request, const runtime::ControlReply& reply) {
  const Supposition that{.what = word_of(request, "what"),
                         .name = word_of(request, "name"),
                         .value = word_of(request, "value")};
  answer_aside(
      [copy = std::make_shared<DirectorCopy>(runner_.copy()), that, interfaces = interfaces(),
       scripts = notifier_.scripts()] {
        auto answer = rehearse_what_if(std::move(*copy), that, interfaces, scripts);
        return answer ? std::move(*answer) : error_of(answer.error());
      },
      reply);
}

void RehearsalDesk::answer_aside(std::function<json::object()> make,
                                 const runtime::ControlReply& reply) {
  const auto answer = std::make_shared<json::object>();
  const auto started = job_.start([answer, make = std::move(make)] { *answer = make(); },
                                  [answer, reply] { reply(std::move(*answer)); });
  if (!started) reply(error_of(started.error()));
}

InterfacesByName RehearsalDesk::interfaces(const std::vector<InstanceSettings>& coming) const {
  std::map<std::string, std::set<IpAddress>> wanted;
  for (const Instance* each : runner_.router().instances())
    wanted[each->settings().interface].merge(addresses_to_watch(each->settings()));
  for (const InstanceSettings& each : coming)
    wanted[each.interface].merge(addresses_to_watch(each));
  InterfacesByName all;
  for (const netlink::Link& link : reflector_.links())
    all[link.name] = interface_status(reflector_, link, wanted[link.name]);
  return all;
}

}  // namespace holdfast::vrrp
