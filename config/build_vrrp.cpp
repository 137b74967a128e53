// vrrp_instance → VrrpInstance.
#include "config/address_line.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

constexpr std::size_t kLongestPassword = 8;  // RFC 2338 §5.3.10: Authentication Data is 8 bytes

struct Draft {
  VrrpInstance instance;
  std::optional<core::Family> family;  // of its first address
  bool has_priority = false;
  bool has_password = false;
  bool named_interface = false;
  bool named_router_id = false;
  bool wants_no_preempt = false;
  bool meant_without_addresses = false;
  std::optional<core::Duration> lower_prio_delay;
  std::optional<std::uint32_t> lower_prio_repeat;
  TextRange no_preempt_at;
  TextRange preempt_delay_at;
  TextRange advert_int_at;
  std::optional<TextRange> auth_at;
};

void set_version(Draft&, const Args& args) {
  if (args.number(0) == 2) return;
  args.context().reporter.warn_once(
      args.value(0).range,
      "Holdfast does not do VRRP version 3 yet: this instance speaks version 2, which "
      "directors with version 3 do not hear");
}

const Setters<Draft>& authentication_setters() {
  static const Setters<Draft> table(
      Block::authentication,
      {{"auth_type",
        [](Draft& d, const Args& a) {
          d.instance.authentication.type = AuthType::pass;
          if (a.number(0) == 0) return;
          d.instance.authentication.type = AuthType::none;
          d.auth_at.reset();
          a.context().reporter.warn_once(
              a.value(0).range,
              "Holdfast does not do AH yet: adverts go without authentication, and "
              "directors with AH refuse them",
              "write 'auth_type PASS' on all directors");
        }},
       {"auth_pass", [](Draft& d, const Args& a) {
          d.has_password = true;
          d.instance.authentication.password = a.text(0).substr(0, kLongestPassword);
          if (a.value(0).text.size() <= kLongestPassword) return;
          a.context().reporter.warning(a.value(0).range,
                                       "the password is longer than 8 bytes and is cut to 8, as "
                                       "every VRRP version 2 router does");
        }}});
  return table;
}

void read_authentication(Draft& draft, const Args& args) {
  draft.auth_at = args.statement().range;
  authentication_setters().apply(args.context(), args.statement().first_child, draft);
}

void read_addresses(Draft& draft, const Args& args, std::vector<VirtualAddress>& list) {
  BuildContext& context = args.context();
  for (std::uint32_t at = args.statement().first_child; at != kNoStatement;
       at = context.tree.statements[at].next) {
    std::optional<VirtualAddress> address = read_address_line(context, context.tree.statements[at]);
    if (!address) {
      draft.meant_without_addresses = true;  // said already
      continue;
    }
    if (!draft.family) draft.family = address->prefix.address.family();
    if (address->prefix.address.is_v4()) {
      list.push_back(std::move(*address));
      continue;
    }
    if (*draft.family == core::Family::v4) {
      context.reporter.warn_once(
          context.tree.statements[at].range,
          "Holdfast does not hold IPv6 addresses yet: this address is not held");
    }
  }
}

template <Rare<Script> VrrpInstance::*kMember>
void set_script(Draft& draft, const Args& args) {
  draft.instance.*kMember = args.script();
}

