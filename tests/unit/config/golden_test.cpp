// Typical mistakes with the exact text shown: tests/data/diagnostics/NAME.conf and NAME.txt.
// HOLDFAST_UPDATE_GOLDEN=1 writes the texts anew; read them aloud before committing.
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(HOLDFAST_SOURCE_DIR) / "tests" / "data" / "diagnostics";

std::vector<std::filesystem::path> files(std::string_view extension) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == extension) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string read_all(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// What a person sees, with file names instead of paths.
std::string shown(const Diagnostics& diagnostics) {
  std::string text = render_text(diagnostics);
  const std::string folder = kFolder.string() + "/";
  for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder, at))
    text.erase(at, folder.size());
  return text + diagnostics.summary() + "\n";
}

// "# findings: 3" in the first line; one mistake is one finding elsewhere.
std::size_t expected_findings(const std::string& text) {
  constexpr std::string_view kMark = "# findings: ";
  return text.starts_with(kMark) ? std::stoul(text.substr(kMark.size())) : 1;
}

}  // namespace

TEST_CASE("golden: every typical mistake is one finding, in exactly these words") {
  const std::vector<std::filesystem::path> mistakes = files(".conf");
  const bool update = std::getenv("HOLDFAST_UPDATE_GOLDEN") != nullptr;
  for (const std::filesystem::path& path : mistakes) {
    const Loaded loaded = load_files(path.string(), {.config_id = "main"});
    std::filesystem::path text = path;
    text.replace_extension(".txt");
    if (update) std::ofstream(text) << shown(loaded.diagnostics);
    CHECK_MESSAGE(shown(loaded.diagnostics) == read_all(text), path.filename().string());
    CHECK_MESSAGE(loaded.diagnostics.all().size() == expected_findings(read_all(path)),
                  path.filename().string());
  }
  CHECK(mistakes.size() >= 45);
  CHECK(files(".txt").size() == mistakes.size());
}
