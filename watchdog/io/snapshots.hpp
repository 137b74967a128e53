// The configurations that are in use, may return, or are about to be used: sealed memory and what
// they ask of the watchdog itself, by generation.
#pragma once

#include "runtime/unique_fd.hpp"
#include "watchdog/core/directives.hpp"
#include "watchdog/core/role.hpp"

#include <map>
#include <utility>

namespace holdfast::watchdog {

class Snapshots {
 public:
  void put(Generation generation, runtime::UniqueFd fd, Directives directives) {
    entries_[generation] = {std::move(fd), std::move(directives)};
  }
  void drop(Generation generation) { entries_.erase(generation); }
  /// Only these two stay; `former` may be 0, none.
  void keep_only(Generation generation, Generation former) {
    std::erase_if(entries_, [generation, former](const auto& entry) {
      return entry.first != generation && entry.first != former;
    });
  }
  /// The same configuration under another number.
  void copy(Generation from, Generation to) {
    const auto found = entries_.find(from);
    if (found != entries_.end())
      put(to, found->second.fd.duplicate(), Directives(found->second.directives));
  }
  /// -1: there is none.
  [[nodiscard]] int get(Generation generation) const {
    const auto found = entries_.find(generation);
    return found == entries_.end() ? -1 : found->second.fd.get();
  }
  [[nodiscard]] runtime::UniqueFd duplicate(Generation generation) const {
    const auto found = entries_.find(generation);
    return found == entries_.end() ? runtime::UniqueFd{} : found->second.fd.duplicate();
  }
  [[nodiscard]] Directives directives(Generation generation) const {
    const auto found = entries_.find(generation);
    return found == entries_.end() ? Directives{} : found->second.directives;
  }

 private:
  struct Entry {
    runtime::UniqueFd fd;
    Directives directives;
  };
  std::map<Generation, Entry> entries_;
};

}  // namespace holdfast::watchdog
