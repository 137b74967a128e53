// Everything that the VRRP process says to the operator.
#pragma once

#include "runtime/log.hpp"

namespace holdfast::vrrp {

using runtime::Level;
using runtime::Message;

inline constexpr runtime::Message kDeafAfterBoot{
    "vrrp-deaf-after-boot", runtime::Level::warning,
    "The host was booted a moment ago, and its interface has received no frame of any host; what a "
    "switch says of itself (BPDU, LLDP) does not count: a switch port that does not forward yet "
    "(spanning tree without portfast), a bond without a partner, or "
    "an empty network. A backup there does not believe yet that nobody else is master. It goes on "
    "with the first frame, or after vrrp_listen_after_boot."};
inline constexpr runtime::Message kHears{
    "vrrp-hears", runtime::Level::info,
    "What vrrp-deaf-after-boot has said is over, by a first frame or because its time is."};
inline constexpr Message kStarted{
    "vrrp-started", Level::info,
    "The process runs and waits for its configuration from the watchdog."};
inline constexpr Message kCannotStart{
    "vrrp-cannot-start", Level::critical,
    "The process could not begin its work and ends; the line says what is missing, most often "
    "root's powers. The "
    "watchdog tries again or gives up, as its restart policy says."};
inline constexpr Message kStopping{
    "vrrp-stopping", Level::info,
    "The process leaves in order: masters resign, hand over and take their addresses "
    "off. The line says who asked for it."};
inline constexpr Message kStopped{"vrrp-stopped", Level::info, "The process has left in order."};
inline constexpr Message kConfigured{"vrrp-configured", Level::info,
                                     "A generation of the configuration is in use now. Instances "
                                     "that it does not change kept their state."};
inline constexpr Message kNotStarted{
    "vrrp-not-started", Level::warning,
    "An instance of the configuration rests, and its addresses stay with the other director: the "
    "line says why. The others of its sync group rest with it, or they would be master alone."};
inline constexpr Message kStaticMissing{
    "vrrp-static-missing", Level::warning,
    "A static address names an interface that does not exist. It comes with the interface; until "
    "then `holdfastctl status` names it. Check the name."};
inline constexpr Message kWaits{
    "vrrp-waits", Level::info,
    "No election is held before the host has been up for the time of vrrp_delay_after_boot, and "
    "the director for that of vrrp_startup_delay: until then nothing is heard, sent or held."};
inline constexpr Message kState{"vrrp-state", Level::info,
                                "An instance changed its state. The line names both states and the "
                                "reason. A change that you did not cause by a "
                                "stop, a failure or a priority deserves a look at the reason."};
inline constexpr Message kFault{
    "vrrp-fault", Level::warning,
    "An instance cannot take part in the election: its interface is down or missing, it has no "
    "address there, or its "
    "virtual addresses could not be put in place. It comes back by itself when the reason ends."};
inline constexpr Message kGroup{
    "vrrp-group", Level::info,
    "A sync group changed its state: all its members did so together. The line names the member "
    "that was the reason."};
inline constexpr Message kGroupFault{
    "vrrp-group-fault", Level::warning,
    "A member of a sync group cannot take part in the election, so that none of the group does. "
    "The line names it and the reason; the group comes back by itself when that ends."};
inline constexpr Message kPriority{
    "vrrp-priority", Level::info,
    "What an instance tracks has changed its priority. The line shows the sum: the configured "
    "priority, and what each interface or script adds or takes off. A weaker director loses the "
    "election to a stronger one."};
inline constexpr Message kPeerProblem{
    "vrrp-peer-problem", Level::warning,
    "Packets of another director are not usable, or differ from this configuration. Until the "
    "difference ends both may be master at once. The line ends with the cure; `holdfastctl doctor "
    "vrrp` shows both sides. Said once a minute for each instance, reason and peer."};
inline constexpr Message kNoInterface{"vrrp-no-interface", Level::error,
                                      "The configuration names an interface that does not exist on "
                                      "this host. The instance waits in FAULT until it "
                                      "appears; check the name for a typing error."};
inline constexpr Message kNoTracked{
    "vrrp-no-tracked-interface", Level::warning,
    "The configuration tracks an interface that does not exist on this host: it counts as down "
    "until it appears. Check the name for a typing error."};
inline constexpr Message kNoSocket{"vrrp-no-socket", Level::error,
                                   "Adverts cannot be sent or heard on this interface. Without "
                                   "them the instance must not take part."};
inline constexpr Message kSendFailed{"vrrp-send-failed", Level::warning,
                                     "The kernel did not take an advert or an announcement. Once "
                                     "is harmless; for longer the backup takes over. Said "
                                     "at most once in ten seconds for each interface."};
inline constexpr Message kAddressTrouble{"vrrp-address-trouble", Level::error,
                                         "The virtual addresses of an instance are not in place, "
                                         "so it cannot be master of them. The line says which and "
                                         "why."};
inline constexpr Message kPause{
    "vrrp-pause", Level::warning,
    "This process did not run for a while: a stopped or suspended machine, a paused process or a "
    "starved CPU. Peers "
    "may have taken over meanwhile, so the election is looked at afresh."};
inline constexpr Message kFlood{"vrrp-flood", Level::warning,
                                "More VRRP packets arrived at once than one wake-up reads. "
                                "Decisions go on without the rest. Somebody floods the "
                                "segment, or this process was paused for very long."};
inline constexpr Message kClaimed{
    "vrrp-address-claimed", Level::warning,
    "Another host answers or announces one of our virtual addresses by ARP while we hold it. Part "
    "of the segment may talk to that host. Look for a second director, a static address or an "
    "attacker with this MAC address."};
inline constexpr Message kStranger{
    "vrrp-unknown-router", Level::info,
    "With log_unknown_vrids: somebody advertises a virtual router that is not configured on this "
    "interface. Another pair on the same segment does so rightly; a partner with another "
    "virtual_router_id would be master beside ours."};
inline constexpr Message kNoClaimWatch{
    "vrrp-no-claim-watch", Level::warning,
    "ARP cannot be listened to, so that another host with one of our addresses is not noticed. "
    "The election is not affected."};
inline constexpr Message kScriptsUnsent{
    "vrrp-scripts-unsent", Level::warning,
    "An orderly stop is over, and the process that runs scripts has not taken these: they are not "
    "run. It is busy with others, or cannot be started."};
inline constexpr Message kScript{"vrrp-script", Level::warning,
                                 "A notification script did not succeed. The election does not "
                                 "depend on it, but whatever the script should have "
                                 "done did not happen."};
inline constexpr Message kScriptDone{
    "vrrp-script-done", Level::detail,
    "A notification script has succeeded, or was skipped because a newer state came before its "
    "turn."};
inline constexpr Message kScriptSlow{
    "vrrp-script-slow", Level::warning,
    "A notification script runs for long. It may, for as long as its state lasts; a newer state's "
    "scripts do not wait for it, but end it."};
inline constexpr Message kTracked{
    "vrrp-tracked", Level::info,
    "A tracked script has succeeded for the first time, or often enough after it had failed; or as "
    "many processes run as a vrrp_track_process wants."};
inline constexpr Message kTrackedFails{
    "vrrp-tracked-fails", Level::warning,
    "A tracked script has failed often enough, did not end in time, or cannot be run: the "
    "instances "
    "that track it lose priority or go to FAULT, as the configuration says. Said once until it "
    "succeeds again. Or fewer processes run, or more, than a vrrp_track_process wants."};
inline constexpr Message kProcesses{
    "vrrp-processes", Level::info,
    "How this process hears of those that vrrp_track_process means: from the kernel's process "
    "connector, at once; or, in a container, another network namespace or without CAP_NET_ADMIN, "
    "by looking through /proc twice a second and by a pidfd of each that counts."};
inline constexpr Message kPage{"vrrp-handover-page", Level::error,
                               "The memory for a successor of this process cannot be used. All "
                               "works, but a crash of this process would cost "
                               "mastership."};
inline constexpr Message kControl{"vrrp-control", Level::error,
                                  "The control socket could not be opened: holdfastctl cannot see "
                                  "this process. The election is not affected."};
inline constexpr Message kRecording{
    "vrrp-recording", Level::warning,
    "What this process was told and decided could not be written to a file, or a recording has "
    "ended by itself: the disk is full or slow, or the limit of `holdfastctl record start` is "
    "reached. The election is not affected."};
inline constexpr Message kRecordingDone{
    "vrrp-recording-written", Level::info,
    "A recording was begun, ended or written. `holdfast --replay FILE` shows what the election "
    "made of it."};
inline constexpr Message kPrivileges{
    "vrrp-privileges", Level::warning,
    "Powers that this process does not need could not be given up."};

}  // namespace holdfast::vrrp