const Setters<Draft>& setters() {
  static const Setters<Draft> table(
      Block::vrrp_instance,
      {{"state",
        [](Draft& d, const Args& a) {
          d.instance.state = a.number(0) == 0 ? InitialState::master : InitialState::backup;
        }},
       {"interface",
        [](Draft& d, const Args& a) {
          d.instance.interface = a.text(0);
          d.named_interface = true;
        }},
       {"virtual_router_id",
        [](Draft& d, const Args& a) {
          d.instance.virtual_router_id = a.as<std::uint8_t>(0);
          d.named_router_id = true;
        }},
       {"priority",
        [](Draft& d, const Args& a) {
          d.instance.priority = a.as<std::uint8_t>(0);
          d.has_priority = true;
        }},
       {"advert_int",
        [](Draft& d, const Args& a) {
          d.instance.advert_int = a.duration(0);
          d.advert_int_at = a.value(0).range;
        }},
       {"version", set_version},
       {"authentication", read_authentication},
       {"virtual_ipaddress",
        [](Draft& d, const Args& a) { read_addresses(d, a, d.instance.virtual_addresses); }},
       {"virtual_ipaddress_excluded",
        [](Draft& d, const Args& a) {
          read_addresses(d, a, d.instance.virtual_addresses_excluded);
        }},
       {"no_virtual_ipaddress", [](Draft& d, const Args&) { d.meant_without_addresses = true; }},
       {"mcast_src_ip",
        [](Draft& d, const Args& a) { d.instance.mcast_src_ip = a.value(0).address; }},
       {"preempt", [](Draft& d, const Args&) { d.wants_no_preempt = false; }},
       {"nopreempt",
        [](Draft& d, const Args& a) {
          d.wants_no_preempt = true;
          d.no_preempt_at = a.statement().range;
        }},
       {"preempt_delay",
        [](Draft& d, const Args& a) {
          d.instance.preempt_delay = a.duration(0);
          d.preempt_delay_at = a.statement().range;
        }},
       {"debug",
        [](Draft& d, const Args& a) { d.instance.debug = a.has(0) ? a.as<std::uint8_t>(0) : 0; }},
       {"garp_master_delay",
        [](Draft& d, const Args& a) { d.instance.garp.master_delay = a.duration(0); }},
       {"garp_master_repeat",
        [](Draft& d, const Args& a) { d.instance.garp.master_repeat = at_least_once(a); }},
       {"garp_master_refresh",
        [](Draft& d, const Args& a) { d.instance.garp.master_refresh = a.duration(0); }},
       {"garp_master_refresh_repeat",
        [](Draft& d, const Args& a) { d.instance.garp.master_refresh_repeat = at_least_once(a); }},
       {"garp_lower_prio_delay",
        [](Draft& d, const Args& a) { d.lower_prio_delay = a.duration(0); }},
       {"garp_lower_prio_repeat",
        [](Draft& d, const Args& a) { d.lower_prio_repeat = at_least_once(a); }},
       {"notify_master", set_script<&VrrpInstance::notify_master>},
       {"notify_backup", set_script<&VrrpInstance::notify_backup>},
       {"notify_fault", set_script<&VrrpInstance::notify_fault>},
       {"notify_stop", set_script<&VrrpInstance::notify_stop>},
       {"notify", set_script<&VrrpInstance::notify>},
       {"smtp_alert", [](Draft& d, const Args& a) { d.instance.smtp_alert = a.flag(); }}});
  return table;
}

void finish_authentication(Draft& draft, Reporter& reporter) {
  Authentication& authentication = draft.instance.authentication;
  const bool complete = authentication.type == AuthType::pass && draft.has_password;
  if (complete) return;
  authentication = {};
  if (!draft.auth_at) return;
  reporter.warning(*draft.auth_at,
                   draft.has_password
                       ? "'auth_pass' without 'auth_type': adverts go without authentication"
                       : "'authentication' without a password: adverts go without authentication",
                   draft.has_password ? "add 'auth_type PASS'" : "add 'auth_pass PASSWORD'");
}

// keepalived: an instance that starts as master, or owns the address, always preempts.
void finish_preemption(Draft& draft, Reporter& reporter) {
  VrrpInstance& instance = draft.instance;
  const bool master = instance.state == InitialState::master;
  if (draft.wants_no_preempt && (master || instance.priority == 255)) {
    reporter.warning(
        draft.no_preempt_at,
        fmt::format("'nopreempt' does not work with '{}' and is ignored",
                    master ? "state MASTER" : "priority 255"),
        master ? "write 'state BACKUP' on all directors" : "choose a priority below 255");
    draft.wants_no_preempt = false;
  }
  instance.preempt = !draft.wants_no_preempt;
  if (master && instance.preempt_delay.count() != 0) {
    reporter.warning(draft.preempt_delay_at,
                     "'preempt_delay' does not work with 'state MASTER' and is ignored",
                     "write 'state BACKUP'");
    instance.preempt_delay = core::Duration{0};
  }
}

