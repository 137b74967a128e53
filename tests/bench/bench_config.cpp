// Times the reader: bench_config FILE [RUNS] prints one JSON object. Run by tests/bench/config.py.
// load_s: read, expand, parse and validate the file. max_rss_kb: the largest resident set of the
// process until then, all of it: program, libraries, text and the one model. parse_s: parse and
// validate the text RUNS times more, as the daemons do, the best of them; never two models at once.
#include "config/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <sys/resource.h>

namespace {

using holdfast::config::Model;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

long largest_resident_kb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

struct Counts {
  std::size_t instances = 0;
  std::size_t services = 0;
  std::size_t servers = 0;

  bool operator==(const Counts&) const = default;
};

Counts counts_of(const Model& model) {
  Counts counts{model.instances.size(), model.services.size(), 0};
  for (const auto& service : model.services) counts.servers += service.real_servers.size();
  return counts;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_config FILE [RUNS]\n");
    return 2;
  }
  const int runs = argc > 2 ? std::max(std::atoi(argv[2]), 0) : 1;
  const auto start = std::chrono::steady_clock::now();
  holdfast::config::Loaded loaded = holdfast::config::load_files(argv[1]);
  const double load_s = seconds_since(start);
  const long resident_kb = largest_resident_kb();
  const Counts counts = counts_of(loaded.model);
  loaded.model = Model();

  double parse_s = load_s;
  for (int i = 0; i < runs; ++i) {
    const auto again = std::chrono::steady_clock::now();
    const holdfast::config::Parsed parsed = holdfast::config::parse_snapshot(loaded.snapshot);
    parse_s = std::min(parse_s, seconds_since(again));
    if (counts_of(parsed.model) != counts) return 1;
  }
  fmt::print(stderr, "{}", holdfast::config::render_text(loaded.diagnostics));
  fmt::print(
      "{{\"load_s\":{:.6f},\"parse_s\":{:.6f},\"max_rss_kb\":{},\"bytes\":{},\"instances\":{},"
      "\"services\":{},\"servers\":{},\"errors\":{},\"warnings\":{}}}\n",
      load_s, parse_s, resident_kb, loaded.snapshot.text.size(), counts.instances, counts.services,
      counts.servers, loaded.diagnostics.errors(), loaded.diagnostics.warnings());
  return loaded.diagnostics.has_errors() ? 1 : 0;
}
