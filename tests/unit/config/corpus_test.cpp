// The yardstick: the resolved model of every configuration in the corpus beside what keepalived
// itself loaded from it (NAME.loaded.json). Both sides become named facts; a fact of theirs that we
// lack or see otherwise makes the file "less", unless docs/compatibility.md says why.
#include "config/load.hpp"
#include "tests/unit/config/corpus_facts.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <span>
#include <sstream>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

const std::filesystem::path kCorpus =
    std::filesystem::path(HOLDFAST_SOURCE_DIR) / ".." / "shared" / "corpus";

// Differences that docs/compatibility.md explains: in which file, in what, and why. A difference is
// named by the beginning of its feature; "" are all of the file.
struct Explanation {
  std::string_view file;  // without the common beginning of group P
  std::string_view feature;
  std::string_view why;
};
constexpr std::string_view kGroupP = "pqarmitage+keepalived-devel-tools__";
constexpr std::string_view kCommentInDefinition = "a comment inside a definition does not end it";
constexpr std::string_view kOnePool = "two blocks of one service are one pool";
constexpr std::string_view kOwnDelay = "the checkers have a delay_loop of their own";
constexpr std::string_view kNoInterface = "keepalived refuses it, too: no interface";
constexpr std::string_view kOwnInterface = "its own interface is tracked anyway";
constexpr std::string_view kNoNeighbour = "a BFD session without a neighbour";

constexpr std::string_view kGaveUp = "keepalived stopped: the test machine lacks an interface";

constexpr Explanation kExplained[] = {
    {"446.conf", "", kCommentInDefinition},
    {"287.conf", "", kCommentInDefinition},
    {"451.conf", "", kOnePool},
    {"754.conf", "", kOnePool},
    {"795.conf", "", kOnePool},
    {"635.conf", "delay_loop", kOwnDelay},
    {"635.conf", "check", "a host of SMTP_CHECK is asked once"},
    {"757.conf", "delay_loop", kOwnDelay},
    {"758.conf", "delay_loop", kOwnDelay},
    {"288.conf", "instance", kNoInterface},
    {"460.conf", "instance", kNoInterface},
    {"366.conf", "track_interface", kOwnInterface},
    {"600.conf", "check", kNoNeighbour},
    {"72.conf", "", kCommentInDefinition},
    {"73.conf", "", kCommentInDefinition},
    {"739.conf", "instance", "repetitions in definitions that are used in repetitions"},
    {"477.conf", "", "ports of servers by mark, with TUN: the packets keep theirs"},
    {"107.conf", "track_interface", "with dont_track_primary its own interface can be tracked"},
    {"430.conf", "", kGaveUp},
    {"355.conf", "", kGaveUp},
    {"320.conf", "virtual_server", "a service without servers is kept"},
    {"polestarYang+mysqlgit__1.conf", "virtual_server", "a value glued to its word is read"},
};

constexpr std::string_view kNoRouterId = "keepalived ends, too: no virtual_router_id";
constexpr std::string_view kSameRouter = "keepalived ends, too: one router id twice";
constexpr std::string_view kNoBrace = "a block without its braces";
constexpr std::string_view kNoValue = "a word without its value";

// Files with an error of ours, all of them; why is in docs/compatibility.md.
constexpr Explanation kRefused[] = {
    {"EngAhmedNazmy+HA_LoadBalancer__1.conf", "", kNoRouterId},
    {"288.conf", "", kSameRouter},
    {"460.conf", "", kNoInterface},
    {"432.conf", "", kNoBrace},
    {"433.conf", "", kNoBrace},
    {"620.conf", "", kNoValue},
};

// What keepalived left out because the machine it was tested on has no such script.
bool is_of_the_test_machine(std::string_view feature) {
  return feature == "vrrp_script" || feature == "track_script" || feature == "check";
}

bool is_in(std::span<const Explanation> list, std::string_view file,
           std::string_view feature = "") {
  for (const Explanation& one : list) {
    const bool this_file =
        file == one.file || (file.starts_with(kGroupP) && file.substr(kGroupP.size()) == one.file);
    if (this_file && feature.starts_with(one.feature)) return true;
  }
  return false;
}

