// global_defs → Globals.
#include "config/builder.hpp"

namespace holdfast::config {
namespace {

// global_defs may be written in several blocks; what depends on two words is settled in the last
// step.
struct Draft {
  Globals& globals;
  bool has_lower_prio_delay = false;
  bool has_lower_prio_repeat = false;
};

void set_version(Draft&, const Args& args) {
  if (args.number(0) == 2) return;
  args.context().reporter.warn_once(
      args.value(0).range,
      "Holdfast does not do VRRP version 3 yet: instances speak version 2, which "
      "directors with version 3 do not hear");
}

void add_mail(Draft& draft, const Args& args) {
  const Tree& tree = args.context().tree;
  for (std::uint32_t at = args.statement().first_child; at != kNoStatement;
       at = tree.statements[at].next) {
    for (const Word& word : tree.args(tree.statements[at])) {
      draft.globals.notification_email.emplace_back(word.text);
    }
  }
}

const Setters<Draft>& setters() {
  static const Setters<Draft> table(
      Block::global_defs,
      {{"router_id", [](Draft& d, const Args& a) { d.globals.router_id = a.text(0); }},
       {"notification_email", add_mail},
       {"notification_email_from",
        [](Draft& d, const Args& a) { d.globals.notification_email_from = a.text(0); }},
       {"smtp_server",
        [](Draft& d, const Args& a) {
          d.globals.smtp_server = a.text(0);
          if (a.has(1)) d.globals.smtp_port = a.as<std::uint16_t>(1);
        }},
       {"smtp_helo_name", [](Draft& d, const Args& a) { d.globals.smtp_helo_name = a.text(0); }},
       {"smtp_connect_timeout",
        [](Draft& d, const Args& a) {
          // keepalived: 0 becomes 1.
          d.globals.smtp_connect_timeout =
              std::max<core::Duration>(a.duration(0), std::chrono::seconds(1));
        }},
       {"smtp_alert", [](Draft& d, const Args& a) { d.globals.smtp_alert = a.flag(); }},
       {"vrrp_garp_master_delay",
        [](Draft& d, const Args& a) { d.globals.garp.master_delay = a.duration(0); }},
       {"vrrp_garp_master_repeat",
        [](Draft& d, const Args& a) { d.globals.garp.master_repeat = at_least_once(a); }},
       {"vrrp_garp_master_refresh",
        [](Draft& d, const Args& a) { d.globals.garp.master_refresh = a.duration(0); }},
       {"vrrp_garp_master_refresh_repeat",
        [](Draft& d, const Args& a) { d.globals.garp.master_refresh_repeat = at_least_once(a); }},
       {"vrrp_garp_lower_prio_delay",
        [](Draft& d, const Args& a) {
          d.globals.garp.lower_prio_delay = a.duration(0);
          d.has_lower_prio_delay = true;
        }},
       {"vrrp_garp_lower_prio_repeat",
        [](Draft& d, const Args& a) {
          d.globals.garp.lower_prio_repeat = at_least_once(a);
          d.has_lower_prio_repeat = true;
        }},
       {"vrrp_garp_interval",
        [](Draft& d, const Args& a) { d.globals.garp.interval = a.duration(0); }},
       {"vrrp_version", set_version},
       {"vrrp_mcast_group4",
        [](Draft& d, const Args& a) { d.globals.vrrp_mcast_group4 = a.value(0).address; }},
       {"default_interface",
        [](Draft& d, const Args& a) { d.globals.default_interface = a.text(0); }},
       {"script_user",
        [](Draft& d, const Args& a) {
          d.globals.script_user = a.text(0);
          if (a.has(1)) d.globals.script_group = a.text(1);
        }},
       {"enable_script_security",
        [](Draft& d, const Args&) { d.globals.enable_script_security = true; }},
       {"lvs_flush", [](Draft& d, const Args&) { d.globals.lvs_flush = true; }},
       {"lvs_flush_on_stop", [](Draft& d, const Args&) { d.globals.lvs_flush_on_stop = true; }}});
  return table;
}

}  // namespace

void build_globals(Globals& globals, const Args& args) {
  const GarpSettings before = globals.garp;
  Draft draft{.globals = globals};
  globals.location = args.location();
  setters().apply(args.context(), args.statement().first_child, draft);
  // keepalived: the values after a lower-priority advert follow the ordinary ones unless they are
  // given.
  if (!draft.has_lower_prio_delay && globals.garp.master_delay != before.master_delay) {
    globals.garp.lower_prio_delay = globals.garp.master_delay;
  }
  if (!draft.has_lower_prio_repeat && globals.garp.master_repeat != before.master_repeat) {
    globals.garp.lower_prio_repeat = globals.garp.master_repeat;
  }
}

bool globals_know(KeywordId id) {
  return setters().knows(id);
}

}  // namespace holdfast::config
