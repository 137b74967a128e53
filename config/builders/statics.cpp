// The words of the top level that are not blocks of objects: addresses, routes and rules of the
// director itself, links, namespaces.
#include "config/schema/row.hpp"
#include "config/words/lines.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

void add_addresses(const Args& args) {
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    std::optional<VirtualAddress> address = read_address_line(context, entry, ListOwner::director);
    if (!address) return;
    if (address->interface.empty()) address->interface = context.model.globals.default_interface;
    if (address->interface.empty()) {
      context.reporter.warning(
          context.tree.args(entry).front().range,
          fmt::format("the static address {} has no interface: this line is left out",
                      address->prefix.to_string()),
          "add 'dev INTERFACE' to the line, or 'default_interface INTERFACE' to global_defs");
      return;
    }
    context.model.static_addresses.push_back(std::move(*address));
  });
}

void add_routes(const Args& args) {
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    if (auto route = read_route_line(context, entry, ListOwner::director))
      context.model.static_routes.push_back(std::move(*route));
  });
}

void add_rules(const Args& args) {
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    if (auto rule = read_rule_line(context, entry, ListOwner::director))
      context.model.static_rules.push_back(std::move(*rule));
  });
}

// One word of an entry, by position.
bool read_word(const Args& args, const Arg& arg, const Word& word, Value& value) {
  if (decode_word(arg, word.text, value)) return true;
  args.context().reporter.warning(
      word.range,
      fmt::format("here must be {}, not '{}': this line is left out", describe(arg), word.text));
  return false;
}

void add_link_delays(const Args& args) {
  const Arg delay = rows::seconds(0, 255);
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    const std::span<const Word> words = context.tree.args(entry);
    Value name;
    Value down;
    Value up;
    if (!read_word(args, rows::of(ArgType::interface), words[0], name)) return;
    if (words.size() < 2) {
      context.reporter.warning(
          words[0].range, fmt::format("'{}' needs a delay: this line is left out", words[0].text),
          "write INTERFACE DOWN [UP], both in seconds");
      return;
    }
    if (!read_word(args, delay, words[1], down)) return;
    up = down;
    if (words.size() > 2 && !read_word(args, delay, words[2], up)) return;
    if (words.size() > 3) {
      context.reporter.warning(words[3].range, fmt::format("'{}' is ignored", words[3].text),
                               "a line is INTERFACE DOWN [UP]");
    }
    context.model.globals.link_delays.push_back(
        {.interface = std::string(name.text),
         .down = core::Duration(down.number),
         .up = core::Duration(up.number),
         .location = context.reporter.locate(words[0].range.offset)});
  });
}

void check_polled_links(const Args& args) {
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    const std::span<const Word> words = context.tree.args(entry);
    Value ignored;
    if (!read_word(args, rows::of(ArgType::interface), words[0], ignored)) return;
    if (words.size() > 1 && read_word(args, rows::choice("MII ETHTOOL IOCTL"), words[1], ignored) &&
        words.size() > 2) {
      context.reporter.warning(words[2].range, fmt::format("'{}' is ignored", words[2].text),
                               "a line is INTERFACE [MII|ETHTOOL|IOCTL]");
    }
  });
}

}  // namespace

void build_statics(BuildContext& context) {
  apply_root(context, "instance",
             [](const Args& a) { a.context().model.globals.instance = a.text(0); });
  apply_root(context, "net_namespace",
             [](const Args& a) { a.context().model.globals.net_namespace = a.text(0); });
  apply_root(context, "net_namespace_ipvs", [](const Args& a) {
    a.context().model.globals.net_namespace_ipvs = a.has(0) ? a.text(0) : std::string();
  });
  apply_root(context, "static_ipaddress", add_addresses);
  apply_root(context, "static_routes", add_routes);
  apply_root(context, "static_rules", add_rules);
  apply_root(context, "interface_up_down_delays", add_link_delays);
  apply_root(context, "linkbeat_interfaces", check_polled_links);
  for (const std::string_view checked : {"namespace_with_ipsets", "use_pid_dir", "child_wait_time",
                                         "linkbeat_use_polling", "real_server_group"})
    apply_root(context, checked, [](const Args&) {});
}

}  // namespace holdfast::config
