// The yardstick: the resolved model of every configuration in the corpus beside what keepalived
// itself loaded from it (NAME.loaded.json). Both sides become named facts; a fact of theirs that we
// lack or see otherwise makes the file "less", unless docs/compatibility.md says why.
#include "config/load.hpp"
#include "tests/unit/config/corpus_facts.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

const std::filesystem::path kCorpus =
    std::filesystem::path(HOLDFAST_SOURCE_DIR) / ".." / "shared" / "corpus";

// Files that give less than keepalived loaded. Lower it as the language and the model grow; never
// raise it.
constexpr std::size_t kCeiling = 102;

// Files in which we see more than keepalived, so that a value of theirs is not ours; why is in
// docs/compatibility.md.
const std::map<std::string, std::string> kExplained = {
    {"pqarmitage+keepalived-devel-tools__446.conf", "comments inside a definition"},
};

std::string read_all(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

struct Verdict {
  std::string group;         // W: ordinary users; P: a maintainer's reproductions
  std::size_t messages = 0;  // of keepalived -t; the list shows three at most
};

std::map<std::string, Verdict> read_verdicts() {
  std::map<std::string, Verdict> verdicts;
  std::ifstream file(kCorpus / "wild-verdicts.tsv");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string name;
    std::string skipped;
    std::string messages;
    Verdict verdict;
    std::getline(fields, name, '\t');
    std::getline(fields, verdict.group, '\t');
    std::getline(fields, skipped, '\t');
    std::getline(fields, skipped, '\t');
    std::getline(fields, messages);
    if (!messages.empty()) verdict.messages = 1;
    for (std::size_t at = messages.find(" | "); at != std::string::npos;
         at = messages.find(" | ", at + 3))
      ++verdict.messages;
    verdicts.emplace(name, verdict);
  }
  return verdicts;
}

struct Tally {
  std::size_t files = 0;
  std::size_t same = 0;
  std::size_t more = 0;
  std::size_t less = 0;
  std::size_t refused = 0;   // we report an error: the configuration would not be taken into use
  std::size_t findings = 0;  // ours
  std::size_t messages = 0;  // keepalived's, three a file at most
};

}  // namespace

TEST_CASE("corpus: the model holds everything that keepalived loads") {
  if (!std::filesystem::exists(kCorpus / "wild-verdicts.tsv")) {
    fmt::print("skipped: {} is not here\n", kCorpus.string());
    return;
  }
  const std::map<std::string, Verdict> verdicts = read_verdicts();
  std::map<std::string, Tally> tallies;
  std::map<std::string, std::set<std::string>> why;  // feature → files that lack it
  const bool list = std::getenv("HOLDFAST_CORPUS_LIST") != nullptr;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kCorpus)) {
    if (entry.path().extension() == ".conf") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());

  for (const std::filesystem::path& path : paths) {
    std::filesystem::path reference = path;
    reference.replace_extension(".loaded.json");
    if (!std::filesystem::exists(reference)) continue;
    const std::string name = path.filename().string();
    const auto verdict = verdicts.find(name);
    Tally& tally = tallies[verdict == verdicts.end() ? "-" : verdict->second.group];
    const Loaded loaded = load_files(path.string());
    const Facts ours = facts_of(loaded.model);
    const Facts theirs = facts_of_json(read_all(reference));

    const Comparison comparison = compare(theirs, ours);
    ++tally.files;
    tally.findings += loaded.diagnostics.all().size();
    tally.messages += verdict == verdicts.end() ? 0 : verdict->second.messages;
    tally.refused += loaded.diagnostics.has_errors() ? 1 : 0;
    if (kExplained.contains(name)) {
      ++tally.more;
      continue;
    }
    ++(!comparison.missing.empty() ? tally.less : comparison.extra ? tally.more : tally.same);
    for (const auto& [feature, example] : comparison.missing) {
      why[feature].insert(name);
      if (list) fmt::print("{}: {}: {}\n", name, feature, example);
    }
  }

  Tally all;
  fmt::print("corpus      files  same  more  less  refused  findings  keepalived's messages\n");
  for (const auto& [group, tally] : tallies) {
    fmt::print("  group {:<3} {:5} {:5} {:5} {:5} {:8} {:9} {:7}\n", group, tally.files, tally.same,
               tally.more, tally.less, tally.refused, tally.findings, tally.messages);
    all.files += tally.files;
    all.same += tally.same;
    all.more += tally.more;
    all.less += tally.less;
  }
  fmt::print("  together  {:5} {:5} {:5} {:5}\n", all.files, all.same, all.more, all.less);
  for (const auto& [feature, files] : why)
    fmt::print("  less: {:<28} {:3} files, such as {}\n", feature, files.size(), *files.begin());
  CHECK(all.files > 250);
  CHECK(all.less <= kCeiling);
}
