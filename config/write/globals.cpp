// Globals → words, and the whole model as one document.
#include "config/builders/builder.hpp"
#include "config/text.hpp"
#include "config/write/write.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

using Words = std::vector<std::string>;

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
  if (const Rare<std::string>& name = globals.net_namespace_ipvs)
    root.statement("net_namespace_ipvs", name->empty() ? Words{} : Words{*name});
  Node block = node(Block::root, "global_defs");
  Writer out = body_of(block, detail);
  Globals standard;
  standard.garp.lower_prio_delay = globals.garp.master_delay;
  standard.garp.lower_prio_repeat = globals.garp.master_repeat;
  write_words(Block::global_defs, globals, standard, out);
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
