// Globals → words, and the whole model as one document.
#include "config/write/write.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

using Words = std::vector<std::string>;

std::string number_text(std::int64_t number) {
  return fmt::format("{}", number);
}

void write_choice(Writer& out, std::string_view word, const std::optional<bool>& value) {
  if (value) out.statement(word, {*value ? "true" : "false"});
}

void write_optional(Writer& out, std::string_view word, const Rare<std::string>& value) {
  if (value) out.statement(word, value->empty() ? Words{} : Words{*value});
}

void write_reload(Writer& out, const Globals& globals) {
  if (globals.reload_limit) out.statement("reload_limit", {number_text(*globals.reload_limit)});
  write_optional(out, "reload_check_config", globals.reload_check_config);
  out.text("reload_time_file", globals.reload_time_file);
  out.flag("reload_repeat", globals.reload_repeat);
  write_optional(out, "reload_file", globals.reload_file);
}

void write_mail(Writer& out, const Globals& globals) {
  if (!globals.notification_email.empty()) {
    Writer body = body_of(out.block("notification_email"), out.detail());
    for (const std::string& address : globals.notification_email) body.entry({address});
  }
  out.text("notification_email_from", globals.notification_email_from);
  if (!globals.smtp_server.empty()) {
    Words words{globals.smtp_server};
    if (globals.smtp_port != 25) words.push_back(number_text(globals.smtp_port));
    out.statement("smtp_server", std::move(words));
  }
  out.text("smtp_helo_name", globals.smtp_helo_name);
  out.seconds("smtp_connect_timeout", globals.smtp_connect_timeout, std::chrono::seconds(30));
  write_choice(out, "smtp_alert", globals.smtp_alert);
  write_choice(out, "smtp_alert_vrrp", globals.smtp_alert_vrrp);
  write_choice(out, "smtp_alert_checker", globals.smtp_alert_checker);
}

void write_garp(Writer& out, const GarpSettings& garp) {
  const GarpSettings fallback;
  out.seconds("vrrp_garp_master_delay", garp.master_delay, fallback.master_delay);
  out.number("vrrp_garp_master_repeat", garp.master_repeat, fallback.master_repeat);
  out.seconds("vrrp_garp_master_refresh", garp.master_refresh, fallback.master_refresh);
  out.number("vrrp_garp_master_refresh_repeat", garp.master_refresh_repeat,
             fallback.master_refresh_repeat);
  out.seconds("vrrp_garp_lower_prio_delay", garp.lower_prio_delay, garp.master_delay);
  out.number("vrrp_garp_lower_prio_repeat", garp.lower_prio_repeat, garp.master_repeat);
  out.seconds("vrrp_garp_interval", garp.interval, fallback.interval);
  out.seconds("vrrp_gna_interval", garp.gna_interval, fallback.gna_interval);
}

void write_vrrp(Writer& out, const Globals& globals) {
  const Globals fallback;
  out.number("vrrp_version", globals.vrrp_version, fallback.vrrp_version);
  out.text("vrrp_mcast_group4", globals.vrrp_mcast_group4.to_string(),
           fallback.vrrp_mcast_group4.to_string());
  out.text("vrrp_mcast_group6", globals.vrrp_mcast_group6.to_string(),
           fallback.vrrp_mcast_group6.to_string());
  out.text("default_interface", globals.default_interface);
  if (globals.dynamic_interfaces == DynamicInterfaces::yes) out.statement("dynamic_interfaces", {});
  if (globals.dynamic_interfaces == DynamicInterfaces::allow_if_changes)
    out.statement("dynamic_interfaces", {"allow_if_changes"});
  out.boolean("vrrp_strict", globals.vrrp_strict, false);
  out.boolean("vrrp_skip_check_adv_addr", globals.vrrp_skip_check_adv_addr, false);
  out.flag("vrrp_check_unicast_src", globals.vrrp_check_unicast_src);
  out.boolean("vrrp_higher_prio_send_advert", globals.vrrp_higher_prio_send_advert, false);
  out.boolean("vrrp_lower_prio_no_advert", globals.vrrp_lower_prio_no_advert, false);
  out.boolean("vrrp_owner_ignore_adverts", globals.vrrp_owner_ignore_adverts, false);
  out.flag("v3_checksum_as_v2", globals.v3_checksum_as_v2);
  out.number("vrrp_down_timer_adverts", globals.vrrp_down_timer_adverts,
             fallback.vrrp_down_timer_adverts);
  out.seconds("vrrp_startup_delay", globals.vrrp_startup_delay, core::Duration{0});
  out.seconds("vrrp_delay_after_boot", globals.vrrp_delay_after_boot, core::Duration{0});
  out.boolean("vrrp_notify_priority_changes", globals.vrrp_notify_priority_changes, false);
  out.text("nftables", globals.nftables);
  if (!globals.vrrp_iptables.empty()) out.statement("vrrp_iptables", globals.vrrp_iptables);
}

