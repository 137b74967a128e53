// The list of IPVS services that are ours, for a restarted process: the kernel has no place to
// write an owner. Kept in the run directory; a list from before the last boot counts for nothing.
#pragma once

#include "core/result.hpp"
#include "ipvs_wrapper/plan.hpp"

#include <string>
#include <string_view>

namespace holdfast::checkers {

/// Text form: a first line with the boot id, then "6 192.0.2.1 80" or "mark 7 4" per line.
[[nodiscard]] std::string write_owned(const ipvs::OwnedKeys& keys, std::string_view boot_id);
/// Empty when the list is of another boot. An error names the line.
[[nodiscard]] core::Result<ipvs::OwnedKeys> parse_owned(std::string_view text,
                                                        std::string_view boot_id);

class OwnedFile {
 public:
  explicit OwnedFile(std::string path);
  /// A missing file is an empty list.
  [[nodiscard]] core::Result<ipvs::OwnedKeys> load() const;
  /// Replaces the file at once: a reader sees the former list or the new one.
  [[nodiscard]] core::Result<void> save(const ipvs::OwnedKeys& keys) const;

 private:
  std::string path_;
  std::string boot_id_;
};

}  // namespace holdfast::checkers
