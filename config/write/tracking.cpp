// Groups, scripts, processes, files and BFD sessions → words.
#include "config/write/tracking.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

void write_tracked(Writer& out, std::string_view word, const std::vector<Tracked>& list) {
  if (list.empty()) return;
  Writer body = body_of(out.block(word), out.detail());
  for (const Tracked& tracked : list) {
    std::vector<std::string> words{tracked.name};
    if (tracked.weight) {
      words.insert(words.end(), {"weight", fmt::format("{}", *tracked.weight)});
      if (tracked.reverse) words.emplace_back(*tracked.reverse ? "reverse" : "noreverse");
    }
    body.entry(std::move(words));
  }
}

void write_weight(Writer& out, std::int16_t weight, bool reverse, std::int16_t fallback) {
  if (!reverse) return out.number("weight", weight, fallback);
  out.statement("weight", {fmt::format("{}", weight), "reverse"});
}

void write_names(Writer& out, std::string_view word, const std::vector<std::string>& names) {
  if (names.empty()) return;
  Writer body = body_of(out.block(word), out.detail());
  for (const std::string& name : names) body.entry({name});
}

}  // namespace

void write_tracking(Writer& out, const Tracking& tracking) {
  write_tracked(out, "track_interface", tracking.interfaces);
  write_tracked(out, "track_script", tracking.scripts);
  write_tracked(out, "track_file", tracking.files);
  write_tracked(out, "track_process", tracking.processes);
  write_tracked(out, "track_bfd", tracking.bfd);
}

Node document_of(const SyncGroup& group, const Globals& globals, Detail detail) {
  Node made = node(Block::root, "vrrp_sync_group", {group.name});
  Writer out = body_of(made, detail);
  write_names(out, "group", group.instances);
  write_tracking(out, group.tracking);
  out.flag("sync_group_tracking_weight", group.sync_group_tracking_weight);
  out.script("notify_master", group.notify_master);
  out.script("notify_backup", group.notify_backup);
  out.script("notify_fault", group.notify_fault);
  out.script("notify_stop", group.notify_stop);
  out.script("notify", group.notify);
  out.boolean("notify_priority_changes", group.notify_priority_changes, false);
  out.boolean("smtp_alert", group.smtp_alert,
              globals.smtp_alert_vrrp.value_or(globals.smtp_alert.value_or(false)));
  return made;
}

Node document_of(const VrrpScript& script, Detail detail) {
  Node made = node(Block::root, "vrrp_script", {script.name});
  Writer out = body_of(made, detail);
  out.statement("script", {join_command(script.script.argv)});
  if (!script.script.user.empty()) {
    std::vector<std::string> words{script.script.user};
    if (!script.script.group.empty()) words.push_back(script.script.group);
    out.statement("user", std::move(words));
  }
  out.seconds("interval", script.interval, std::chrono::seconds(1));
  if (script.timeout.count() != 0) out.seconds("timeout", script.timeout, core::Duration{0});
  write_weight(out, script.weight, script.reverse, 0);
  out.number("rise", script.rise, 1);
  out.number("fall", script.fall, 1);
  out.flag("init_fail", script.init_fail);
  return made;
}

Node document_of(const TrackProcess& process, Detail detail) {
  Node made = node(Block::root, "vrrp_track_process", {process.name});
  Writer out = body_of(made, detail);
  out.statement("process", process.command);
  if (process.param_match == TrackProcess::ParamMatch::initial) out.text("param_match", "initial");
  if (process.param_match == TrackProcess::ParamMatch::partial) out.text("param_match", "partial");
  out.flag("full_command", process.full_command);
  write_weight(out, process.weight, process.reverse, 0);
  out.number("quorum", process.quorum, 1);
  if (process.quorum_max) out.statement("quorum_max", {fmt::format("{}", *process.quorum_max)});
  out.seconds("fork_delay", process.fork_delay, core::Duration{0});
  out.seconds("terminate_delay", process.terminate_delay, core::Duration{0});
  return made;
}

Node document_of(const TrackFile& file, Detail detail) {
  Node made = node(Block::root, "track_file", {file.name});
  Writer out = body_of(made, detail);
  out.text("file", file.path);
  write_weight(out, file.weight, file.reverse, 1);
  if (file.init_value) {
    std::vector<std::string> words{fmt::format("{}", *file.init_value)};
    if (file.init_overwrite) words.emplace_back("overwrite");
    out.statement("init_file", std::move(words));
  }
  return made;
}

Node document_of(const BfdInstance& bfd, Detail detail) {
  const BfdInstance fallback;
  Node made = node(Block::root, "bfd_instance", {bfd.name});
  Writer out = body_of(made, detail);
  out.address("neighbor_ip", bfd.neighbor);
  out.address("source_ip", bfd.source);
  out.milliseconds("min_rx", bfd.min_rx, fallback.min_rx);
  out.milliseconds("min_tx", bfd.min_tx, fallback.min_tx);
  out.milliseconds("idle_tx", bfd.idle_tx, fallback.idle_tx);
  out.number("multiplier", bfd.multiplier, fallback.multiplier);
  out.flag("passive", bfd.passive);
  if (bfd.ttl) out.statement("ttl", {fmt::format("{}", *bfd.ttl)});
  out.number("max_hops", bfd.max_hops, fallback.max_hops);
  out.boolean("multihop", bfd.multihop, fallback.multihop);
  write_weight(out, bfd.weight, bfd.reverse, fallback.weight);
  out.flag("vrrp", !bfd.checker);
  out.flag("checker", !bfd.vrrp);
  return made;
}

Node document_of(const TrackGroup& group) {
  Node made = node(Block::root, "track_group", {group.name});
  Writer out = body_of(made, Detail::changed);
  write_names(out, "group", group.instances);
  return made;
}

Node document_of(const GarpGroup& group) {
  Node made = node(Block::root, "garp_group");
  Writer out = body_of(made, Detail::changed);
  out.seconds("garp_interval", group.garp_interval, core::Duration{0});
  out.seconds("gna_interval", group.gna_interval, core::Duration{0});
  write_names(out, "interfaces", group.interfaces);
  return made;
}

}  // namespace holdfast::config
