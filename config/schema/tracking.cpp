// Rows of the table: what instances share and watch: groups, scripts, processes, files, BFD.
#include "config/schema/notices.hpp"
#include "config/schema/schema.hpp"

namespace holdfast::config::rows {
namespace {

constexpr std::int64_t kWeight = 253;
constexpr std::int64_t kFileWeight = 254;
constexpr std::int64_t kMostTimes = 2'147'483'647;
constexpr std::int64_t kLongestBfd = 4'294'967;  ///< ms; RFC 5880 §4.1: 32 bits of µs

constexpr Arg delay() {
  return {.type = ArgType::seconds, .low = 0, .high = 3600 * kMicroseconds};
}
constexpr Arg reversed() {
  return optional(choice("reverse noreverse"));
}

// Nothing of these blocks has an effect yet; the word that opens each of them says so once.
constexpr Keyword kSyncGroup[] = {
    {.name = "group",
     .opens = Block::name_list,
     .doc = "the vrrp_instances that change state together",
     .repeatable = true},
    {.name = "track_interface",
     .opens = Block::track_interface_list,
     .doc = "interfaces that every member tracks",
     .repeatable = true},
    {.name = "track_script",
     .opens = Block::track_list,
     .doc = "names of vrrp_script that every member tracks",
     .repeatable = true},
    {.name = "track_file",
     .opens = Block::track_list,
     .doc = "names of track_file that every member tracks",
     .repeatable = true},
    {.name = "track_process",
     .opens = Block::track_list,
     .doc = "names of vrrp_track_process that every member tracks",
     .repeatable = true},
    {.name = "track_bfd",
     .opens = Block::track_list,
     .doc = "names of bfd_instance that every member tracks",
     .repeatable = true},
    {.name = "notify_master", .args = command(), .doc = "run when the group becomes master"},
    {.name = "notify_backup", .args = command(), .doc = "run when the group becomes backup"},
    {.name = "notify_fault", .args = command(), .doc = "run when the group enters fault"},
    {.name = "notify_stop", .args = command(), .doc = "run when Holdfast stops"},
    {.name = "notify",
     .args = command(),
     .doc = "run on every change, with GROUP, name, state and priority as arguments"},
    {.name = "notify_priority_changes",
     .args = {boolean()},
     .fallback = "false",
     .doc = "priority changes are also written to the notify FIFO"},
    {.name = "smtp_alert",
     .args = {boolean()},
     .effect = Effect::inert,
     .fallback = "smtp_alert_vrrp",
     .doc = "mail on every change",
     .notice = kNoMail},
    {.name = "sync_group_tracking_weight", .doc = "what members track may change their priorities"},
    {.name = "global_tracking",
     .effect = Effect::checked,
     .doc = "an old word: a group's tracking always concerns all members",
     .notice = "'global_tracking' has no effect, as in keepalived",
     .deprecated = true},
};

constexpr Keyword kScript[] = {
    {.name = "script",
     .args = command(),
     .doc = "the command, without a shell; \"</path\" asks whether a file can be opened",
     .required = true},
    {.name = "interval",
     .args = {seconds(0, kWeek31)},
     .fallback = "1",
     .doc = "time between two runs, seconds"},
    {.name = "timeout",
     .args = {seconds(0, kWeek31)},
     .fallback = "interval",
     .doc = "a run that takes longer is ended and counts as a failure, seconds"},
    {.name = "weight",
     .args = {integer(-kWeight, kWeight), reversed()},
     .fallback = "0",
     .doc = "0: fault on failure; positive: added on success; negative: subtracted on failure"},
    {.name = "rise",
     .args = {integer(1, kMostTimes)},
     .fallback = "1",
     .doc = "successes in a row until it counts as good"},
    {.name = "raise",
     .args = {integer(1, kMostTimes)},
     .alias_of = "rise",
     .notice = "'raise' is a misspelling that keepalived ignores: it is taken for 'rise'",
     .deprecated = true},
    {.name = "fall",
     .args = {integer(1, kMostTimes)},
     .fallback = "1",
     .doc = "failures in a row until it counts as bad"},
    {.name = "user",
     .args = {word("user"), optional(word("group"))},
     .fallback = "script_user",
     .doc = "who runs it"},
    {.name = "init_fail", .doc = "counts as failed until its first success"},
};

constexpr Keyword kProcess[] = {
    {.name = "process",
     .args = {repeated(word("process"))},
     .doc = "name of the process, and the parameters it must have",
     .required = true},
    {.name = "param_match",
     .args = {choice("initial partial")},
     .fallback = "all are equal",
     .doc = "how parameters are compared: the first ones, or the beginning of each"},
    {.name = "full_command", .doc = "compare the whole command line, not the process's name"},
    {.name = "weight",
     .args = {integer(-kFileWeight, kFileWeight), reversed()},
     .fallback = "0",
     .doc = "0: fault without it; positive: added while it runs; negative: subtracted without it"},
    {.name = "quorum",
     .args = {integer(1, 65535)},
     .fallback = "1",
     .doc = "so many such processes have to run"},
    {.name = "quorum_max", .args = {integer(0, 65535)}, .doc = "more than so many must not run"},
    {.name = "delay", .args = {delay()}, .doc = "fork_delay and terminate_delay in one, seconds"},
    {.name = "fork_delay",
     .args = {delay()},
     .fallback = "0",
     .doc = "time until a new process counts, seconds"},
    {.name = "terminate_delay",
     .args = {delay()},
     .fallback = "0",
     .doc = "time until a process that ended is missed, seconds"},
};

constexpr Keyword kFile[] = {
    {.name = "file",
     .args = {word("path")},
     .doc = "the file whose number is tracked; a missing one counts as 0",
     .required = true},
    {.name = "weight",
     .args = {integer(-kFileWeight, kFileWeight), reversed()},
     .fallback = "1",
     .doc = "the number is multiplied by it; 0: any number but 0 is a fault"},
    {.name = "init_file",
     .args = {optional(choice("overwrite")), optional(integer(-kMostTimes - 1, kMostTimes)),
              optional(choice("overwrite"))},
     .doc = "make the file at the start: [NUMBER, default 0] [overwrite]"},
};

constexpr Keyword kBfd[] = {
    {.name = "neighbor_ip", .args = {of(ArgType::ip)}, .doc = "the other end", .required = true},
    {.name = "neighbour_ip", .args = {of(ArgType::ip)}, .alias_of = "neighbor_ip"},
    {.name = "source_ip", .args = {of(ArgType::ip)}, .doc = "our own address"},
    {.name = "min_rx",
     .args = {milliseconds(1, kLongestBfd)},
     .fallback = "10",
     .doc = "packets are wanted this often, milliseconds"},
    {.name = "min_tx",
     .args = {milliseconds(1, kLongestBfd)},
     .fallback = "10",
     .doc = "packets are sent this often, milliseconds"},
    {.name = "idle_tx",
     .args = {milliseconds(1000, kLongestBfd)},
     .fallback = "1000",
     .doc = "packets are sent this often while the session is down, milliseconds"},
    {.name = "multiplier",
     .args = {integer(1, 255)},
     .fallback = "5",
     .doc = "packets missed before the session is down"},
    {.name = "passive", .doc = "wait for the other end to begin"},
    {.name = "ttl",
     .args = {integer(1, 255)},
     .fallback = "255, for IPv6 64",
     .doc = "TTL or hop limit of our packets"},
    {.name = "hoplimit", .args = {integer(1, 255)}, .alias_of = "ttl"},
    {.name = "max_hops",
     .args = {integer(-1, 255)},
     .fallback = "0",
     .doc = "routers between the ends at most; -1: any number"},
    {.name = "multihop",
     .args = {boolean()},
     .fallback = "false",
     .doc = "the session of RFC 5883, port 4784"},
    {.name = "weight",
     .args = {integer(-kWeight, kWeight), reversed()},
     .fallback = "0",
     .doc = "0: fault while down; positive: added while up; negative: subtracted while down"},
    {.name = "vrrp", .doc = "only instances hear of it (and checkers)"},
    {.name = "checker", .doc = "only checkers hear of it (and instances)"},
};

constexpr Keyword kGarpGroup[] = {
    {.name = "garp_interval",
     .args = {seconds(0, 86'400)},
     .fallback = "0",
     .doc = "least time between two gratuitous ARPs of the group, seconds"},
    {.name = "gna_interval",
     .args = {seconds(0, 86'400)},
     .fallback = "0",
     .doc = "least time between two unsolicited neighbour advertisements of the group, seconds"},
    {.name = "interface",
     .args = {of(ArgType::interface)},
     .doc = "one interface of the group",
     .repeatable = true},
    {.name = "interfaces",
     .opens = Block::name_list,
     .doc = "interfaces of the group",
     .repeatable = true},
};

constexpr Keyword kTrackGroup[] = {
    {.name = "group",
     .opens = Block::name_list,
     .doc = "the vrrp_instances of the group",
     .repeatable = true},
};

constexpr Table kTables[] = {
    {Block::vrrp_sync_group, kSyncGroup},  {Block::vrrp_script, kScript},
    {Block::vrrp_track_process, kProcess}, {Block::track_file, kFile},
    {Block::bfd_instance, kBfd},           {Block::garp_group, kGarpGroup},
    {Block::track_group, kTrackGroup},
};

}  // namespace

std::span<const Table> tracking() {
  return kTables;
}

}  // namespace holdfast::config::rows
