#include "config/default_file.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace holdfast::config {

std::optional<std::string> default_file() {
  for (const char* path : kDefaultFiles) {
    std::error_code ignored;  // a directory that may not be looked into has no file for us
    if (std::filesystem::exists(path, ignored)) return path;
  }
  return std::nullopt;
}

std::string no_default_file() {
  return fmt::format("there is no configuration: none of {} exists; name one",
                     fmt::join(kDefaultFiles, ", "));
}

}  // namespace holdfast::config
