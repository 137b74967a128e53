#include "config/diff.hpp"

#include <fmt/format.h>

#include <unordered_map>

namespace holdfast::config {
namespace {

std::string text_of(const std::string& value) {
  return value.empty() ? "(none)" : value;
}
std::string text_of(bool value) {
  return value ? "yes" : "no";
}
std::string text_of(std::uint8_t value) {
  return fmt::format("{}", value);
}
std::string text_of(std::uint16_t value) {
  return fmt::format("{}", value);
}
std::string text_of(std::uint32_t value) {
  return fmt::format("{}", value);
}
std::string text_of(core::Duration value) {
  return fmt::format("{} s", std::chrono::duration<double>(value).count());
}
std::string text_of(const core::IpAddress& value) {
  return value.to_string();
}
std::string text_of(InitialState value) {
  return to_string(value);
}
std::string text_of(ForwardingMethod value) {
  return to_string(value);
}
std::string text_of(const std::vector<std::string>& value) {
  return text_of(fmt::format("{}", fmt::join(value, " ")));
}
std::string text_of(const Script& value) {
  return fmt::format("{}{}{}", fmt::join(value.argv, " "), value.user.empty() ? "" : " as ",
                     value.user);
}
// The password itself stays out of logs and plans.
std::string text_of(const Authentication& value) {
  return to_string(value.type);
}
std::string text_of(const VirtualAddress& value) {
  return fmt::format("{} dev {}{}{}", value.prefix.to_string(), value.interface,
                     value.label.empty() ? "" : " label ", value.label);
}
std::string text_of(const SorryServer& value) {
  return core::Endpoint{value.address, value.port}.to_string();
}
std::string text_of(const Check& check) {
  const ConnectOptions& connect =
      std::visit([](const auto& one) -> const ConnectOptions& { return one.connect; }, check);
  return fmt::format("{} {}", type_name(check),
                     core::Endpoint{connect.connect_ip, connect.connect_port}.to_string());
}
template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? text_of(*value) : "(none)";
}
template <class T>
std::string text_of(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) text += (text.empty() ? "" : ", ") + text_of(value);
  return text_of(text);
}

// Collects the fields that differ.
template <class T>
class Comparison {
 public:
  Comparison(const T& before, const T& after) : before_(before), after_(after) {}

  template <class Member>
  Comparison& field(std::string_view name, Member T::*member) {
    if (before_.*member == after_.*member) return *this;
    fields_.push_back({std::string(name), text_of(before_.*member), text_of(after_.*member)});
    return *this;
  }
  std::vector<FieldChange> take() { return std::move(fields_); }

 private:
  const T& before_;
  const T& after_;
  std::vector<FieldChange> fields_;
};

void compare_garp(const GarpSettings& before, const GarpSettings& after,
                  std::vector<FieldChange>& out) {
  std::vector<FieldChange> fields =
      Comparison<GarpSettings>(before, after)
          .field("garp_master_delay", &GarpSettings::master_delay)
          .field("garp_master_repeat", &GarpSettings::master_repeat)
          .field("garp_master_refresh", &GarpSettings::master_refresh)
          .field("garp_master_refresh_repeat", &GarpSettings::master_refresh_repeat)
          .field("garp_lower_prio_delay", &GarpSettings::lower_prio_delay)
          .field("garp_lower_prio_repeat", &GarpSettings::lower_prio_repeat)
          .field("garp_interval", &GarpSettings::interval)
          .take();
  out.insert(out.end(), fields.begin(), fields.end());
}

std::vector<FieldChange> compare(const Globals& before, const Globals& after) {
  std::vector<FieldChange> fields =
      Comparison<Globals>(before, after)
          .field("router_id", &Globals::router_id)
          .field("notification_email", &Globals::notification_email)
          .field("notification_email_from", &Globals::notification_email_from)
          .field("smtp_server", &Globals::smtp_server)
          .field("smtp_port", &Globals::smtp_port)
          .field("smtp_helo_name", &Globals::smtp_helo_name)
          .field("smtp_connect_timeout", &Globals::smtp_connect_timeout)
          .field("smtp_alert", &Globals::smtp_alert)
          .field("vrrp_version", &Globals::vrrp_version)
          .field("vrrp_mcast_group4", &Globals::vrrp_mcast_group4)
          .field("default_interface", &Globals::default_interface)
          .field("script_user", &Globals::script_user)
          .field("script_group", &Globals::script_group)
          .field("enable_script_security", &Globals::enable_script_security)
          .field("vrrp_startup_delay", &Globals::vrrp_startup_delay)
          .field("lvs_flush", &Globals::lvs_flush)
          .field("lvs_flush_on_stop", &Globals::lvs_flush_on_stop)
          .take();
  compare_garp(before.garp, after.garp, fields);
  return fields;
}

