// Times the reader: bench_config FILE [RUNS] prints one JSON object. Run by tests/bench/config.py.
#include "config/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <sys/resource.h>
#include <vector>

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_config FILE [RUNS]\n");
    return 2;
  }
  const int runs = argc > 2 ? std::max(std::atoi(argv[2]), 1) : 1;
  std::vector<double> load;
  std::vector<double> parse;
  holdfast::config::Loaded loaded;
  for (int i = 0; i < runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    loaded = holdfast::config::load_files(argv[1]);
    load.push_back(seconds_since(start));
    const auto again = std::chrono::steady_clock::now();
    const holdfast::config::Parsed parsed = holdfast::config::parse_snapshot(loaded.snapshot);
    parse.push_back(seconds_since(again));
    if (parsed.model != loaded.model) return 1;
  }
  fmt::print(stderr, "{}", holdfast::config::render_text(loaded.diagnostics));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::size_t servers = 0;
  for (const auto& service : loaded.model.services) servers += service.real_servers.size();
  fmt::print(
      "{{\"load_s\":{:.6f},\"parse_s\":{:.6f},\"max_rss_kb\":{},\"bytes\":{},\"instances\":{},"
      "\"services\":{},"
      "\"servers\":{},\"errors\":{},\"warnings\":{}}}\n",
      *std::min_element(load.begin(), load.end()), *std::min_element(parse.begin(), parse.end()),
      usage.ru_maxrss, loaded.snapshot.text.size(), loaded.model.instances.size(),
      loaded.model.services.size(), servers, loaded.diagnostics.errors(),
      loaded.diagnostics.warnings());
  return loaded.diagnostics.has_errors() ? 1 : 0;
}
