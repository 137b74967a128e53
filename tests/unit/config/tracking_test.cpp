// Groups, scripts, processes, files and BFD sessions, and the names that they are tracked by.
#include "config/write/write.hpp"
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;
using namespace std::chrono_literals;

namespace {

// The findings without notes, and without those about what is not done yet.
std::string complaints(const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& one : diagnostics.all()) {
    if (one.severity == Severity::note || one.kind == Kind::hint) continue;
    out += fmt::format("{}{}:{} {}: {}", out.empty() ? "" : "\n", one.line, one.column,
                       to_string(one.severity), one.message);
  }
  return out;
}

Model model_of(std::string_view text, std::string_view expected = "") {
  Loaded loaded = load(text);
  CHECK(complaints(loaded.diagnostics) == expected);
  return std::move(loaded.model);
}

const char* const kEverything =
    "vrrp_sync_group G {\ngroup {\nA B\nC\n}\ntrack_interface {\neth1 weight 5\n}\n"
    "track_script {\nchk weight 10 noreverse\n}\ntrack_process {\nproc\n}\ntrack_file {\nfile\n}\n"
    "track_bfd {\nbfd\n}\nnotify_master \"/m x\" u g\nnotify_backup /b\nnotify_fault "
    "/f\nnotify_stop /s\n"
    "notify /n\nsmtp_alert\nsync_group_tracking_weight\nnotify_priority_changes\n}\n"
    "vrrp_script chk {\nscript \"/bin/chk 'a b'\"\ninterval 0.5\ntimeout 3\nweight -20 "
    "reverse\nrise 2\n"
    "fall 3\nuser u g\ninit_fail\n}\n"
    "vrrp_track_process proc {\nprocess nginx -g \"x y\"\nparam_match partial\nfull_command\n"
    "weight 254\nquorum 2\nquorum_max 5\nfork_delay 1\nterminate_delay 2.5\n}\n"
    "track_file file {\nfile /tmp/x\nweight 2 reverse\ninit_file 5 overwrite\n}\n"
    "bfd_instance bfd {\nneighbor_ip 10.0.0.2\nsource_ip 10.0.0.1\nmin_rx 50\nmin_tx 60.5\nidle_tx "
    "2000\n"
    "multiplier 3\npassive\nttl 9\nmax_hops -1\nmultihop\nweight 7\nvrrp\n}\n"
    "track_group T {\ngroup {\nA\n}\n}\n"
    "garp_group {\ngarp_interval 0.5\ngna_interval 1\ninterface eth0\ninterfaces {\neth1 "
    "eth2\neth3\n}\n}\n";

std::string with_instances(std::string text) {
  for (const std::size_t n : {1U, 2U, 3U}) {
    text += fmt::format(
        "vrrp_instance {} {{\ninterface eth0\nvirtual_router_id {}\n"
        "virtual_ipaddress {{\n10.0.0.{}\n}}\n}}\n",
        std::string_view(" ABC").substr(n, 1), n, n);
  }
  return text;
}

}  // namespace

