// vrrp_sync_group, vrrp_script, vrrp_track_process, track_file, bfd_instance, track_group,
// garp_group → their values, and the track_* lists.
#include "config/builders/tracking.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace holdfast::config {
namespace {

constexpr int kMostWeight = 254;             // of files and processes; one less for the others
constexpr std::size_t kLongestBfdName = 31;  // keepalived's limit

template <class Read>
void for_each_entry(const Args& args, const Read& read) {
  BuildContext& context = args.context();
  for (std::uint32_t at = args.statement().first_child; at != kNoStatement;
       at = context.tree.statements[at].next)
    read(context, context.tree.statements[at]);
}

void set_weight(Tracked& tracked, const Args& args) {
  tracked.weight = args.as<std::int16_t>(0);
  if (args.has(1)) tracked.reverse = args.number(1) == 0;
}

const Setters<Tracked>& tracked_interface_setters() {
  static const Setters<Tracked> table(Block::track_interface_list, {{"weight", set_weight}});
  return table;
}

const Setters<Tracked>& tracked_setters() {
  static const Setters<Tracked> table(Block::track_list, {{"weight", set_weight}});
  return table;
}

void read_entries(const Args& args, Block list, const Setters<Tracked>& setters,
                  std::vector<Tracked>& out) {
  const std::string_view list_word = Schema::instance()[args.statement().keyword].name;
  const bool counts_more = list_word == "track_file" || list_word == "track_process";
  const int limit = counts_more ? kMostWeight : kMostWeight - 1;
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    const std::span<const Word> words = context.tree.args(entry);
    Tracked tracked;
    tracked.name = std::string(words.front().text);
    tracked.location = context.reporter.locate(entry.range.offset);
    if (!setters.apply_line(context, list, words.subspan(1), tracked)) return;
    if (std::abs(tracked.weight.value_or(0)) > limit) {
      context.reporter.warning(entry.range,
                               fmt::format("the weight of '{}' must be a number from -{} "
                                           "to {}, not {}: this line is left out",
                                           tracked.name, limit, limit, *tracked.weight));
      return;
    }
    const auto same = [&](const Tracked& other) { return other.name == tracked.name; };
    if (std::any_of(out.begin(), out.end(), same)) {
      context.reporter.warning(
          entry.range, fmt::format("'{}' is tracked already: this line is ignored", tracked.name));
      return;
    }
    out.push_back(std::move(tracked));
  });
}

// `weight NUMBER [reverse]` of whatever has one.
template <class T>
void set_own_weight(T& target, const Args& args) {
  target.weight = args.as<std::int16_t>(0);
  target.reverse = args.has(1) && args.number(1) == 0;
}
template <class T, Rare<Script> T::*kMember>
void set_script(T& target, const Args& args) {
  target.*kMember = args.script();
}
template <class T, bool T::*kMember>
void set_flag(T& target, const Args& args) {
  target.*kMember = args.flag();
}
template <class T, core::Duration T::*kMember>
void set_time(T& target, const Args& args) {
  target.*kMember = args.duration(0);
}
template <class T, std::uint32_t T::*kMember>
void set_count(T& target, const Args& args) {
  target.*kMember = args.as<std::uint32_t>(0);
}
template <std::vector<Tracked> Tracking::*kMember>
void read_list(SyncGroup& group, const Args& args) {
  read_tracked(args, group.tracking.*kMember);
}

const Setters<SyncGroup>& group_setters() {
  using T = SyncGroup;
  static const Setters<T> table(
      Block::vrrp_sync_group,
      {{"group", [](T& g, const Args& a) { read_names(a, g.instances); }},
       {"track_interface",
        [](T& g, const Args& a) { read_tracked_interfaces(a, g.tracking.interfaces); }},
       {"track_script", read_list<&Tracking::scripts>},
       {"track_file", read_list<&Tracking::files>},
       {"track_process", read_list<&Tracking::processes>},
       {"track_bfd", read_list<&Tracking::bfd>},
       {"notify_master", set_script<T, &T::notify_master>},
       {"notify_backup", set_script<T, &T::notify_backup>},
       {"notify_fault", set_script<T, &T::notify_fault>},
       {"notify_stop", set_script<T, &T::notify_stop>},
       {"notify", set_script<T, &T::notify>},
       {"notify_priority_changes", set_flag<T, &T::notify_priority_changes>},
       {"smtp_alert", set_flag<T, &T::smtp_alert>},
       {"sync_group_tracking_weight", set_flag<T, &T::sync_group_tracking_weight>}});
  return table;
}

// keepalived: an interval of 0 is one second.
void set_interval(VrrpScript& script, const Args& args) {
  script.interval = args.duration(0).count() != 0 ? args.duration(0) : std::chrono::seconds(1);
}