std::string read_all(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

struct Verdict {
  std::string group;               // W: ordinary users; P: a maintainer's reproductions
  std::size_t messages = 0;        // of keepalived -t; the list shows three at most
  std::vector<std::string> exits;  // of keepalived 2.4.3 -t and 2.2.7 -t
};

std::map<std::string, Verdict> read_verdicts() {
  std::map<std::string, Verdict> verdicts;
  std::ifstream file(kCorpus / "wild-verdicts.tsv");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string name;
    std::string messages;
    Verdict verdict;
    std::getline(fields, name, '\t');
    std::getline(fields, verdict.group, '\t');
    for (std::string exit; verdict.exits.size() < 2 && std::getline(fields, exit, '\t');)
      verdict.exits.push_back(exit);
    std::getline(fields, messages);
    if (!messages.empty()) verdict.messages = 1;
    for (std::size_t at = messages.find(" | "); at != std::string::npos;
         at = messages.find(" | ", at + 3))
      ++verdict.messages;
    verdicts.emplace(name, verdict);
  }
  return verdicts;
}

// One line of the table: a group of files, or all of them.
struct Tally {
  std::size_t files = 0;
  std::size_t same = 0;
  std::size_t more = 0;  // we hold what keepalived left out, mostly scripts that it did not find
  std::size_t explained = 0;
  std::size_t less = 0;
  std::size_t refused = 0;   // we report an error: the configuration would not be taken into use
  std::size_t findings = 0;  // ours, notes included
  std::size_t messages = 0;  // keepalived's, three a file at most

  void add(const Tally& other) {
    files += other.files;
    same += other.same;
    more += other.more;
    explained += other.explained;
    less += other.less;
    refused += other.refused;
    findings += other.findings;
    messages += other.messages;
  }
};

void print_line(std::string_view name, const Tally& tally) {
  fmt::print("  {:<9} {:5} {:5} {:5} {:10} {:5} {:8} {:9} {:9}\n", name, tally.files, tally.same,
             tally.more, tally.explained, tally.less, tally.refused, tally.findings,
             tally.messages);
}

// Set to see every file: what differs, our errors, findings beside messages.
bool listing() {
  static const bool on = std::getenv("HOLDFAST_CORPUS_LIST") != nullptr;
  return on;
}

void list_errors(const std::string& name, const Diagnostics& diagnostics) {
  for (const Diagnostic& one : diagnostics.all()) {
    if (one.severity == Severity::error)
      fmt::print("{}: refused: {}: {}\n", name, one.line, one.message);
  }
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    const bool other = name.ends_with(".json") || name.ends_with(".md") ||
                       name.ends_with("auth_hmac.conf");  // a part of a systemd unit
    if (entry.is_regular_file() && !other) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool have_corpus() {
  if (std::filesystem::exists(kCorpus / "wild-verdicts.tsv")) return true;
  fmt::print("skipped: {} is not here\n", kCorpus.string());
  return false;
}

// What the comparison of all files found.
struct Survey {
  std::map<std::string, Tally> tallies;
  std::map<std::string, std::set<std::string>> why;   // feature → files that lack it
  std::map<std::string, std::set<std::string>> more;  // feature → files of which we hold more
  std::set<std::string> refused;                      // without those that kRefused explains

  void take(const std::string& name, const Verdict& verdict, const Loaded& loaded,
            const Comparison& comparison) {
    Tally& tally = tallies[verdict.group];
    ++tally.files;
    tally.findings += loaded.diagnostics.all().size();
    tally.messages += verdict.messages;
    if (loaded.diagnostics.has_errors()) {
      ++tally.refused;
      if (!is_in(kRefused, name)) refused.insert(name);
    }
    if (listing()) {
      list_errors(name, loaded.diagnostics);
      fmt::print("{}: {} findings, {} messages\n", name, loaded.diagnostics.all().size(),
                 verdict.messages);
    }
    bool explained = false;
    bool has_less = false;
    bool has_more = false;
    for (const auto& [feature, example] : comparison.missing) {
      if (listing()) fmt::print("{}: less: {}: {}\n", name, feature, example);
      if (is_in(kExplained, name, feature)) {
        explained = true;
        continue;
      }
      has_less = true;
      why[feature].insert(name);
    }
    for (const auto& [feature, example] : comparison.extra) {
      has_more = true;
      if (listing()) fmt::print("{}: more: {}: {}\n", name, feature, example);
      if (!is_of_the_test_machine(feature) && !is_in(kExplained, name, feature))
        more[feature].insert(name);
    }
    ++(has_less ? tally.less : explained ? tally.explained : has_more ? tally.more : tally.same);
  }
};

Tally print_table(const Survey& survey) {
  Tally all;
  fmt::print("corpus      files  same  more  explained  less  refused  findings  keepalived's\n");
  for (const auto& [group, tally] : survey.tallies) {
    print_line("group " + group, tally);
    all.add(tally);
  }
  print_line("together", all);
  for (const auto& [feature, files] : survey.why)
    fmt::print("  less: {:<28} {:3} files, such as {}\n", feature, files.size(), *files.begin());
  for (const std::string& file : survey.refused) fmt::print("  refused: {}\n", file);
  for (const auto& [feature, files] : survey.more)
    fmt::print("  more: {:<28} {:3} files, such as {}\n", feature, files.size(), *files.begin());
  return all;
}

}  // namespace

