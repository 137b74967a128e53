// virtual_server → VirtualServer. Its servers are built in build_server.cpp.
#include "config/builders/service.hpp"

#include "config/schema/hint.hpp"
#include "config/schema/row.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

constexpr std::int64_t kLargestMark = 4'294'967'295;

core::IpAddress any_address(core::Family family) {
  return family == core::Family::v6 ? core::IpAddress::v6({}) : core::IpAddress::v4({});
}
// Flags are two bits that each scheduler reads in its own way: those of another scheduler would
// mean something else.
void finish_flags(ServiceDraft& draft, Reporter& reporter) {
  VirtualServer& service = draft;
  for (const SchedulerFlag& flag : draft.flags) {
    if (flag.scheduler.empty() || flag.scheduler == service.scheduler) {
      service.scheduler_flags |= flag.bit;
      continue;
    }
    reporter.warning(flag.range, fmt::format("'{}' is ignored: the scheduler is {}, not {}",
                                             flag.word, service.scheduler, flag.scheduler));
  }
}

core::Family family_of(const ServiceDraft& draft) {
  if (draft.by_address()) return draft.address.family();
  if (draft.family) return *draft.family;
  if (draft.granularity.length != 0 && draft.netmask_is_dotted) return core::Family::v4;
  return implied_family(draft);
}

const char* word_for(core::Family family) {
  return family == core::Family::v4 ? "IPv4" : "IPv6";
}

void finish_family(ServiceDraft& draft, Reporter& reporter) {
  VirtualServer& service = draft;
  const core::Family family = family_of(draft);
  if (draft.by_address() && draft.family.value_or(family) != family) {
    reporter.at(
        Severity::warning, service.location,
        fmt::format("'ip_family' is ignored: the address of this service is {}", word_for(family)));
  }
  if (!draft.by_address()) service.address = any_address(family);
}

void finish_persistence(ServiceDraft& draft, Reporter& reporter, TextRange at) {
  VirtualServer& service = draft;
  const bool is_v6 = service.address.family() == core::Family::v6;
  if (draft.granularity.length == 0) {
    service.persistence_prefix = is_v6 ? 128 : 32;
  } else if (is_v6 ? draft.netmask_is_dotted : service.persistence_prefix > 32) {
    reporter.warning(draft.granularity,
                     is_v6
                         ? "an IPv6 service needs a prefix length from 1 to 128: 128 is taken"
                         : "an IPv4 service needs a netmask or a length from 1 to 32: 32 is taken");
    service.persistence_prefix = is_v6 ? 128 : 32;
  }
  // keepalived: a granularity switches persistence on.
  if (draft.granularity.length != 0 && service.persistence_timeout.count() == 0)
    service.persistence_timeout = kDefaultPersistence;
  if (draft.by_address() && service.port == 0 && service.persistence_timeout.count() == 0) {
    reporter.warning(
        at, "a service of all ports must be persistent: 'persistence_timeout 360' is taken");
    service.persistence_timeout = kDefaultPersistence;
  }
}

void finish_sorry_server(ServiceDraft& draft, Reporter& reporter, TextRange at) {
  if (!draft.sorry_server) return;
  SorryServer& sorry = *draft.sorry_server;
  sorry.inhibit = draft.sorry_inhibit;
  sorry.forwarding = draft.forwarding;
  sorry.tunnel = draft.tunnel;
  if (draft.sorry_forwarding) {
    sorry.forwarding = draft.sorry_forwarding->method;
    sorry.tunnel = draft.sorry_forwarding->tunnel;
  }
  force_port(draft, sorry.forwarding, sorry.port, at, reporter);
}

void finish_protocol(ServiceDraft& draft, const Args& args, TextRange at) {
  Reporter& reporter = args.context().reporter;
  if (draft.fwmark != 0) {
    if (draft.has_protocol) {
      reporter.note(at, "'protocol' has no effect here: a firewall mark is of every protocol");
    }
    draft.protocol = Protocol::udp;
  } else if (!draft.has_protocol && !mentions(args.context(), args.statement(), "protocol")) {
    reporter.warning(at, "this service has no 'protocol': UDP is taken, as keepalived does",
                     "add 'protocol TCP' or 'protocol UDP'");
  }
}

