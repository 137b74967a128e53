// The configurations that are in use or about to be: sealed memory by generation.
#pragma once

#include "runtime/unique_fd.hpp"
#include "watchdog/core/role.hpp"

#include <map>

namespace holdfast::watchdog {

class Snapshots {
 public:
  void put(Generation generation, runtime::UniqueFd fd) { fds_[generation] = std::move(fd); }
  void drop(Generation generation) { fds_.erase(generation); }
  /// Only these two stay; `former` may be 0, none.
  void keep_only(Generation generation, Generation former) {
    std::erase_if(fds_, [generation, former](const auto& entry) {
      return entry.first != generation && entry.first != former;
    });
  }
  /// -1: there is none.
  [[nodiscard]] int get(Generation generation) const {
    const auto found = fds_.find(generation);
    return found == fds_.end() ? -1 : found->second.get();
  }
  [[nodiscard]] runtime::UniqueFd duplicate(Generation generation) const {
    const auto found = fds_.find(generation);
    return found == fds_.end() ? runtime::UniqueFd{} : found->second.duplicate();
  }

 private:
  std::map<Generation, runtime::UniqueFd> fds_;
};

}  // namespace holdfast::watchdog
