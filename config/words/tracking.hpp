// What instances and groups share and watch: track_* lists, and the names they refer to.
#pragma once

#include "config/words/meaning.hpp"

namespace holdfast::config {

/// The entries of track_interface, track_script, _file, _process or _bfd; adds to `target`.
void read_value(std::vector<Tracked>& target, const Args& args);
void write_value(Writer& out, const Keyword& row, const std::vector<Tracked>& value,
                 const std::vector<Tracked>& standard);

constexpr Arg reversed() {
  return rows::optional(rows::choice("reverse noreverse"));
}

/// `weight NUMBER [reverse]` of whatever is tracked.
template <class T>
void set_own_weight(T& target, const Args& args) {
  target.weight = args.as<std::int16_t>(0);
  target.reverse = args.has(1) && args.number(1) == 0;
}
template <class T>
void write_own_weight(const T& target, const T& standard, Writer& out) {
  if (!target.reverse) return out.number("weight", target.weight, standard.weight);
  out.statement("weight", {std::to_string(target.weight), "reverse"});
}
template <class T>
inline constexpr rows::Bound kWeightOf{rows::reads<set_own_weight<T>>.read,
                                       rows::writes_against<write_own_weight<T>>.write};

/// smtp_alert of instances and groups.
template <class T>
void inherit_mail(T& target, const Globals& globals) {
  target.smtp_alert = globals.smtp_alert_vrrp.value_or(globals.smtp_alert.value_or(false));
}

/// keepalived leaves such a block out, too. Silent when the word is there with a value that was
/// refused.
void report_useless(const Args& args, std::string_view missing, std::string_view help);

void build_sync_group(const Args& args);
void build_script(const Args& args);
void build_track_process(const Args& args);
void build_track_file(const Args& args);
void build_bfd_instance(const Args& args);
void build_garp_group(const Args& args);
void build_track_group(const Args& args);
/// After all blocks: drops the entries that name what is nowhere, and says so.
void resolve_names(BuildContext& context);

}  // namespace holdfast::config
