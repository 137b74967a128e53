// What instances share and watch: groups, scripts, processes, files, and the track_* lists that
// name them.
#include "config/words/tracking.hpp"

#include "config/words/meaning.hpp"
#include "config/words/notices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::int64_t kWeight = 253;      // of interfaces, scripts and BFD sessions
constexpr std::int64_t kFileWeight = 254;  // of files and processes
constexpr std::int64_t kMostTimes = 2'147'483'647;

constexpr Arg delay() {
  return {.type = ArgType::seconds, .low = 0, .high = 3600 * rows::kMicroseconds};
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
void write_command(const VrrpScript& script, Writer& out) {
  out.statement("script", {join_command(script.script.argv)});
}

void set_user(VrrpScript& script, const Args& args) {
  script.script.user = args.text(0);
  script.script.group = args.has(1) ? args.text(1) : std::string();
}
void write_user(const VrrpScript& script, Writer& out) {
  if (script.script.user.empty()) return;
  std::vector<std::string> words{script.script.user};
  if (!script.script.group.empty()) words.push_back(script.script.group);
  out.statement("user", std::move(words));
}

void set_param_match(TrackProcess& process, const Args& args) {
  process.param_match =
      args.number(0) == 0 ? TrackProcess::ParamMatch::initial : TrackProcess::ParamMatch::partial;
}
void write_param_match(const TrackProcess& process, Writer& out) {
  if (process.param_match == TrackProcess::ParamMatch::exact) return;
  const bool initial = process.param_match == TrackProcess::ParamMatch::initial;
  out.text("param_match", initial ? "initial" : "partial");
}

void set_delay(TrackProcess& process, const Args& args) {
  process.fork_delay = process.terminate_delay = args.duration(0);
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
void write_init_file(const TrackFile& file, Writer& out) {
  if (!file.init_value) return;
  std::vector<std::string> words{fmt::format("{}", *file.init_value)};
  if (file.init_overwrite) words.emplace_back("overwrite");
  out.statement("init_file", std::move(words));
}

void set_weight(Tracked& tracked, const Args& args) {
  tracked.weight = args.as<std::int16_t>(0);
  if (args.has(1)) tracked.reverse = args.number(1) == 0;
}
void write_weight(const Tracked& tracked, Writer& out) {
  if (!tracked.weight) return;
  std::vector<std::string> words{fmt::format("{}", *tracked.weight)};
  if (tracked.reverse) words.emplace_back(*tracked.reverse ? "reverse" : "noreverse");
  out.statement("weight", std::move(words));
}

constexpr std::string_view kNotTracked =
    "Holdfast does not track BFD sessions yet: this changes no priority and no state of the group";

constexpr Keyword kSyncGroup[] = {
    word("group", opens(Block::name_list), kRepeatable, value<&SyncGroup::instances>,
         doc("the vrrp_instances that change state together")),
    word("track_interface", opens(Block::track_interface_list), kRepeatable,
         value<&SyncGroup::tracking, &Tracking::interfaces>,
         doc("interfaces that every member tracks")),
    word("track_script", opens(Block::track_list), kRepeatable,
         value<&SyncGroup::tracking, &Tracking::scripts>,
         doc("names of vrrp_script that every member tracks")),
    word("track_file", opens(Block::track_list), kRepeatable,
         value<&SyncGroup::tracking, &Tracking::files>,
         doc("names of track_file that every member tracks")),
    word("track_process", opens(Block::track_list), kRepeatable,
         value<&SyncGroup::tracking, &Tracking::processes>,
         doc("names of vrrp_track_process that every member tracks")),
    word("track_bfd", opens(Block::track_list), not_yet(kNotTracked), kRepeatable,
         value<&SyncGroup::tracking, &Tracking::bfd>,
         doc("names of bfd_instance that every member tracks")),
    word("notify_master", command(), value<&SyncGroup::notify_master>,
         doc("run when the group becomes master")),
    word("notify_backup", command(), value<&SyncGroup::notify_backup>,
         doc("run when the group becomes backup")),
    word("notify_fault", command(), value<&SyncGroup::notify_fault>,
         doc("run when the group enters fault")),
    word("notify_stop", command(), value<&SyncGroup::notify_stop>, doc("run when Holdfast stops")),
    word("notify", command(), value<&SyncGroup::notify>,
         doc("run on every change, with GROUP, name, state and priority as arguments")),
    word("notify_priority_changes", boolean(), fallback("false"),
         value<&SyncGroup::notify_priority_changes>,
         doc("as notify_priority_changes of each member")),
    word("smtp_alert", boolean(), fallback("smtp_alert_vrrp"), value<&SyncGroup::smtp_alert>,
         inherits_by<inherit_mail<SyncGroup>>, doc("mail on every change")),
    word("sync_group_tracking_weight", value<&SyncGroup::sync_group_tracking_weight>,
         doc("what members track may change their priorities")),
    word("global_tracking", not_kept("'global_tracking' has no effect, as in keepalived"),
         kDeprecated, doc("an old word: a group's tracking always concerns all members")),
};

constexpr Keyword kScript[] = {
    word("script", command(), kRequired, reads<set_command>, writes<write_command>,
         doc("the command, without a shell; \"</path\" asks whether a file can be opened")),
    word("interval", seconds(0, kWeek31), fallback("1"), value<&VrrpScript::interval>,
         reads<set_interval>, doc("time between two runs, seconds")),
    word("timeout", seconds(0, kWeek31), fallback("interval"), value<&VrrpScript::timeout>,
         doc("a run that takes longer is ended and counts as a failure, seconds")),
    word("weight", integer(-kWeight, kWeight), reversed(), fallback("0"), kWeightOf<VrrpScript>,
         doc("0: fault on failure; positive: added on success; negative: subtracted on failure")),
    word("rise", integer(1, kMostTimes), fallback("1"), value<&VrrpScript::rise>,
         doc("successes in a row until it counts as good")),
    word("raise", integer(1, kMostTimes), alias_of("rise"),
         notice("'raise' is a misspelling that keepalived ignores: it is taken for 'rise'"),
         kDeprecated),
    word("fall", integer(1, kMostTimes), fallback("1"), value<&VrrpScript::fall>,
         doc("failures in a row until it counts as bad")),
    word("user", text("user"), optional(text("group")), fallback("script_user"), reads<set_user>,
         writes<write_user>, doc("who runs it")),
    word("init_fail", value<&VrrpScript::init_fail>,
         doc("counts as failed until its first success")),
};

constexpr Keyword kProcess[] = {
    word("process", repeated(text("process")), kRequired, value<&TrackProcess::command>,
         doc("name of the process, and the parameters it must have")),
    word("param_match", choice("initial partial"), fallback("all are equal"),
         reads<set_param_match>, writes<write_param_match>,
         doc("more parameters may follow; with 'initial' the last one given may be longer, too")),
    word("full_command", value<&TrackProcess::full_command>,
         doc("compare the first word of the command line, not the process's name; so it is with "
             "parameters or param_match, too")),
    word(
        "weight", integer(-kFileWeight, kFileWeight), reversed(), fallback("0"),
        kWeightOf<TrackProcess>,
        doc("0: fault without it; positive: added while it runs; negative: subtracted without it")),
    word("quorum", integer(1, 65535), fallback("1"), value<&TrackProcess::quorum>,
         doc("so many such processes have to run")),
    word("quorum_max", integer(0, 65535), value<&TrackProcess::quorum_max>,
         doc("more than so many must not run")),
    word("delay", delay(), reads<set_delay>, doc("fork_delay and terminate_delay in one, seconds")),
    word("fork_delay", delay(), fallback("0"), value<&TrackProcess::fork_delay>,
         doc("time until a process counts that another one forked (at once when it has executed "
             "a program), seconds")),
    word("terminate_delay", delay(), fallback("0"), value<&TrackProcess::terminate_delay>,
         doc("time until a process that ended is missed, seconds")),
};

constexpr Keyword kFile[] = {
    word("file", text("path"), kRequired, value<&TrackFile::path>,
         doc("the file whose number is tracked; a missing one counts as 0")),
    word("weight", integer(-kFileWeight, kFileWeight), reversed(), fallback("1"),
         kWeightOf<TrackFile>,
         doc("the number is multiplied by it; 0: any number but 0 is a fault")),
    word("init_file", optional(choice("overwrite")), optional(integer(-kMostTimes - 1, kMostTimes)),
         optional(choice("overwrite")), reads<set_init_file>, writes<write_init_file>,
         doc("make the file at the start: [NUMBER, default 0] [overwrite]")),
};

constexpr Keyword kTrackInterface[] = {
    word("weight", integer(-kWeight, kWeight), reversed(), fallback("0"), reads<set_weight>,
         writes<write_weight>,
         doc("0: fault when down; positive: added while up; negative: subtracted while down")),
};

constexpr Keyword kTrack[] = {
    word("weight", integer(-kFileWeight, kFileWeight), reversed(),
         fallback("the weight of what is tracked"), reads<set_weight>, writes<write_weight>,
         doc("0: fault while bad; positive: added while good; negative: subtracted while bad")),
};

constexpr Table kTables[] = {
    {Block::vrrp_sync_group, kSyncGroup},           {Block::vrrp_script, kScript},
    {Block::vrrp_track_process, kProcess},          {Block::track_file, kFile},
    {Block::track_interface_list, kTrackInterface}, {Block::track_list, kTrack},
};

}  // namespace

std::span<const Table> rows::tracking() {
  return kTables;
}

// --- lists of what is tracked
// ---------------------------------------------------------------------

void read_value(std::vector<Tracked>& target, const Args& args) {
  const std::string_view list_word = args.row().name;
  const bool counts_more = list_word == "track_file" || list_word == "track_process";
  const auto limit = static_cast<int>(counts_more ? kFileWeight : kWeight);
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    const std::span<const Word> words = context.tree.args(entry);
    Tracked tracked;
    tracked.name = std::string(words.front().text);
    tracked.location = context.reporter.locate(entry.range.offset);
    if (!read_line(context, *args.row().opens, words.subspan(1), tracked)) return;
    if (std::abs(tracked.weight.value_or(0)) > limit) {
      context.reporter.warning(entry.range,
                               fmt::format("the weight of '{}' must be a number from -{} "
                                           "to {}, not {}: this line is left out",
                                           tracked.name, limit, limit, *tracked.weight));
      return;
    }
    const auto same = [&](const Tracked& other) { return other.name == tracked.name; };
    if (std::any_of(target.begin(), target.end(), same)) {
      context.reporter.warning(
          entry.range, fmt::format("'{}' is tracked already: this line is ignored", tracked.name));
      return;
    }
    target.push_back(std::move(tracked));
  });
}