TEST_CASE("tracking: every word of every block reaches the model, whatever the order") {
  const Model model = model_of(with_instances(kEverything));

  REQUIRE(model.sync_groups.size() == 1);
  const SyncGroup& group = model.sync_groups[0];
  CHECK(group.name == "G");
  CHECK(group.instances == std::vector<std::string>{"A", "B", "C"});
  REQUIRE(group.tracking.interfaces.size() == 1);
  CHECK(group.tracking.interfaces[0] == Tracked{"eth1", 5, {}, {}});
  CHECK(group.tracking.scripts == std::vector<Tracked>{{"chk", 10, false, {}}});
  CHECK(group.tracking.processes == std::vector<Tracked>{{"proc", {}, {}, {}}});
  CHECK(group.tracking.files == std::vector<Tracked>{{"file", {}, {}, {}}});
  CHECK(group.tracking.bfd == std::vector<Tracked>{{"bfd", {}, {}, {}}});
  CHECK(group.notify_master->user == "u");
  CHECK(group.notify_backup->argv.at(0) == "/b");
  CHECK(group.notify_fault->argv.at(0) == "/f");
  CHECK(group.notify_stop->argv.at(0) == "/s");
  CHECK(group.notify->argv.at(0) == "/n");
  CHECK(group.smtp_alert);
  CHECK(group.sync_group_tracking_weight);
  CHECK(group.notify_priority_changes);

  REQUIRE(model.scripts.size() == 1);
  const VrrpScript& script = model.scripts[0];
  CHECK(script.script.argv == std::vector<std::string>{"/bin/chk", "a b"});
  CHECK(script.script.user == "u");
  CHECK(script.script.group == "g");
  CHECK(script.interval == 500ms);
  CHECK(script.timeout == 3s);
  CHECK(script.weight == -20);
  CHECK(script.reverse);
  CHECK(script.rise == 2);
  CHECK(script.fall == 3);
  CHECK(script.init_fail);

  REQUIRE(model.track_processes.size() == 1);
  const TrackProcess& process = model.track_processes[0];
  CHECK(process.command == std::vector<std::string>{"nginx", "-g", "x y"});
  CHECK(process.param_match == TrackProcess::ParamMatch::partial);
  CHECK(process.full_command);
  CHECK(process.weight == 254);
  CHECK(process.quorum == 2);
  CHECK(process.quorum_max == 5);
  CHECK(process.fork_delay == 1s);
  CHECK(process.terminate_delay == 2500ms);

  REQUIRE(model.track_files.size() == 1);
  CHECK(model.track_files[0] == TrackFile{"file", "/tmp/x", 2, true, 5, true, {}});

  REQUIRE(model.bfd_instances.size() == 1);
  const BfdInstance& bfd = model.bfd_instances[0];
  CHECK(bfd.neighbor == core::IpAddress::v4({10, 0, 0, 2}));
  CHECK(bfd.source == core::IpAddress::v4({10, 0, 0, 1}));
  CHECK(bfd.min_rx == 50ms);
  CHECK(bfd.min_tx == 60500us);
  CHECK(bfd.idle_tx == 2s);
  CHECK(bfd.multiplier == 3);
  CHECK(bfd.passive);
  CHECK(bfd.ttl == 9);
  CHECK(bfd.max_hops == -1);
  CHECK(bfd.multihop);
  CHECK(bfd.weight == 7);
  CHECK(bfd.vrrp);
  CHECK_FALSE(bfd.checker);

  REQUIRE(model.track_groups.size() == 1);
  CHECK(model.track_groups[0] == TrackGroup{"T", {"A"}, {}});
  REQUIRE(model.garp_groups.size() == 1);
  CHECK(model.garp_groups[0] == GarpGroup{500ms, 1s, {"eth0", "eth1", "eth2", "eth3"}, {}});
}

TEST_CASE("tracking: what is written reads as the same objects") {
  const Loaded first = load(with_instances(kEverything));
  const Model& model = first.model;
  for (const Detail detail : {Detail::changed, Detail::all}) {
    Document written;
    for (const SyncGroup& each : model.sync_groups)
      written.push_back(document_of(each, model.globals, detail));
    for (const VrrpScript& each : model.scripts) written.push_back(document_of(each, detail));
    for (const TrackProcess& each : model.track_processes)
      written.push_back(document_of(each, detail));
    for (const TrackFile& each : model.track_files) written.push_back(document_of(each, detail));
    for (const BfdInstance& each : model.bfd_instances)
      written.push_back(document_of(each, detail));
    for (const TrackGroup& each : model.track_groups) written.push_back(document_of(each));
    for (const GarpGroup& each : model.garp_groups) written.push_back(document_of(each));
    const std::string text = print_keepalived(written);
    CAPTURE(text);

    const Loaded again = load(with_instances(text));

    CHECK(again.model == model);
  }
}

TEST_CASE("tracking: defaults are keepalived's") {
  const Model model = model_of(
      "vrrp_script s {\nscript /s\ninterval 0\n}\nvrrp_track_process p {\nprocess x\ndelay 2\n}\n"
      "vrrp_track_file f {\nfile /f\ninit_file overwrite\n}\n"
      "bfd_instance b {\nneighbour_ip fe80::1\nhoplimit 3\nvrrp\nchecker\n}\n"
      "bfd_instance c {\nneighbor_ip 10.0.0.1\n}\n");
  CHECK(model.scripts.at(0).interval == 1s);
  CHECK(model.scripts.at(0).timeout == 0s);
  CHECK(model.scripts.at(0).rise == 1);
  CHECK(model.track_processes.at(0).fork_delay == 2s);
  CHECK(model.track_processes.at(0).terminate_delay == 2s);
  CHECK_FALSE(model.track_processes.at(0).quorum_max);
  CHECK(model.track_files.at(0) == TrackFile{"f", "/f", 1, false, 0, true, {}});
  CHECK(model.bfd_instances.at(0).min_rx == 10ms);
  CHECK(model.bfd_instances.at(0).ttl == 3);
  CHECK(model.bfd_instances.at(0).vrrp);
  CHECK(model.bfd_instances.at(0).checker);
  CHECK(model.bfd_instances.at(1).vrrp);
  CHECK(model.bfd_instances.at(1).checker);
}

