// read(write(model)) == model, in both syntaxes: for every row of the table, for random
// configurations, and for all configurations of the corpus.
#include "config/report.hpp"
#include "config/toml/write.hpp"
#include "tests/support/schema_sample.hpp"
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

const std::filesystem::path kCorpus =
    std::filesystem::path(HOLDFAST_SOURCE_DIR) / ".." / "shared" / "corpus";

constexpr std::uint64_t kSeeds = 1000;

Loaded read_keepalived(const Document& document) {
  return load_text(print_keepalived(document), "again.conf");
}

Loaded read_toml_text(const Document& document) {
  return load_text(print_toml(document), "again.toml");
}

std::string errors_of(const Diagnostics& diagnostics) {
  std::string text;
  for (const Diagnostic& one : diagnostics.all()) {
    if (one.severity == Severity::error) text += render(one);
  }
  return text;
}

// What differs, for a message: the first line that only one of the two has.
std::string difference(const Model& one, const Model& other) {
  const std::string left = print_keepalived(document_of(one, Detail::all));
  const std::string right = print_keepalived(document_of(other, Detail::all));
  const auto at = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
  const auto line = [](const std::string& text, std::ptrdiff_t offset) {
    const auto begin = text.rfind('\n', static_cast<std::size_t>(offset)) + 1;
    return text.substr(begin, text.find('\n', static_cast<std::size_t>(offset)) - begin);
  };
  if (left == right) return "the two are written alike: a value is not written at all";
  return fmt::format("'{}' became '{}'", line(left, at.first - left.begin()),
                     line(right, at.second - right.begin()));
}

// Empty when the model survives; otherwise what was lost.
std::string lost_on_the_way(const Model& model) {
  const Document written = document_of(model);
  const Loaded keepalived = read_keepalived(written);
  if (keepalived.model != model)
    return fmt::format("keepalived: {}\n{}", difference(model, keepalived.model),
                       errors_of(keepalived.diagnostics));
  const Loaded toml = read_toml_text(written);
  if (toml.model != model)
    return fmt::format("TOML: {}\n{}", difference(model, toml.model), errors_of(toml.diagnostics));
  return {};
}

// Words for what is so without them, and for how files are read.
bool says_what_is_so(const Keyword& row) {
  const bool in_line = row.block == Block::route_list || row.block == Block::rule_list;
  const bool for_the_reader = row.room == Room::reader && row.name != "no_virtual_ipaddress";
  return row.name == "preempt" || for_the_reader ||
         (in_line && (row.name == "to" || row.name == "unicast" || row.name == "type"));
}

std::string name_of_row(const Keyword& row) {
  return fmt::format("{} in {}", row.name, name_of(row.block));
}

}  // namespace

TEST_CASE("round trip: the skeleton of all blocks says what it is meant to say") {
  const Loaded loaded = read_keepalived(skeleton());

  CHECK_MESSAGE(!loaded.diagnostics.has_errors(), errors_of(loaded.diagnostics));
  CHECK(read_toml_text(skeleton()).model == loaded.model);
  CHECK(lost_on_the_way(loaded.model) == "");
}

TEST_CASE("round trip: every word changes the model, and the change survives both syntaxes") {
  const Schema& schema = Schema::instance();
  const Model plain = read_keepalived(skeleton()).model;
  std::size_t tried = 0;
  for (std::size_t i = 0; i < schema.all().size(); ++i) {
    const auto id = static_cast<KeywordId>(i);
    const Keyword& row = schema[id];
    if (row.opens) continue;
    ++tried;
    bool accepted = false;
    bool changes = false;
    std::string complaints;
    // Further values only until one of them shows.
    for (std::uint64_t number = 0; number < (changes ? 1U : 8U); ++number) {
      for (const Document& document : with_word(id, legal_args(row, number))) {
        const Loaded loaded = read_keepalived(document);
        accepted = accepted || !loaded.diagnostics.has_errors();
        if (loaded.diagnostics.has_errors()) complaints = errors_of(loaded.diagnostics);
        changes = changes || loaded.model != plain;
        const Loaded toml = read_toml_text(document);
        if (toml.model != loaded.model) {
          FAIL_CHECK(name_of_row(row), ": read from TOML: ", difference(loaded.model, toml.model),
                     "\n", errors_of(toml.diagnostics));
          break;
        }
        if (const std::string lost = lost_on_the_way(loaded.model); !lost.empty()) {
          FAIL_CHECK(name_of_row(row), " ",
                     fmt::format("{}", fmt::join(legal_args(row, number), " ")), ": ", lost);
          break;
        }
      }
    }
    if (!accepted) FAIL_CHECK(name_of_row(row), " is refused: ", complaints);
    const bool is_kept = row.effect != Effect::checked && !says_what_is_so(row);
    if (accepted && is_kept && !changes) FAIL_CHECK(name_of_row(row), " changes nothing");
  }
  fmt::print("round trip: {} rows\n", tried);
  CHECK(tried > 300);
}

TEST_CASE("round trip: random configurations") {
  std::size_t without_errors = 0;
  std::size_t failures = 0;
  for (std::uint64_t seed = 0; seed < kSeeds && failures < 5; ++seed) {
    core::Rng rng(seed);
    const Document document = random_document(rng);
    const Loaded loaded = read_keepalived(document);
    without_errors += loaded.diagnostics.has_errors() ? 0 : 1;
    const Loaded toml = read_toml_text(document);
    if (toml.model != loaded.model) {
      FAIL_CHECK("seed ", seed, ": read from TOML: ", difference(loaded.model, toml.model));
      ++failures;
    }
    // With errors it is not taken into use; what is left may not stand by itself.
    if (loaded.diagnostics.has_errors()) continue;
    if (const std::string lost = lost_on_the_way(loaded.model); !lost.empty()) {
      FAIL_CHECK("seed ", seed, ": ", lost);
      ++failures;
    }
  }
  fmt::print("round trip: {} random configurations, {} without errors\n", kSeeds, without_errors);
}

TEST_CASE("round trip: the corpus") {
  if (!std::filesystem::exists(kCorpus)) {
    fmt::print("skipped: {} is not here\n", kCorpus.string());
    return;
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kCorpus)) {
    if (entry.path().extension() != ".conf") continue;
    ++files;
    const Loaded loaded = load_files(entry.path().string());
    Diagnostics ignored;
    Reporter reporter(loaded.snapshot, ignored);
    const Document source = document_of(read_tree(loaded.snapshot, reporter));
    const std::string name = entry.path().filename().string();

    const Loaded toml = read_toml_text(source);
    if (toml.model != loaded.model)
      FAIL_CHECK(name, ": converted to TOML: ", difference(loaded.model, toml.model), "\n",
                 errors_of(toml.diagnostics).substr(0, 600));
    const Loaded again = read_keepalived(source);
    if (again.model != loaded.model)
      FAIL_CHECK(name, ": printed again: ", difference(loaded.model, again.model));
    if (const std::string lost = lost_on_the_way(loaded.model); !lost.empty())
      FAIL_CHECK(name, ": ", lost);
  }
  fmt::print("round trip: {} files of the corpus\n", files);
  CHECK(files > 250);
}