std::vector<FieldChange> compare(const VrrpInstance& before, const VrrpInstance& after) {
  std::vector<FieldChange> fields =
      Comparison<VrrpInstance>(before, after)
          .field("name", &VrrpInstance::name)
          .field("state", &VrrpInstance::state)
          .field("priority", &VrrpInstance::priority)
          .field("advert_int", &VrrpInstance::advert_int)
          .field("version", &VrrpInstance::version)
          .field("preempt", &VrrpInstance::preempt)
          .field("preempt_delay", &VrrpInstance::preempt_delay)
          .field("authentication", &VrrpInstance::authentication)
          .field("mcast_src_ip", &VrrpInstance::mcast_src_ip)
          .field("virtual_ipaddress", &VrrpInstance::virtual_addresses)
          .field("virtual_ipaddress_excluded", &VrrpInstance::virtual_addresses_excluded)
          .field("notify_master", &VrrpInstance::notify_master)
          .field("notify_backup", &VrrpInstance::notify_backup)
          .field("notify_fault", &VrrpInstance::notify_fault)
          .field("notify_stop", &VrrpInstance::notify_stop)
          .field("notify", &VrrpInstance::notify)
          .field("smtp_alert", &VrrpInstance::smtp_alert)
          .field("debug", &VrrpInstance::debug)
          .take();
  compare_garp(before.garp, after.garp, fields);
  return fields;
}

std::vector<FieldChange> compare(const VirtualServer& before, const VirtualServer& after) {
  return Comparison<VirtualServer>(before, after)
      .field("lb_algo", &VirtualServer::scheduler)
      .field("lb_kind", &VirtualServer::forwarding)
      .field("nat_mask", &VirtualServer::nat_mask)
      .field("persistence_timeout", &VirtualServer::persistence_timeout)
      .field("persistence_granularity", &VirtualServer::persistence_prefix)
      .field("quorum", &VirtualServer::quorum)
      .field("hysteresis", &VirtualServer::hysteresis)
      .field("quorum_up", &VirtualServer::quorum_up)
      .field("quorum_down", &VirtualServer::quorum_down)
      .field("ha_suspend", &VirtualServer::ha_suspend)
      .field("alpha", &VirtualServer::alpha)
      .field("omega", &VirtualServer::omega)
      .field("ops", &VirtualServer::one_packet_scheduling)
      .field("smtp_alert", &VirtualServer::smtp_alert)
      .field("virtualhost", &VirtualServer::virtualhost)
      .field("sorry_server", &VirtualServer::sorry_server)
      .take();
}

std::vector<FieldChange> compare(const RealServer& before, const RealServer& after) {
  return Comparison<RealServer>(before, after)
      .field("weight", &RealServer::weight)
      .field("lvs_method", &RealServer::forwarding)
      .field("uthreshold", &RealServer::upper_threshold)
      .field("lthreshold", &RealServer::lower_threshold)
      .field("inhibit_on_failure", &RealServer::inhibit_on_failure)
      .field("alpha", &RealServer::alpha)
      .field("smtp_alert", &RealServer::smtp_alert)
      .field("notify_up", &RealServer::notify_up)
      .field("notify_down", &RealServer::notify_down)
      .field("checks", &RealServer::checks)
      .take();
}

std::string key_of(const VrrpInstance& instance) {
  return fmt::format("{} {} {}", instance.interface, static_cast<int>(instance.family),
                     instance.virtual_router_id);
}
std::string key_of(const VirtualServer& service) {
  return name_of(service);
}
std::string key_of(const RealServer& server) {
  return core::Endpoint{server.address, server.port}.to_string();
}

