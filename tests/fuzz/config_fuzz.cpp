// Fuzz entry of the configuration: the first byte chooses the reader or the snapshot's decoder.
// Built with libFuzzer, and as a replay of tests/fuzz/corpus/config/.
#include "config/compare/diff.hpp"
#include "config/load.hpp"
#include "config/text.hpp"

#include <cstdlib>
#include <string_view>

using namespace holdfast::config;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void parse_twice(const Snapshot& snapshot) {
  const Parsed once = parse_snapshot(snapshot);
  const Parsed twice = parse_snapshot(snapshot);
  require(once.model == twice.model);
  require(once.diagnostics == twice.diagnostics);
  require(diff(once.model, twice.model).empty());
  static_cast<void>(render_text(once.diagnostics, Colour::always));
  static_cast<void>(render_json(once.diagnostics));
}

// Words stand in the line, in their order, and do not overlap.
void fuzz_command(std::string_view line) {
  std::size_t end = 0;
  for (const CommandWord& word : read_command(line).words) {
    require(end <= word.begin && word.begin < word.end && word.end <= line.size());
    end = word.end;
  }
}

void fuzz_text(std::string_view text) {
  fuzz_command(text.substr(0, text.find('\n')));
  const Loaded loaded = load_text(text, "/nonexistent/fuzz.conf", {.config_id = "main"});
  const auto again = from_bytes(to_bytes(loaded.snapshot));
  if (again) {
    require(*again == loaded.snapshot);
  } else {
    require(loaded.diagnostics.has_errors());
  }
  parse_twice(loaded.snapshot);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::span<const std::uint8_t> rest(data + 1, size - 1);
  if (data[0] == 'S') {
    if (const auto snapshot = from_bytes(rest)) parse_twice(*snapshot);
    return 0;
  }
  fuzz_text({reinterpret_cast<const char*>(rest.data()), rest.size()});
  return 0;
}
