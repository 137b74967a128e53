#include "config/diff_fields.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace holdfast::config {
namespace {

constexpr std::string_view kOnly = "settings";

std::string text_of(std::uint32_t value) {
  return fmt::format("{}", value);
}
std::string text_of(core::Duration value) {
  return seconds_text(value);
}
std::string text_of(const std::string& value) {
  return value;
}
std::string text_of(InitialState value) {
  return to_string(value);
}
std::string text_of(ForwardingMethod value) {
  return to_string(value);
}
std::string text_of(const Rare<SorryServer>& value) {
  return value ? core::Endpoint{value->address, value->port}.to_string() : "";
}

void note(std::vector<FieldChange>& out, std::string_view field, std::string before,
          std::string after) {
  if (before != after) out.push_back({std::string(field), std::move(before), std::move(after)});
}

template <class T, class Member>
void field(std::vector<FieldChange>& out, std::string_view name, const T& before, const T& after,
           Member T::*member) {
  note(out, name, text_of(before.*member), text_of(after.*member));
}

void compare_addresses(std::vector<FieldChange>& out, std::string_view block,
                       const std::vector<VirtualAddress>& before,
                       const std::vector<VirtualAddress>& after) {
  const auto has = [](const std::vector<VirtualAddress>& list, const VirtualAddress& one) {
    return std::find(list.begin(), list.end(), one) != list.end();
  };
  for (const VirtualAddress& one : before)
    if (!has(after, one)) out.push_back({std::string(block), line_of(one), ""});
  for (const VirtualAddress& one : after)
    if (!has(before, one)) out.push_back({std::string(block), "", line_of(one)});
}

std::vector<FieldChange> or_settings(std::vector<FieldChange> fields) {
  if (fields.empty()) fields.push_back({std::string(kOnly), "", ""});
  return fields;
}

}  // namespace

std::vector<FieldChange> compare_fields(const Globals& before, const Globals& after) {
  std::vector<FieldChange> out;
  field(out, "router_id", before, after, &Globals::router_id);
  return or_settings(std::move(out));
}

std::vector<FieldChange> compare_fields(const TlsIdentity&, const TlsIdentity&) {
  return or_settings({});
}

std::vector<FieldChange> compare_fields(const VrrpInstance& before, const Model&,
                                        const VrrpInstance& after, const Model&) {
  std::vector<FieldChange> out;
  field(out, "name", before, after, &VrrpInstance::name);
  field(out, "state", before, after, &VrrpInstance::state);
  note(out, "priority", text_of(before.priority), text_of(after.priority));
  field(out, "advert_int", before, after, &VrrpInstance::advert_int);
  note(out, "nopreempt", before.preempt ? "no" : "yes", after.preempt ? "no" : "yes");
  if (before.authentication != after.authentication) out.push_back({"auth_pass", "", ""});
  compare_addresses(out, "virtual_ipaddress", before.virtual_addresses, after.virtual_addresses);
  compare_addresses(out, "virtual_ipaddress_excluded", before.virtual_addresses_excluded,
                    after.virtual_addresses_excluded);
  return or_settings(std::move(out));
}

std::vector<FieldChange> compare_fields(const VirtualServer& before, const Model&,
                                        const VirtualServer& after, const Model&) {
  VirtualServer same_servers = before;
  same_servers.real_servers = after.real_servers;
  if (same_servers == after) return {};
  std::vector<FieldChange> out;
  field(out, "lb_algo", before, after, &VirtualServer::scheduler);
  field(out, "lb_kind", before, after, &VirtualServer::forwarding);
  field(out, "persistence_timeout", before, after, &VirtualServer::persistence_timeout);
  field(out, "quorum", before, after, &VirtualServer::quorum);
  field(out, "sorry_server", before, after, &VirtualServer::sorry_server);
  return or_settings(std::move(out));
}

std::vector<FieldChange> compare_fields(const RealServer& before, const VirtualServer&,
                                        const Model&, const RealServer& after, const VirtualServer&,
                                        const Model&) {
  std::vector<FieldChange> out;
  field(out, "weight", before, after, &RealServer::weight);
  field(out, "lvs_method", before, after, &RealServer::forwarding);
  return or_settings(std::move(out));
}

std::vector<FieldChange> compare_fields(const SyncGroup&, const Model&, const SyncGroup&,
                                        const Model&) {
  return or_settings({});
}
std::vector<FieldChange> compare_fields(const VrrpScript&, const Model&, const VrrpScript&,
                                        const Model&) {
  return or_settings({});
}
std::vector<FieldChange> compare_fields(const TrackProcess&, const Model&, const TrackProcess&,
                                        const Model&) {
  return or_settings({});
}
std::vector<FieldChange> compare_fields(const TrackFile&, const Model&, const TrackFile&,
                                        const Model&) {
  return or_settings({});
}
std::vector<FieldChange> compare_fields(const BfdInstance&, const Model&, const BfdInstance&,
                                        const Model&) {
  return or_settings({});
}
std::vector<FieldChange> compare_fields(const TrackGroup&, const Model&, const TrackGroup&,
                                        const Model&) {
  return or_settings({});
}
std::vector<FieldChange> compare_fields(const GarpGroup&, const Model&, const GarpGroup&,
                                        const Model&) {
  return or_settings({});
}
std::vector<FieldChange> compare_fields(const VirtualServerGroup&, const Model&,
                                        const VirtualServerGroup&, const Model&) {
  return or_settings({});
}

std::string line_of(const VirtualAddress& address) {
  return fmt::format("{} dev {}{}{}", address.prefix.to_string(), address.interface,
                     address.label.empty() ? "" : " label ", address.label);
}
std::string line_of(const Route& route) {
  return fmt::format("{} dev {} table {}", route.destination.to_string(), route.interface,
                     route.table);
}
std::string line_of(const Rule& rule) {
  return fmt::format("{} table {}", rule.priority.value_or(0), rule.table);
}

}  // namespace holdfast::config