void set_command(VrrpScript& script, const Args& args) {
  Script read = args.script();
  if (read.user.empty()) {  // `user` may stand before it
    read.user = std::move(script.script.user);
    read.group = std::move(script.script.group);
  }
  script.script = std::move(read);
}

const Setters<VrrpScript>& script_setters() {
  using T = VrrpScript;
  static const Setters<T> table(Block::vrrp_script, {{"script", set_command},
                                                     {"interval", set_interval},
                                                     {"timeout", set_time<T, &T::timeout>},
                                                     {"weight", set_own_weight<T>},
                                                     {"rise", set_count<T, &T::rise>},
                                                     {"fall", set_count<T, &T::fall>},
                                                     {"user",
                                                      [](T& s, const Args& a) {
                                                        s.script.user = a.text(0);
                                                        s.script.group =
                                                            a.has(1) ? a.text(1) : std::string();
                                                      }},
                                                     {"init_fail", set_flag<T, &T::init_fail>}});
  return table;
}

const Setters<TrackProcess>& process_setters() {
  using T = TrackProcess;
  static const Setters<T> table(
      Block::vrrp_track_process,
      {{"process",
        [](T& p, const Args& a) {
          p.command.clear();
          for (std::size_t i = 0; i < a.size(); ++i) p.command.push_back(a.text(i));
        }},
       {"param_match",
        [](T& p, const Args& a) {
          p.param_match = a.number(0) == 0 ? TrackProcess::ParamMatch::initial
                                           : TrackProcess::ParamMatch::partial;
        }},
       {"full_command", set_flag<T, &T::full_command>},
       {"weight", set_own_weight<T>},
       {"quorum", set_count<T, &T::quorum>},
       {"quorum_max", [](T& p, const Args& a) { p.quorum_max = a.as<std::uint32_t>(0); }},
       {"delay", [](T& p, const Args& a) { p.fork_delay = p.terminate_delay = a.duration(0); }},
       {"fork_delay", set_time<T, &T::fork_delay>},
       {"terminate_delay", set_time<T, &T::terminate_delay>}});
  return table;
}

void set_init_file(TrackFile& file, const Args& args) {
  file.init_value = 0;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args.value(i).text == "overwrite")
      file.init_overwrite = true;
    else
      file.init_value = args.as<std::int32_t>(i);
  }
}

const Setters<TrackFile>& file_setters() {
  using T = TrackFile;
  static const Setters<T> table(Block::track_file,
                                {{"file", [](T& f, const Args& a) { f.path = a.text(0); }},
                                 {"weight", set_own_weight<T>},
                                 {"init_file", set_init_file}});
  return table;
}

// `vrrp` and `checker` each exclude the other, unless both are written.
struct BfdDraft {
  BfdInstance bfd;
  bool has_neighbor = false;
  bool names_vrrp = false;
  bool names_checker = false;
};

template <core::Duration BfdInstance::*kMember>
void set_bfd_time(BfdDraft& draft, const Args& args) {
  draft.bfd.*kMember = args.duration(0);
}

const Setters<BfdDraft>& bfd_setters() {
  using T = BfdDraft;
  static const Setters<T> table(
      Block::bfd_instance,
      {{"neighbor_ip",
        [](T& d, const Args& a) {
          d.bfd.neighbor = a.value(0).address;
          d.has_neighbor = true;
        }},
       {"source_ip", [](T& d, const Args& a) { d.bfd.source = a.value(0).address; }},
       {"min_rx", set_bfd_time<&BfdInstance::min_rx>},
       {"min_tx", set_bfd_time<&BfdInstance::min_tx>},
       {"idle_tx", set_bfd_time<&BfdInstance::idle_tx>},
       {"multiplier", [](T& d, const Args& a) { d.bfd.multiplier = a.as<std::uint8_t>(0); }},
       {"passive", [](T& d, const Args&) { d.bfd.passive = true; }},
       {"ttl", [](T& d, const Args& a) { d.bfd.ttl = a.as<std::uint8_t>(0); }},
       {"max_hops", [](T& d, const Args& a) { d.bfd.max_hops = a.as<std::int16_t>(0); }},
       {"multihop", [](T& d, const Args& a) { d.bfd.multihop = a.flag(); }},
       {"weight", [](T& d, const Args& a) { set_own_weight(d.bfd, a); }},
       {"vrrp", [](T& d, const Args&) { d.names_vrrp = true; }},
       {"checker", [](T& d, const Args&) { d.names_checker = true; }}});
  return table;
}

const Setters<GarpGroup>& garp_group_setters() {
  using T = GarpGroup;
  static const Setters<T> table(
      Block::garp_group,
      {{"garp_interval", set_time<T, &T::garp_interval>},
       {"gna_interval", set_time<T, &T::gna_interval>},
       {"interface",
        [](T& g, const Args& a) {
          if (std::find(g.interfaces.begin(), g.interfaces.end(), a.text(0)) == g.interfaces.end())
            g.interfaces.push_back(a.text(0));
        }},
       {"interfaces", [](T& g, const Args& a) { read_names(a, g.interfaces); }}});
  return table;
}

