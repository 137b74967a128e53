// Fuzz entry of the TOML reader: text → snapshot → model, and back again when it loads without
// errors. Built with libFuzzer, and as a replay of tests/fuzz/corpus/toml/.
#include "config/load.hpp"
#include "config/toml/write.hpp"
#include "config/write/write.hpp"

#include <cstdlib>
#include <string_view>

using namespace holdfast::config;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Loaded loaded = load_text(text, "/nonexistent/fuzz.toml");
  const auto again = from_bytes(to_bytes(loaded.snapshot));
  require(again.has_value() && *again == loaded.snapshot);
  const Parsed twice = parse_snapshot(loaded.snapshot);
  require(twice.model == loaded.model);
  static_cast<void>(render_text(loaded.diagnostics));
  static_cast<void>(render_json(loaded.diagnostics));
  if (loaded.diagnostics.has_errors()) return 0;
  const std::string written = print_toml(document_of(loaded.model));
  require(load_text(written, "/nonexistent/fuzz.toml").model == loaded.model);
  return 0;
}