void finish(ServiceDraft& draft, const Args& args) {
  VirtualServer& service = draft;
  Reporter& reporter = args.context().reporter;
  const TextRange at = args.value(0).range;
  finish_protocol(draft, args, at);
  finish_flags(draft, reporter);
  if (service.hysteresis != 0 && service.hysteresis >= service.quorum) {
    reporter.warning(
        at, fmt::format("'hysteresis' must be below 'quorum': {} is taken", service.quorum - 1));
    service.hysteresis = service.quorum - 1;
  }
  finish_sorry_server(draft, reporter, at);
  finish_family(draft, reporter);
  finish_persistence(draft, reporter, at);
}

void ignore_more(const Args& args, std::size_t from, std::string_view behind) {
  if (!args.has(from)) return;
  args.context().reporter.warning(
      args.value(from).range,
      fmt::format("'{}' is ignored: nothing more may follow {}", args.value(from).text, behind),
      "remove it");
}

bool read_address(const Args& args, VirtualServer& service) {
  Reporter& reporter = args.context().reporter;
  const Value& first = args.value(0);
  Value address;
  if (!decode_word(rows::of(ArgType::ip), first.text, address)) {
    const std::string hint = address_hint(first.text);
    reporter.warning(
        first.range,
        fmt::format(
            "'virtual_server' must be followed by an IP address, not '{}': this block is left out",
            first.text),
        hint.empty() ? "such as: virtual_server 192.168.1.200 80 {" : hint);
    return false;
  }
  service.address = address.address;
  ignore_more(args, 2, "the port");
  Value port;
  if (args.has(1) && !decode_word(rows::integer(0, 65535), args.value(1).text, port)) {
    reporter.warning(
        args.value(1).range,
        fmt::format("the port must be a number from 1 to 65535, not '{}': this block is left out",
                    args.value(1).text));
    return false;
  }
  service.port = static_cast<std::uint16_t>(port.number);
  return true;
}

// ADDRESS [PORT], fwmark MARK or group NAME. False: the service is not loaded, and why was said.
bool read_header(const Args& args, VirtualServer& service) {
  const std::string_view form = args.value(0).text;
  if (form != "group" && form != "fwmark") return read_address(args, service);
  Reporter& reporter = args.context().reporter;
  if (!args.has(1)) {
    reporter.warning(
        args.value(0).range,
        form == "group" ? "'virtual_server group' needs the name of a group: this block is left out"
                        : "'virtual_server fwmark' needs a number: this block is left out");
    return false;
  }
  ignore_more(args, 2, form == "group" ? "the group" : "the firewall mark");
  if (form == "group") {
    service.group = args.text(1);
    return true;
  }
  Value mark;
  if (!decode_word(rows::integer(1, kLargestMark), args.value(1).text, mark)) {
    reporter.warning(
        args.value(1).range,
        fmt::format(
            "a firewall mark must be a number from 1 to {}, not '{}': this block is left out",
            kLargestMark, args.value(1).text));
    return false;
  }
  service.fwmark = static_cast<std::uint32_t>(mark.number);
  return true;
}

}  // namespace

core::Family implied_family(const VirtualServer& service) {
  if (service.persistence_prefix > 32) return core::Family::v6;
  std::optional<core::Family> tunnelled;
  bool mixed = false;
  for (const RealServer& server : service.real_servers) {
    const core::Family family = server.address.family();
    if (server.forwarding != ForwardingMethod::tunnel) return family;
    mixed = mixed || tunnelled.value_or(family) != family;
    tunnelled = family;
  }
  return mixed ? core::Family::v4 : tunnelled.value_or(core::Family::v4);
}

void build_service(const Args& args) {
  BuildContext& context = args.context();
  ServiceDraft draft;
  static_cast<VirtualServer&>(draft) =
      inherited<VirtualServer>(Block::virtual_server, context.model.globals);
  draft.location = args.location();
  const bool loaded = read_header(args, draft);
  // The body of a service that is not loaded is still checked.
  read_body(args, draft);
  draft.defaults.virtualhost = draft.virtualhost;
  build_servers(draft, context);
  if (!loaded) return;
  finish(draft, args);
  context.model.services.push_back(std::move(draft));
}

}  // namespace holdfast::config