const Setters<TrackGroup>& track_group_setters() {
  static const Setters<TrackGroup> table(
      Block::track_group,
      {{"group", [](TrackGroup& g, const Args& a) { read_names(a, g.instances); }}});
  return table;
}

template <class T>
T named(const Args& args) {
  T made;
  made.name = args.text(0);
  made.location = args.location();
  return made;
}

// keepalived leaves such a block out, too. Silent when the word is there with a value that was
// refused.
void report_useless(const Args& args, std::string_view missing, std::string_view help) {
  if (mentions(args.context(), args.statement(), missing)) return;
  const std::string_view block = Schema::instance()[args.statement().keyword].name;
  args.context().reporter.warning(
      args.value(0).range, fmt::format("this {} has no '{}' and is left out", block, missing),
      std::string(help));
}

}  // namespace

void read_tracked_interfaces(const Args& args, std::vector<Tracked>& out) {
  read_entries(args, Block::track_interface_list, tracked_interface_setters(), out);
}

void read_tracked(const Args& args, std::vector<Tracked>& out) {
  read_entries(args, Block::track_list, tracked_setters(), out);
}

void read_names(const Args& args, std::vector<std::string>& out) {
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    for (const Word& word : context.tree.args(entry)) {
      if (std::find(out.begin(), out.end(), word.text) == out.end())
        out.emplace_back(word.text);
      else
        context.reporter.warning(word.range, fmt::format("'{}' is listed twice", word.text),
                                 "remove one of them");
    }
  });
}

void build_sync_group(const Args& args) {
  const Globals& globals = args.context().model.globals;
  auto group = named<SyncGroup>(args);
  group.smtp_alert = globals.smtp_alert_vrrp.value_or(globals.smtp_alert.value_or(false));
  group_setters().apply(args.context(), args.statement().first_child, group);
  args.context().model.sync_groups.push_back(std::move(group));
}

void build_script(const Args& args) {
  auto script = named<VrrpScript>(args);
  script_setters().apply(args.context(), args.statement().first_child, script);
  if (script.script.argv.empty()) return report_useless(args, "script", "add the command to run");
  args.context().model.scripts.push_back(std::move(script));
}

void build_track_process(const Args& args) {
  auto process = named<TrackProcess>(args);
  process_setters().apply(args.context(), args.statement().first_child, process);
  if (process.command.empty())
    return report_useless(args, "process", "add the process to look for");
  args.context().model.track_processes.push_back(std::move(process));
}

void build_track_file(const Args& args) {
  auto file = named<TrackFile>(args);
  file_setters().apply(args.context(), args.statement().first_child, file);
  if (file.path.empty()) return report_useless(args, "file", "add the path of the file");
  args.context().model.track_files.push_back(std::move(file));
}

void build_bfd_instance(const Args& args) {
  BfdDraft draft{.bfd = named<BfdInstance>(args)};
  bfd_setters().apply(args.context(), args.statement().first_child, draft);
  BfdInstance& bfd = draft.bfd;
  if (bfd.name.size() > kLongestBfdName) {
    args.context().reporter.error(
        args.value(0).range,
        fmt::format("the name of a bfd_instance has at most {} letters", kLongestBfdName));
    return;
  }
  if (!draft.has_neighbor)
    return report_useless(args, "neighbor_ip", "add the other end's address");
  if (bfd.source && bfd.source->family() != bfd.neighbor.family()) {
    args.context().reporter.warning(args.statement().range,
                                    "source_ip and neighbor_ip are of different families: "
                                    "source_ip is left out");
    bfd.source.reset();
  }
  const bool both = draft.names_vrrp == draft.names_checker;
  bfd.vrrp = both || draft.names_vrrp;
  bfd.checker = both || draft.names_checker;
  args.context().model.bfd_instances.push_back(std::move(bfd));
}

void build_garp_group(const Args& args) {
  GarpGroup group;
  group.location = args.location();
  garp_group_setters().apply(args.context(), args.statement().first_child, group);
  args.context().model.garp_groups.push_back(std::move(group));
}

void build_track_group(const Args& args) {
  auto group = named<TrackGroup>(args);
  track_group_setters().apply(args.context(), args.statement().first_child, group);
  args.context().model.track_groups.push_back(std::move(group));
}

bool tracking_knows(KeywordId id) {
  return tracked_interface_setters().knows(id) || tracked_setters().knows(id) ||
         group_setters().knows(id) || script_setters().knows(id) || process_setters().knows(id) ||
         file_setters().knows(id) || bfd_setters().knows(id) || garp_group_setters().knows(id) ||
         track_group_setters().knows(id);
}

}  // namespace holdfast::config
