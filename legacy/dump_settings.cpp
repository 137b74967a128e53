#include "legacy/dump_settings.hpp"

namespace holdfast::legacy {

DumpSettings dump_settings_of(const config::Model& model) {
  const config::Globals& globals = model.globals;
  std::string suffix;
  if (globals.data_use_instance) {
    if (!globals.net_namespace.empty()) suffix += "_" + globals.net_namespace;
    if (!globals.instance.empty()) suffix += "_" + globals.instance;
  }
  return {.json_version = globals.json_version,
          .suffix = std::move(suffix),
          .data_file = globals.state_dump_file,
          .stats_file = globals.stats_dump_file,
          .json_file = globals.json_dump_file};
}

std::string dump_path(const DumpSettings& settings, std::string_view directory,
                      std::string_view name, std::string_view ending, const std::string& chosen) {
  if (chosen.starts_with('/')) return chosen;
  std::string path(directory);
  path += '/';
  if (!chosen.empty()) return path + chosen;
  path += name;
  path += settings.suffix;
  path += ending;
  return path;
}

std::string dump_directory(const char* tmpdir) {
  std::string directory = tmpdir != nullptr && *tmpdir == '/' ? tmpdir : "/tmp";
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  return directory;
}

}  // namespace holdfast::legacy