Words words_of(const SyncDaemon& daemon) {
  Words words{daemon.interface};
  const auto add = [&words](const char* option, std::string value) {
    words.emplace_back(option);
    words.push_back(std::move(value));
  };
  if (!daemon.instance.empty()) add("inst", daemon.instance);
  if (daemon.id) add("id", number_text(*daemon.id));
  if (daemon.max_length != 0) add("maxlen", number_text(daemon.max_length));
  if (daemon.port != 0) add("port", number_text(daemon.port));
  if (daemon.ttl != 0) add("ttl", number_text(daemon.ttl));
  if (daemon.group) add("group", daemon.group->to_string());
  return words;
}

Words words_of(const IpvsTimeouts& timeouts) {
  Words words;
  const auto add = [&words](const char* option, core::Duration value) {
    if (value.count() == 0) return;
    words.emplace_back(option);
    words.push_back(seconds_text(value));
  };
  add("tcp", timeouts.tcp);
  add("tcpfin", timeouts.tcp_fin);
  add("udp", timeouts.udp);
  return words;
}

void write_ipvs(Writer& out, const Globals& globals) {
  if (globals.lvs_sync_daemon) out.statement("lvs_sync_daemon", words_of(*globals.lvs_sync_daemon));
  if (globals.lvs_timeouts != IpvsTimeouts{})
    out.statement("lvs_timeouts", words_of(globals.lvs_timeouts));
  out.flag("lvs_flush", globals.lvs_flush);
  if (globals.lvs_flush_on_stop)
    out.statement("lvs_flush_on_stop", globals.lvs_flush_on_stop_own ? Words{"VS"} : Words{});
  out.boolean("checker_log_all_failures", globals.checker_log_all_failures, false);
}

void write_fifo(Writer& out, std::string_view word, std::string_view script_word,
                const NotifyFifo& fifo) {
  if (!fifo.path.empty()) {
    Words words{fifo.path};
    if (!fifo.user.empty()) words.push_back(fifo.user);
    if (!fifo.user.empty() && !fifo.group.empty()) words.push_back(fifo.group);
    out.statement(word, std::move(words));
  }
  out.script(script_word, fifo.script);
}

void write_scripts(Writer& out, const Globals& globals) {
  if (!globals.script_user.empty()) {
    Words words{globals.script_user};
    if (!globals.script_group.empty()) words.push_back(globals.script_group);
    out.statement("script_user", std::move(words));
  }
  out.flag("enable_script_security", globals.enable_script_security);
  out.script("startup_script", globals.startup_script);
  out.seconds("startup_script_timeout", globals.startup_script_timeout, std::chrono::seconds(10));
  out.script("shutdown_script", globals.shutdown_script);
  out.seconds("shutdown_script_timeout", globals.shutdown_script_timeout, std::chrono::seconds(10));
  write_fifo(out, "notify_fifo", "notify_fifo_script", globals.notify_fifo);
  write_fifo(out, "vrrp_notify_fifo", "vrrp_notify_fifo_script", globals.vrrp_notify_fifo);
  write_fifo(out, "lvs_notify_fifo", "lvs_notify_fifo_script", globals.lvs_notify_fifo);
}

