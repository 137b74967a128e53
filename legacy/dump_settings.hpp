// What a configuration says of the dumps.
#pragma once

#include "config/model.hpp"

#include <string>
#include <string_view>

namespace holdfast::legacy {

struct DumpSettings {
  std::uint8_t json_version = 1;
  std::string suffix;      ///< behind the names of all files, before the dot; data_use_instance
  std::string data_file;   ///< state_dump_file; empty: the usual one
  std::string stats_file;  ///< stats_dump_file; likewise
  std::string json_file;   ///< json_dump_file; likewise

  bool operator==(const DumpSettings&) const = default;
};

[[nodiscard]] DumpSettings dump_settings_of(const config::Model& model);

/// "/tmp/keepalived.data". `name`: "keepalived", `ending`: ".data". `directory` is used unless
/// `chosen` says where.
[[nodiscard]] std::string dump_path(const DumpSettings& settings, std::string_view directory,
                                    std::string_view name, std::string_view ending,
                                    const std::string& chosen);
/// $TMPDIR, or /tmp. keepalived: the same; a relative one does not count.
[[nodiscard]] std::string dump_directory(const char* tmpdir);

}  // namespace holdfast::legacy