void write_value(Writer& out, const Keyword& row, const std::vector<Tracked>& value,
                 const std::vector<Tracked>&) {
  if (value.empty()) return;
  Writer body = body_of(out.block(row.name), out.detail());
  for (const Tracked& tracked : value) {
    std::vector<std::string> words = words_of_line(*row.opens, &tracked, nullptr);
    words.insert(words.begin(), tracked.name);
    body.entry(std::move(words));
  }
}

void report_useless(const Args& args, std::string_view missing, std::string_view help) {
  if (mentions(args.context(), args.statement(), missing)) return;
  const std::string_view block = Schema::instance()[args.statement().keyword].name;
  args.context().reporter.warning(
      args.value(0).range, fmt::format("this {} has no '{}' and is left out", block, missing),
      std::string(help));
}

// --- blocks
// ---------------------------------------------------------------------------------------

void build_sync_group(const Args& args) {
  auto group = named<SyncGroup>(args);
  read_body(args, group);
  args.context().model.sync_groups.push_back(std::move(group));
}

void build_script(const Args& args) {
  auto script = named<VrrpScript>(args);
  read_body(args, script);
  if (script.script.argv.empty()) return report_useless(args, "script", "add the command to run");
  args.context().model.scripts.push_back(std::move(script));
}

void build_track_process(const Args& args) {
  auto process = named<TrackProcess>(args);
  read_body(args, process);
  if (process.command.empty())
    return report_useless(args, "process", "add the process to look for");
  args.context().model.track_processes.push_back(std::move(process));
}

void build_track_file(const Args& args) {
  auto file = named<TrackFile>(args);
  read_body(args, file);
  if (file.path.empty()) return report_useless(args, "file", "add the path of the file");
  args.context().model.track_files.push_back(std::move(file));
}

Node document_of(const SyncGroup& group, const Globals& globals, Detail detail) {
  return block_of("vrrp_sync_group", {group.name}, group,
                  inherited<SyncGroup>(Block::vrrp_sync_group, globals), detail);
}

Node document_of(const VrrpScript& script, Detail detail) {
  return block_of("vrrp_script", {script.name}, script, {}, detail);
}

Node document_of(const TrackProcess& process, Detail detail) {
  return block_of("vrrp_track_process", {process.name}, process, {}, detail);
}

Node document_of(const TrackFile& file, Detail detail) {
  return block_of("track_file", {file.name}, file, {}, detail);
}

}  // namespace holdfast::config
