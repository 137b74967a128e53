#include "ctl/steering_verbs.hpp"

namespace holdfast::ctl {
namespace {

void add_order(CLI::App& app, const std::string& verb, const std::string& what,
               const std::string& subject, OrderRequest& request) {
  CLI::App& added = *app.add_subcommand(verb, what);
  added.add_option(subject == "INSTANCE" ? "instance" : "server", request.subject)
      ->type_name(subject)
      ->required();
  if (verb == "weight")
    added.add_option("weight", request.value, "A number, or configured")->required();
  if (verb == "priority")
    added.add_option("points", request.value, "+20, -50, or 0 to take it back")->required();
  if (verb == "resign")
    added.add_flag("--end", request.take_back, "Take it back: it may be master again");
  if (verb != "undrain")
    added
        .add_option("--for", request.within,
                    "Only for this time (90s, 10m, 2h); without it until it is taken back")
        ->type_name("TIME");
}

}  // namespace

CLI::App& add_real_server(CLI::App& app, RealServerVerbs& verbs, bool& json) {
  CLI::App& verb =
      *app.add_subcommand("real-server", "Virtual addresses that this host serves for a director");
  verb.require_subcommand(1);
  RealServerRequest& request = verbs.request;
  verbs.up = verb.add_subcommand("up", "Accept packets for them, answer no ARP");
  verbs.up->add_option("address", request.addresses, "Virtual addresses")
      ->type_name("VIP")
      ->required();
  verbs.up->add_option("--dev", request.device, "Where they are put; without it lo or the tunnel")
      ->type_name("NAME");
  verbs.up->add_option("--tunnel", request.tunnel, "Unwrap what a director of lb_kind TUN sends")
      ->check(CLI::IsMember({"ipip", "sit", "ip6tnl", "gre", "ip6gre", "gue"}));
  verbs.up->add_option("--port", request.gue_port, "UDP port of --tunnel gue")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  verbs.down = verb.add_subcommand("down", "Give back what was there before");
  verbs.down->add_option("address", request.addresses, "Virtual addresses")->type_name("VIP");
  verbs.down->add_flag("--all", request.all, "Every one that `up` has put here");
  CLI::App& status = *verb.add_subcommand("status", "Is everything as it must be?");
  status.add_option("address", request.addresses, "Virtual addresses; without it all of `up`")
      ->type_name("VIP");
  status.add_flag("--json", json, "One JSON object instead of text");
  return verb;
}

int run_real_server(const Target& target, RealServerVerbs& verbs, Format format) {
  verbs.request.format = format;
  if (verbs.up->parsed()) return real_server_up(target, verbs.request);
  if (verbs.down->parsed()) return real_server_down(target, verbs.request);
  return real_server_status(target, verbs.request);
}

void add_orders(CLI::App& app, OrderRequest& request, bool& json, std::string& server) {
  add_order(app, "drain", "Weight 0 for a server: no new connections, checks go on", "SERVER",
            request);
  add_order(app, "undrain", "The weight of the configuration again", "SERVER", request);
  add_order(app, "weight", "Another weight for a server", "SERVER", request);
  add_order(app, "resign", "A master leaves its addresses to its peer", "INSTANCE", request);
  add_order(app, "priority", "Another priority for an instance", "INSTANCE", request);
  for (const char* verb : {"drain", "undrain", "weight", "resign", "priority"})
    app.get_subcommand(verb)->add_flag("--json", json, "One JSON object instead of text");
  app.add_subcommand("check-now", "Run the checks of a server, or all checks, at once")
      ->add_option("server", server, "192.0.2.10:80; without it all of them")
      ->type_name("SERVER");
}

std::optional<int> run_orders(const CLI::App& app, const Target& target, OrderRequest& request,
                              bool json, const std::string& server) {
  request.format = json ? Format::json : Format::text;
  for (const char* verb : {"drain", "undrain", "weight", "resign", "priority"})
    if (app.got_subcommand(verb)) return order(target, verb, request);
  if (app.got_subcommand("check-now")) return check_now(target, server);
  return std::nullopt;
}

}  // namespace holdfast::ctl