void finish_interval(Draft& draft, Reporter& reporter) {
  core::Duration& interval = draft.instance.advert_int;
  const auto whole =
      std::max(std::chrono::round<std::chrono::seconds>(interval), std::chrono::seconds(1));
  if (whole == interval) return;
  reporter.warning(draft.advert_int_at,
                   fmt::format("VRRP version 2 counts whole seconds: 'advert_int' is taken as {}",
                               whole.count()));
  interval = whole;
}

bool finish_required(Draft& draft, const Args& args) {
  VrrpInstance& instance = draft.instance;
  if (!draft.named_interface) instance.interface = args.context().model.globals.default_interface;
  if (instance.interface.empty() && !mentions(args.context(), args.statement(), "interface")) {
    args.context().reporter.error(
        args.value(0).range, fmt::format("vrrp_instance '{}' has no 'interface'", instance.name),
        "add the interface that carries the adverts, such as 'interface eth0'");
  }
  if (!draft.named_router_id && !mentions(args.context(), args.statement(), "virtual_router_id")) {
    args.context().reporter.error(
        args.value(0).range,
        fmt::format("vrrp_instance '{}' has no 'virtual_router_id'", instance.name),
        "add a number from 1 to 255, the same on all its directors");
  }
  return !instance.interface.empty() && draft.named_router_id;
}

void finish(Draft& draft, const Args& args) {
  VrrpInstance& instance = draft.instance;
  Reporter& reporter = args.context().reporter;
  if (draft.family == core::Family::v6) {
    reporter.warning(args.value(0).range,
                     fmt::format("Holdfast does not do IPv6 yet: vrrp_instance '{}' is not started",
                                 instance.name));
    return;
  }
  if (!draft.has_priority && instance.state == InitialState::master) {
    instance.priority = 255;
    reporter.note(args.value(0).range,
                  fmt::format("vrrp_instance '{}' has no 'priority': with 'state MASTER' it is "
                              "255, the owner of the address",
                              instance.name));
  }
  instance.garp.lower_prio_delay = draft.lower_prio_delay.value_or(instance.garp.lower_prio_delay);
  instance.garp.lower_prio_repeat =
      draft.lower_prio_repeat.value_or(instance.garp.lower_prio_repeat);
  finish_authentication(draft, reporter);
  finish_preemption(draft, reporter);
  finish_interval(draft, reporter);
  if (instance.virtual_addresses.empty() && !draft.meant_without_addresses) {
    reporter.warning(
        args.value(0).range,
        fmt::format(
            "vrrp_instance '{}' has no virtual address: it elects a master that holds nothing",
            instance.name));
  }
  if (!finish_required(draft, args)) return;
  for (auto* list : {&instance.virtual_addresses, &instance.virtual_addresses_excluded}) {
    for (VirtualAddress& address : *list) {
      if (address.interface.empty()) address.interface = instance.interface;
    }
  }
  args.context().model.instances.push_back(std::move(instance));
}

}  // namespace

void build_instance(const Args& args) {
  const Globals& globals = args.context().model.globals;
  Draft draft;
  draft.instance.name = args.text(0);
  draft.instance.location = args.location();
  draft.instance.garp = globals.garp;
  draft.instance.smtp_alert = globals.smtp_alert_vrrp.value_or(globals.smtp_alert.value_or(false));
  setters().apply(args.context(), args.statement().first_child, draft);
  finish(draft, args);
}

bool instances_know(KeywordId id) {
  return setters().knows(id) || authentication_setters().knows(id);
}

}  // namespace holdfast::config
