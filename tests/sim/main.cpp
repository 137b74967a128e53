// holdfast_sim [--first N] [--seeds N] [--random] [--seed N] [--expect-violation] [--out DIR]
// Runs seeds and stops at the first violation: prints seed, virtual time and oracle, and writes
// sim-SEED.txt. --seed replays one.
// --random starts at a seed made from $HOLDFAST_SEED (any text, a commit id for example).
// --expect-violation turns the verdict around: it is how the mutants are run.
#include "tests/sim/swarm.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <string_view>

namespace {

using namespace holdfast::sim;

struct Options {
  std::uint64_t first = 1;
  std::uint64_t seeds = 2000;
  bool expect_violation = false;
  bool verbose = false;
  std::string out = ".";
};

std::uint64_t seed_from_environment() {
  const char* text = std::getenv("HOLDFAST_SEED");
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : std::string_view(text != nullptr ? text : "holdfast")) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash >> 16;
}

std::string describe(const Plan& plan, const Outcome& outcome) {
  std::string text = describe(plan);
  if (outcome.violation) {
    text +=
        fmt::format("violated: {}: {}\n", outcome.violation->oracle, outcome.violation->sentence);
  }
  for (const std::string& line : outcome.trace) text += line + "\n";
  return text;
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (word == "--first") {
      options.first = std::strtoull(value(), nullptr, 10);
    } else if (word == "--seeds") {
      options.seeds = std::strtoull(value(), nullptr, 10);
    } else if (word == "--seed") {
      options.first = std::strtoull(value(), nullptr, 10);
      options.seeds = 1;
      options.verbose = true;
    } else if (word == "--random") {
      options.first = seed_from_environment();
    } else if (word == "--expect-violation") {
      options.expect_violation = true;
    } else if (word == "--out") {
      options.out = value();
    } else {
      fmt::print(stderr, "unknown option {}\n", word);
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) return 2;
  std::uint64_t wakes = 0;
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    const Plan plan = draw_plan(seed);
    const Outcome outcome = run(plan, options.verbose ? Trace::yes : Trace::no);
    wakes += outcome.wakes;
    if (options.verbose) fmt::print("{}", describe(plan, outcome));
    if (!outcome.violation) continue;

    const auto at = std::chrono::duration<double>(outcome.violation->at -
                                                  holdfast::core::Instant(std::chrono::hours(1)));
    fmt::print("seed {} at {:.6f} s: {}: {}\n", seed, at.count(), outcome.violation->oracle,
               outcome.violation->sentence);
    if (options.expect_violation) {
      fmt::print("caught after {} seeds\n", seed - options.first + 1);
      return 0;
    }
    const std::string file = fmt::format("{}/sim-{}.txt", options.out, seed);
    std::ofstream(file) << describe(plan, run(plan, Trace::yes));
    fmt::print("written to {}; replay with --seed {}\n", file, seed);
    return 1;
  }
  fmt::print("{} seeds from {} hold, {} wake-ups\n", options.seeds, options.first, wakes);
  return options.expect_violation ? 1 : 0;
}
