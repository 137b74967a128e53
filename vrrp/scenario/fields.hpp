// Every member of what a recording holds, named once for both directions: `describe(archive, x)`
// hands all members of x to a FieldWriter or a FieldReader. The structured bindings make a new
// member fail to compile here until it is recorded.
#pragma once

#include "vrrp/core/event.hpp"
#include "vrrp/core/situation.hpp"

#include <concepts>
#include <type_traits>

namespace holdfast::vrrp::scenario {

/// T, or const T: a writer only reads.
template <class Given, class T>
concept Either = std::same_as<std::remove_const_t<Given>, T>;

// ---- settings ----

void describe(auto& archive, Either<Authentication> auto& value) {
  auto& [type, data] = value;
  archive("type", type);
  archive("data", data);
}

void describe(auto& archive, Either<GarpSettings> auto& value) {
  auto& [repeat, delay, refresh, refresh_repeat, lower_repeat, lower_delay] = value;
  archive("repeat", repeat);
  archive("delay", delay);
  archive("refresh", refresh);
  archive("refresh_repeat", refresh_repeat);
  archive("lower_priority_repeat", lower_repeat);
  archive("lower_priority_delay", lower_delay);
}

void describe(auto& archive, Either<ExtraAnnouncements> auto& value) {
  auto& [every, addresses] = value;
  archive("every", every);
  archive("addresses", addresses);
}

void describe(auto& archive, Either<Unicast> auto& value) {
  auto& [peers, hop_limit, senders] = value;
  archive("peers", peers);
  archive("hop_limit", hop_limit);
  archive("senders", senders);
}

void describe(auto& archive, Either<Signing> auto& value) {
  auto& [keys, active_key, window, anti_replay, mode] = value;
  archive("keys", keys);
  archive("active_key", active_key);
  archive("window", window);
  archive("anti_replay", anti_replay);
  archive("mode", mode);
}

void describe(auto& archive, Either<OwnDevice> auto& value) {
  auto& [name, adverts_from] = value;
  archive("name", name);
  archive("adverts_from", adverts_from);
}

void describe(auto& archive, Either<InstanceSettings> auto& value) {
  auto& [name, interface, family, version, vrid, priority, initial_state, preempt, preempt_delay,
         advert_interval, down_timer_adverts, authentication, signing, addresses,
         excluded_addresses, source_address, source_tracking, primary_tracking, group, unicast,
         checksum, garp, extra_announcements, address_list_policy, address_list_check,
         owner_receive, tells_priority, lower_priority_answer, higher_priority_send_advert,
         minimum_ttl, retry_after, trackers, sync_group, device] = value;
  archive("name", name);
  archive("interface", interface);
  archive("family", family);
  archive("version", version);
  archive("vrid", vrid);
  archive("priority", priority);
  archive("initial_state", initial_state);
  archive("preempt", preempt);
  archive("preempt_delay", preempt_delay);
  archive("advert_interval", advert_interval);
  archive("down_timer_adverts", down_timer_adverts);
  archive.group("authentication", authentication);
  archive.maybe("signing", signing);
  archive("addresses", addresses);
  archive("excluded_addresses", excluded_addresses);
  archive.maybe("source_address", source_address);
  archive("source_tracking", source_tracking);
  archive("primary_tracking", primary_tracking);
  archive.maybe("group", group);
  archive.maybe("unicast", unicast);
  archive("checksum", checksum);
  archive.group("garp", garp);
  archive.maybe("extra_announcements", extra_announcements);
  archive("address_list_policy", address_list_policy);
  archive("address_list_check", address_list_check);
  archive("owner_receive", owner_receive);
  archive("lower_priority_answer", lower_priority_answer);
  archive("higher_priority_send_advert", higher_priority_send_advert);
  archive("minimum_ttl", minimum_ttl);
  archive("retry_after", retry_after);
  archive("trackers", trackers);
  archive("sync_group", sync_group);
  archive.maybe("device", device);
  archive("tells_priority", tells_priority);
}

// ---- what an instance remembers ----

void describe(auto& archive, Either<InterfaceStatus> auto& value) {
  auto& [exists, up, primary_address, trouble, link_local, trouble_v6, own_addresses, sources_to,
         virtual_sources_to, deaf_groups, unheard, device_troubles, silent] = value;
  archive("exists", exists);
  archive("up", up);
  archive.maybe("address", primary_address);
  archive("trouble", trouble);
  archive.maybe("link_local", link_local);
  archive("trouble_v6", trouble_v6);
  archive("own_addresses", own_addresses);
  archive("sources_to", sources_to);
  archive("virtual_sources_to", virtual_sources_to);
  archive("deaf_groups", deaf_groups);
  archive("unheard", unheard);
  archive("device_troubles", device_troubles);
  archive("silent", silent);
}

void describe(auto& archive, Either<Init> auto& value) {
  auto& [handover_until, waits_for_trackers, waits_for_group] = value;
  archive.maybe("handover_until", handover_until);
  archive("waits_for_trackers", waits_for_trackers);
  archive("waits_for_group", waits_for_group);
}

void describe(auto& archive, Either<Backup> auto& value) {
  auto& [master_down_at, master_adver_interval, preempt_allowed_at, restarted_after_pause,
         is_ready] = value;
  archive("master_down_at", master_down_at);
  archive("master_adver_interval", master_adver_interval);
  archive.maybe("preempt_allowed_at", preempt_allowed_at);
  archive("restarted_after_pause", restarted_after_pause);
  archive("is_ready", is_ready);
}

void describe(auto& archive, Either<Master> auto& value) {
  auto& [next_advert_at, announce_again_at, announce_again_repeat, refresh_at, extra_at,
         answer_from, answer_announce_from] = value;
  archive("next_advert_at", next_advert_at);
  archive.maybe("announce_again_at", announce_again_at);
  archive("announce_again_repeat", announce_again_repeat);
  archive.maybe("refresh_at", refresh_at);
  archive.maybe("extra_at", extra_at);
  archive.maybe("answer_from", answer_from);
  archive.maybe("answer_announce_from", answer_announce_from);
}

void describe(auto& archive, Either<Fault> auto& value) {
  auto& [retry_at] = value;
  archive.maybe("retry_at", retry_at);
}

void describe(auto& archive, Either<Placement> auto& value) {
  auto& [wanted, placed, problem] = value;
  archive("wanted", wanted);
  archive("placed", placed);
  archive("problem", problem);
}

void describe(auto& archive, Either<Setback> auto& value) {
  auto& [why, pause, until] = value;
  archive("why", why);
  archive("pause", pause);
  archive("until", until);
}

void describe(auto& archive, Either<SendTrouble> auto& value) {
  auto& [why, since] = value;
  archive("why", why);
  archive("since", since);
}

void describe(auto& archive, Either<HeardMaster> auto& value) {
  auto& [address, priority, heard_at, interval] = value;
  archive("address", address);
  archive("priority", priority);
  archive("at", heard_at);
  archive("interval", interval);
}

void describe(auto& archive, Either<Rival> auto& value) {
  auto& [address, priority, since, heard_at, adverts, tell_at, gap] = value;
  archive("address", address);
  archive("priority", priority);
  archive("since", since);
  archive("at", heard_at);
  archive("adverts", adverts);
  archive("tell_at", tell_at);
  archive("gap", gap);
}

void describe(auto& archive, Either<ListDifference> auto& value) {
  auto& [peer, theirs] = value;
  archive("peer", peer);
  archive("theirs", theirs);
}

void describe(auto& archive, Either<ProofMemory> auto& value) {
  auto& [ah_sequence, sent, peers] = value;
  archive("ah_sequence", ah_sequence);
  archive("sent", sent);
  archive("peers", peers);
}

// ---- events ----

void describe(auto&, Either<Startup> auto&) {}
void describe(auto&, Either<Tick> auto&) {}
void describe(auto&, Either<Shutdown> auto&) {}
void describe(auto&, Either<ShutdownNow> auto&) {}

void describe(auto& archive, Either<Advert> auto& value) {
  auto& [version, vrid, priority, interval, type, data, addresses, checksum] = value;
  archive("version", version);
  archive("vrid", vrid);
  archive("priority", priority);
  archive("interval", interval);
  archive("authentication_type", type);
  archive("authentication_data", data);
  archive("addresses", addresses);
  archive("checksum", checksum);
}

void describe(auto& archive, Either<Proof> auto& value) {
  auto& [ah_sequence, stamp, key] = value;
  archive("ah_sequence", ah_sequence);
  archive("stamp", stamp);
  archive("key", key);
}

void describe(auto& archive, Either<AdvertReceived> auto& value) {
  auto& [router, advert, source, differs, proof] = value;
  archive("router", router);
  archive.group("advert", advert);
  archive("source", source);
  archive("address_list_differs", differs);
  archive.group("proof", proof);
}

void describe(auto& archive, Either<Rejected> auto& value) {
  auto& [reason, source, sentence, ah_sequence] = value;
  archive("reason", reason);
  archive("source", source);
  archive("sentence", sentence);
  archive("ah_sequence", ah_sequence);
}

void describe(auto& archive, Either<AdvertRejected> auto& value) {
  auto& [router, rejected] = value;
  archive("router", router);
  archive.group("rejected", rejected);
}

void describe(auto& archive, Either<AdvertSent> auto& value) {
  auto& [router, priority] = value;
  archive("router", router);
  archive("priority", priority);
}

void describe(auto& archive, Either<AdvertRefused> auto& value) {
  auto& [router, priority, sentence] = value;
  archive("router", router);
  archive("priority", priority);
  archive("sentence", sentence);
}

void describe(auto& archive, Either<AnnouncementsRefused> auto& value) {
  auto& [router, count] = value;
  archive("router", router);
  archive("count", count);
}

void describe(auto& archive, Either<InterfaceChanged> auto& value) {
  auto& [interface, status] = value;
  archive("interface", interface);
  archive.group("status", status);
}

void describe(auto& archive, Either<AddressesPlaced> auto& value) {
  auto& [router, wanted, placed, problem] = value;
  archive("router", router);
  archive("wanted", wanted);
  archive("placed", placed);
  archive("problem", problem);
}

void describe(auto& archive, Either<AddressesRepaired> auto& value) {
  auto& [router] = value;
  archive("router", router);
}

void describe(auto& archive, Either<ProcessPaused> auto& value) {
  auto& [gap, uncounted] = value;
  archive("gap", gap);
  archive("uncounted", uncounted);
}

void describe(auto& archive, Either<ResumeFromPage> auto& value) {
  auto& [router, became_master_at, last_advert_at, silence_allowed, checksum, priority] = value;
  archive("router", router);
  archive("became_master_at", became_master_at);
  archive("last_advert_at", last_advert_at);
  archive("silence_allowed", silence_allowed);
  archive.maybe("checksum", checksum);
  archive("priority", priority);
}

void describe(auto& archive, Either<RecallProofs> auto& value) {
  auto& [router, memory] = value;
  archive("router", router);
  archive.group("memory", memory);
}

void describe(auto& archive, Either<ClockTold> auto& value) {
  auto& [utc_ahead] = value;
  archive("utc_ahead", utc_ahead);
}

void describe(auto& archive, Either<ScriptStarted> auto& value) {
  auto& [router] = value;
  archive("router", router);
}

void describe(auto& archive, Either<core::ScriptOutcome> auto& value) {
  auto& [end, by, code, why, took] = value;
  archive("end", end);
  archive("by", by);
  archive("code", code);
  archive("why", why);
  archive("took", took);
}

void describe(auto& archive, Either<ScriptEnded> auto& value) {
  auto& [router, what, state, outcome] = value;
  archive("router", router);
  archive("what", what);
  archive("state", state);
  archive.group("outcome", outcome);
}

void describe(auto& archive, Either<TrackerReported> auto& value) {
  auto& [tracker, verdict] = value;
  archive("tracker", tracker);
  archive("verdict", verdict);
}

void describe(auto& archive, Either<Steering> auto& value) {
  auto& [adds, resigns] = value;
  archive("adds", adds);
  archive("resigns", resigns);
}

void describe(auto& archive, Either<Steered> auto& value) {
  auto& [router, steering, is_recalled] = value;
  archive("router", router);
  archive.group("steering", steering);
  archive("recalled", is_recalled);
}

/// The settings themselves follow, one line each.
void describe(auto& archive, Either<Reload> auto& value) {
  auto& [instances] = value;
  archive.count("instances", instances);
}

void describe(auto& archive, Either<Situation> auto& value) {
  auto& [state, since, why, leaving, interface, last_source, faults, verdicts, resumed_priority,
         resumed_adds, resume, placement, setback, send_trouble, steering, heard_master,
         master_resigned, slowest_peer, rival, list_difference, dialects, remarks, became_master_at,
         last_advert_at, proofs, utc_ahead] = value;
  archive.state(state);
  archive("since", since);
  archive("why", why);
  archive("leaving", leaving);
  archive.maybe("interface", interface);
  archive.maybe("last_source", last_source);
  archive("faults", faults);
  archive("verdicts", verdicts);
  archive("resumed_priority", resumed_priority);
  archive("resumed_adds", resumed_adds);
  archive.maybe("resume", resume);
  archive.maybe("placement", placement);
  archive.maybe("setback", setback);
  archive.maybe("send_trouble", send_trouble);
  archive.maybe("steering", steering);
  archive.maybe("heard_master", heard_master);
  archive("master_resigned", master_resigned);
  archive.maybe("slowest_peer", slowest_peer);
  archive.maybe("rival", rival);
  archive.maybe("list_difference", list_difference);
  archive("dialects", dialects);
  archive("remarks", remarks);
  archive("became_master_at", became_master_at);
  archive("last_advert_at", last_advert_at);
  archive.maybe("proofs", proofs);
  archive("utc_ahead", utc_ahead);
}

}  // namespace holdfast::vrrp::scenario
