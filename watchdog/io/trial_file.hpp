// A configuration on trial outlives its parent: what is to return, and when, stands in the run
// directory, for root only. Written when a trial begins, removed when it ends or the director is
// told to stop; a parent that was killed leaves it to the next one. Used by the daemon.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "runtime/unique_fd.hpp"
#include "watchdog/core/directives.hpp"
#include "watchdog/core/role.hpp"

#include <optional>
#include <string>

namespace holdfast::watchdog {

struct RememberedTrial {
  /// Of this boot's clock.
  core::Instant until{};
  RoleSet roles;
  Directives directives;
  /// What is to return, sealed.
  runtime::UniqueFd snapshot;
};

class TrialFile {
 public:
  /// `configuration`: file and id of this director; a trial of another one is not its own.
  TrialFile(const std::string& run_dir, std::string configuration);

  [[nodiscard]] core::Result<void> save(const RememberedTrial& trial) const;
  /// nullopt: there is none, or it is another boot's or another configuration's.
  [[nodiscard]] core::Result<std::optional<RememberedTrial>> load() const;
  void remove() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  [[nodiscard]] std::string head() const;

  std::string path_;
  std::string configuration_;
  std::string boot_id_;
};

}  // namespace holdfast::watchdog