TEST_CASE("corpus: the model holds everything that keepalived loads") {
  if (!have_corpus()) return;
  const std::map<std::string, Verdict> verdicts = read_verdicts();
  Survey survey;

  for (const std::filesystem::path& path : files_in(kCorpus / "wild")) {
    std::filesystem::path dump = path;
    dump.replace_extension(".loaded.json");
    const std::string name = path.filename().string();
    const Loaded loaded = load_files(path.string());
    const Comparison comparison = compare(facts_of_dump(read_all(dump)), facts_of(loaded.model));
    survey.take(name, verdicts.at(name), loaded, comparison);
  }

  const Tally all = print_table(survey);
  CHECK(all.files > 250);
  CHECK(survey.why.empty());
  CHECK(survey.more.empty());
  CHECK(survey.refused.empty());
  CHECK(all.refused == std::size(kRefused));
}

TEST_CASE("corpus: no word of an ordinary user's file waits for a later version") {
  if (!have_corpus()) return;
  std::size_t files = 0;
  for (const auto& each : read_verdicts()) {
    const std::string& name = each.first;
    if (each.second.group != "W") continue;
    ++files;
    const Loaded loaded = load_files((kCorpus / "wild" / name).string());
    for (const Diagnostic& one : loaded.diagnostics.all()) {
      CHECK_MESSAGE(one.message.find(" yet") == std::string::npos, name, ": ", one.message);
      CHECK_MESSAGE(one.message.find("not started") == std::string::npos, name, ": ", one.message);
    }
  }
  CHECK(files == 88);
}

// Where keepalived finds nothing and we a mistake.
constexpr std::string_view kStricter[] = {
    "5.conf",    // strict mode makes keepalived deaf on its addresses: it does not say so
    "644.conf",  // a server that is its own service
    "656.conf",  // an included file is missing
    "680.conf",  // use_vmac twice in one instance
};

TEST_CASE("corpus: -t passes what keepalived passes") {
  if (!have_corpus()) return;
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t milder = 0;
  for (const auto& [name, verdict] : read_verdicts()) {
    if (verdict.exits.size() != 2 || verdict.group.size() != 1) continue;
    const bool sound = load_files((kCorpus / "wild" / name).string()).diagnostics.is_sound();
    const auto is_exit = [&exits = verdict.exits](std::string_view code) {
      return std::find(exits.begin(), exits.end(), code) != exits.end();
    };
    const std::string_view file = name;
    const bool stricter = std::any_of(
        std::begin(kStricter), std::end(kStricter),
        [&](std::string_view one) { return file == std::string(kGroupP) + std::string(one); });
    if (is_exit("0") && !stricter && !sound) FAIL_CHECK(name, ": keepalived -t passes it");
    if (stricter && sound) FAIL_CHECK(name, " is no exception any more");
    passed += sound ? 1 : 0;
    failed += sound ? 0 : 1;
    milder += sound && is_exit("5") && !is_exit("0") ? 1 : 0;
  }
  fmt::print("corpus: -t passes {} files, fails {}; {} that keepalived fails pass\n", passed,
             failed, milder);
  CHECK(failed > 90);
  CHECK(milder <= 56);  // old words that work, users and scripts that the test machine lacks
}

TEST_CASE("corpus: the articles and keepalived's samples load") {
  if (!have_corpus()) return;
  std::size_t empty = 0;
  for (const char* directory : {"articles", "keepalived-samples"}) {
    for (const std::filesystem::path& path : files_in(kCorpus / directory)) {
      CAPTURE(path.string());
      const Loaded loaded = load_files(path.string());
      if (listing()) list_errors(path.filename().string(), loaded.diagnostics);
      CHECK_FALSE(loaded.diagnostics.has_errors());
      const Model& model = loaded.model;
      const std::size_t objects =
          model.instances.size() + model.services.size() + model.static_addresses.size();
      if (listing() && objects == 0) fmt::print("{}: empty\n", path.filename().string());
      empty += objects == 0 ? 1 : 0;
    }
  }
  CHECK(empty == 0);
}