TEST_CASE("tracking: the user of a script may stand before or behind it, or on its line") {
  for (const char* words :
       {"user u g\nscript \"/s a\"", "script \"/s a\"\nuser u g", "script \"/s a\" u g"}) {
    const Model model = model_of(fmt::format("vrrp_script s {{\n{}\n}}\n", words));
    CHECK(model.scripts.at(0).script.argv == std::vector<std::string>{"/s", "a"});
    CHECK(model.scripts.at(0).script.user == "u");
    CHECK(model.scripts.at(0).script.group == "g");
  }
  CHECK(model_of("vrrp_script s {\nscript \"</dev/null\"\n}\n").scripts.at(0).script.argv ==
        std::vector<std::string>{"</dev/null"});
}

TEST_CASE("tracking: names that are nowhere are left out, with the nearest one") {
  const Loaded loaded =
      load(instance("track_script {\nchk_nginx\nother\n}\ntrack_interface {\nany\n}") +
           "vrrp_script chk_ngnix {\nscript /s\n}\n"
           "vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\n}\n");
  CHECK(complaints(loaded.diagnostics) ==
        "9:1 warning: there is no vrrp_script 'chk_nginx': this line is ignored\n"
        "10:1 warning: there is no vrrp_script 'other': this line is ignored\n"
        "19:1 warning: vrrp_sync_group 'G' names the instance 'VI_2', which is not there");
  REQUIRE(loaded.model.instances.size() == 1);
  CHECK(loaded.model.instances[0].tracking.scripts.empty());
  CHECK(loaded.model.instances[0].tracking.interfaces.size() == 1);
  CHECK(loaded.model.sync_groups.at(0).instances == std::vector<std::string>{"VI_1"});
  for (const Diagnostic& one : loaded.diagnostics.all()) {
    if (one.line == 9) CHECK(one.help == "did you mean 'chk_ngnix'?");
  }
}

TEST_CASE("tracking: what is left out for a mistake of its own is not missed a second time") {
  const Loaded loaded = load(instance("track_script {\nchk\nnone\n}") +
                             "vrrp_script chk {\nscript /s\nweight 300\nscript\n}\n"
                             "vrrp_script none {\nscript\n}\n"
                             "vrrp_instance BAD {\ninterface eth0\n}\n"
                             "vrrp_sync_group G {\ngroup {\nVI_1\nBAD\n}\n}\n");
  for (const Diagnostic& one : loaded.diagnostics.all()) {
    CHECK(one.message.find("there is no vrrp_script") == std::string::npos);
    CHECK(one.message.find("which is not there") == std::string::npos);
  }
}

TEST_CASE("tracking: an instance belongs to one sync group, an empty group is left out") {
  const Model model = model_of(
      with_instances("vrrp_sync_group one {\ngroup {\nA B\n}\n}\nvrrp_sync_group two {\ngroup "
                     "{\nB\n}\n}\nvrrp_sync_group three {\ngroup {\nC C\n}\n}\n"),
      "6:1 warning: the instance 'B' is in vrrp_sync_group 'one' already: it stays there\n"
      "6:1 warning: vrrp_sync_group 'two' has no instance and is left out\n"
      "13:3 warning: 'C' is listed twice");
  REQUIRE(model.sync_groups.size() == 2);
  CHECK(model.sync_groups[0].instances == std::vector<std::string>{"A", "B"});
  CHECK(model.sync_groups[1].instances == std::vector<std::string>{"C"});
}

TEST_CASE("tracking: a block without what it is for is left out, with a warning") {
  const Model model = model_of(
      "vrrp_script s {\n}\nvrrp_track_process p {\n}\ntrack_file f {\n}\nbfd_instance b {\n}\n",
      "1:13 warning: this vrrp_script has no 'script' and is left out\n"
      "3:20 warning: this vrrp_track_process has no 'process' and is left out\n"
      "5:12 warning: this track_file has no 'file' and is left out\n"
      "7:14 warning: this bfd_instance has no 'neighbor_ip' and is left out");
  CHECK(model == Model{});
}

TEST_CASE("tracking: a name tracked twice, a misspelt option") {
  CHECK(
      complaints(
          load(instance("track_interface {\neth1\neth1 weight 3\neth2 wieght 3\n}")).diagnostics) ==
      "10:1 warning: 'eth1' is tracked already: this line is ignored\n"
      "11:6 warning: unknown option 'wieght' in 'track_interface': this line is left out");
}

TEST_CASE("tracking: the largest weight is that of what is tracked") {
  const Loaded loaded =
      load(instance("track_file {\nx weight 254\n}\ntrack_script {\ny weight -254 reverse\n}\n") +
           "track_file x {\nfile /x\n}\nvrrp_script y {\nscript /y\n}\n");
  CHECK(complaints(loaded.diagnostics) ==
        "12:1 warning: the weight of 'y' must be a number from -253 to 253, not -254: this line is "
        "left out");
  REQUIRE(loaded.model.instances.size() == 1);
  CHECK(loaded.model.instances[0].tracking.files.size() == 1);
  CHECK(loaded.model.instances[0].tracking.scripts.empty());
}