void write_process(Writer& out, const std::string& prefix, const ProcessSettings& process) {
  if (process.priority) out.statement(prefix + "priority", {number_text(*process.priority)});
  if (process.rt_priority != 0)
    out.statement(prefix + "rt_priority", {number_text(process.rt_priority)});
  out.flag(prefix + "no_swap", process.no_swap);
  if (!process.cpu_affinity.empty()) {
    Words words;
    for (const std::uint16_t processor : process.cpu_affinity)
      words.push_back(number_text(processor));
    out.statement(prefix + "cpu_affinity", std::move(words));
  }
  out.number(prefix + "rlimit_rttime", process.rlimit_rttime.count(),
             ProcessSettings{}.rlimit_rttime.count());
}

void write_processes(Writer& out, const Globals& globals) {
  out.number("max_auto_priority", globals.max_auto_priority, 0);
  write_process(out, "vrrp_", globals.vrrp_process);
  write_process(out, "checker_", globals.checker_process);
  write_process(out, "bfd_", globals.bfd_process);
  out.text("snmp_socket", globals.snmp_socket);
  out.flag("enable_traps", globals.enable_traps);
  out.flag("enable_snmp_vrrp", globals.enable_snmp_vrrp);
  out.flag("enable_snmp_checker", globals.enable_snmp_checker);
  out.number("json_version", globals.json_version, 1);
}

void write_link_delays(Writer& out, const std::vector<LinkDelay>& delays) {
  if (delays.empty()) return;
  Writer body = body_of(out.block("interface_up_down_delays"), out.detail());
  for (const LinkDelay& each : delays) {
    Words words{each.interface, seconds_text(each.down)};
    if (each.up != each.down) words.push_back(seconds_text(each.up));
    body.entry(std::move(words));
  }
}

template <class T>
void write_list(Writer& out, std::string_view word, const std::vector<T>& list) {
  if (list.empty()) return;
  Node& made = out.block(word);
  for (const T& each : list) made.body.push_back(document_of(each));
}

}  // namespace

Document document_of(const Globals& globals, Detail detail) {
  Document document;
  Writer root(Block::root, document, detail);
  root.text("instance", globals.instance);
  root.text("net_namespace", globals.net_namespace);
  write_optional(root, "net_namespace_ipvs", globals.net_namespace_ipvs);
  Node block = node(Block::root, "global_defs");
  Writer out = body_of(block, detail);
  out.text("router_id", globals.router_id);
  write_reload(out, globals);
  write_mail(out, globals);
  write_garp(out, globals.garp);
  write_vrrp(out, globals);
  write_ipvs(out, globals);
  write_scripts(out, globals);
  write_processes(out, globals);
  if (!block.body.empty()) document.push_back(std::move(block));
  write_link_delays(root, globals.link_delays);
  return document;
}

Document document_of(const Model& model, Detail detail) {
  const Globals& globals = model.globals;
  Document document = document_of(globals, detail);
  Writer root(Block::root, document, detail);
  write_list(root, "static_ipaddress", model.static_addresses);
  write_list(root, "static_routes", model.static_routes);
  write_list(root, "static_rules", model.static_rules);
  for (const auto& each : model.garp_groups) document.push_back(document_of(each));
  for (const auto& each : model.scripts) document.push_back(document_of(each, detail));
  for (const auto& each : model.track_processes) document.push_back(document_of(each, detail));
  for (const auto& each : model.track_files) document.push_back(document_of(each, detail));
  for (const auto& each : model.bfd_instances) document.push_back(document_of(each, detail));
  for (const auto& each : model.track_groups) document.push_back(document_of(each));
  for (const auto& each : model.sync_groups) document.push_back(document_of(each, globals, detail));
  for (const auto& each : model.instances) document.push_back(document_of(each, globals, detail));
  if (model.tls != TlsIdentity{}) document.push_back(document_of(model.tls));
  for (const auto& each : model.service_groups) document.push_back(document_of(each));
  for (const auto& each : model.services) document.push_back(document_of(each, globals, detail));
  return document;
}

}  // namespace holdfast::config
