// holdfast_scenario [--update] FILE…: plays scenarios (vrrp/scenario/script.hpp) and compares the
// decisions. --update rewrites what stands below the "---" of a short form.
#include "vrrp/scenario/replay.hpp"

#include <fstream>
#include <iostream>

namespace {

using holdfast::vrrp::scenario::Replay;

/// True when the decisions are as expected, or were rewritten.
bool play(const std::string& file, bool update) {
  std::ifstream in(file);
  std::string script;
  std::string line;
  Replay replay([](std::string_view) {});
  bool above = true;
  while (std::getline(in, line)) {
    replay.feed(line);
    above = above && line != "---";
    if (above) script += line + "\n";
  }
  replay.finish();
  if (replay.verdict() == Replay::Verdict::same) return true;
  if (const auto& trouble = replay.trouble()) {
    std::cout << file << ":" << trouble->line << ": " << trouble->sentence << "\n";
    return false;
  }
  if (update && !replay.script_trace().empty()) {
    std::ofstream(file) << script << "---\n" << replay.script_trace();
    return true;
  }
  const auto& difference = *replay.difference();
  std::cout << file << ":" << difference.line << ": expected '" << difference.expected << "', got '"
            << difference.got << "'\n"
            << replay.script_trace();
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  bool update = false;
  bool all_good = true;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--update") {
      update = true;
      continue;
    }
    all_good = play(word, update) && all_good;
  }
  return all_good ? 0 : 1;
}