// Walks both lists: what only `before` has, then what `after` has, matched or new. `none` stands
// for a missing partner.
template <class T, class Visit>
void match(const std::vector<T>& before, const std::vector<T>& after, const Visit& visit) {
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::unordered_map<std::string, std::size_t> old_index;
  old_index.reserve(before.size());
  for (std::size_t i = 0; i < before.size(); ++i) old_index.emplace(key_of(before[i]), i);
  std::vector<bool> matched(before.size(), false);
  std::vector<std::size_t> partner(after.size(), kNone);
  for (std::size_t j = 0; j < after.size(); ++j) {
    const auto found = old_index.find(key_of(after[j]));
    if (found == old_index.end()) continue;
    partner[j] = found->second;
    matched[found->second] = true;
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (!matched[i]) visit(ChangeKind::removed, i, std::size_t{0});
  }
  for (std::size_t j = 0; j < after.size(); ++j) {
    if (partner[j] == kNone)
      visit(ChangeKind::added, std::size_t{0}, j);
    else
      visit(ChangeKind::changed, partner[j], j);
  }
}

void diff_instances(const Model& before, const Model& after, std::vector<Change>& out) {
  match(before.instances, after.instances, [&](ChangeKind kind, std::size_t i, std::size_t j) {
    InstanceChange change;
    change.kind = kind;
    change.before = i;
    change.after = j;
    change.name = kind == ChangeKind::removed ? before.instances[i].name : after.instances[j].name;
    if (kind == ChangeKind::changed) {
      if (before.instances[i] == after.instances[j]) return;
      change.fields = compare(before.instances[i], after.instances[j]);
    }
    out.emplace_back(std::move(change));
  });
}

void diff_servers(const VirtualServer& before, const VirtualServer& after,
                  std::vector<Change>& out) {
  match(before.real_servers, after.real_servers,
        [&](ChangeKind kind, std::size_t i, std::size_t j) {
          const RealServer& named =
              kind == ChangeKind::removed ? before.real_servers[i] : after.real_servers[j];
          ServerChange change;
          change.kind = kind;
          change.service = name_of(after);
          change.server = key_of(named);
          if (kind == ChangeKind::changed) {
            if (before.real_servers[i] == after.real_servers[j]) return;
            change.fields = compare(before.real_servers[i], after.real_servers[j]);
          }
          out.emplace_back(std::move(change));
        });
}

void diff_services(const Model& before, const Model& after, std::vector<Change>& out) {
  match(before.services, after.services, [&](ChangeKind kind, std::size_t i, std::size_t j) {
    ServiceChange change;
    change.kind = kind;
    change.before = i;
    change.after = j;
    change.service = name_of(kind == ChangeKind::removed ? before.services[i] : after.services[j]);
    if (kind != ChangeKind::changed) {
      out.emplace_back(std::move(change));
      return;
    }
    if (before.services[i] == after.services[j]) return;
    change.fields = compare(before.services[i], after.services[j]);
    if (!change.fields.empty()) out.emplace_back(std::move(change));
    diff_servers(before.services[i], after.services[j], out);
  });
}

std::string describe_fields(const std::vector<FieldChange>& fields) {
  std::string text;
  for (const FieldChange& field : fields) {
    text += text.empty() ? "" : "; ";
    text += field.before == field.after
                ? fmt::format("{} differs", field.field)
                : fmt::format("{} {} → {}", field.field, field.before, field.after);
  }
  return text;
}

std::string describe_object(ChangeKind kind, const std::string& object,
                            const std::vector<FieldChange>& fields) {
  if (kind == ChangeKind::added) return object + ": added";
  if (kind == ChangeKind::removed) return object + ": removed";
  return fmt::format("{}: {}", object, describe_fields(fields));
}

}  // namespace

std::vector<Change> diff(const Model& before, const Model& after) {
  std::vector<Change> changes;
  if (before.globals != after.globals)
    changes.emplace_back(GlobalsChange{compare(before.globals, after.globals)});
  diff_instances(before, after, changes);
  diff_services(before, after, changes);
  return changes;
}

std::string describe(const Change& change) {
  if (const auto* globals = std::get_if<GlobalsChange>(&change)) {
    return "global_defs: " + describe_fields(globals->fields);
  }
  if (const auto* instance = std::get_if<InstanceChange>(&change)) {
    return describe_object(instance->kind, "vrrp_instance " + instance->name, instance->fields);
  }
  if (const auto* service = std::get_if<ServiceChange>(&change)) {
    return describe_object(service->kind, "virtual_server " + service->service, service->fields);
  }
  const auto& server = std::get<ServerChange>(change);
  return describe_object(
      server.kind, fmt::format("virtual_server {}: real_server {}", server.service, server.server),
      server.fields);
}

}  // namespace holdfast::config
