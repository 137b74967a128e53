// What the parts of validation share, and their list. Internal to validate*.cpp.
#pragma once

#include "config/model.hpp"
#include "config/report.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace holdfast::config::validation {

/// One validation. Borrows both: it lives inside validate().
struct Context {
  Model& model;
  Reporter& reporter;

  void error(const SourceLocation& at, std::string message, std::string help = {}) const {
    reporter.at(Severity::error, at, std::move(message), std::move(help));
  }
  void warn(const SourceLocation& at, std::string message, std::string help = {}) const {
    reporter.at(Severity::warning, at, std::move(message), std::move(help));
  }
  void note(const SourceLocation& at, std::string message, std::string help = {}) const {
    reporter.at(Severity::note, at, std::move(message), std::move(help));
  }
  /// "line 12", or "common.conf line 12" when it is not in the first file.
  [[nodiscard]] std::string line_of(const SourceLocation& location) const;
};

/// Findings of one kind that a generated file may hold by the hundred: the first few are shown, of
/// the rest the last one shown says how many there are.
class Few {
 public:
  Few(const Context& context, Severity severity) : context_(context), severity_(severity) {}
  void add(const SourceLocation& at, std::string message, std::string help = {});
  /// Says the last one. Call once, when all are found.
  void finish();

 private:
  static constexpr std::size_t kShown = 5;

  const Context& context_;
  Severity severity_;
  std::size_t count_ = 0;
  SourceLocation last_at_;
  std::string last_message_;
  std::string last_help_;
};

/// Removes the elements whose flag is set, keeping the order.
template <class T>
void remove_flagged(std::vector<T>& list, const std::vector<bool>& flags) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (flags[i]) continue;
    if (kept != i) list[kept] = std::move(list[i]);
    ++kept;
  }
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(kept), list.end());
}

/// Where each name of a list stands first.
template <class T>
[[nodiscard]] std::unordered_map<std::string_view, const T*> by_name(const std::vector<T>& list) {
  std::unordered_map<std::string_view, const T*> names;
  names.reserve(list.size());
  for (const T& one : list) names.emplace(one.name, &one);
  return names;
}

// The parts, in the order they are called: what is removed by one is not seen by the next.
void check_names(const Context& context);      ///< one name twice
void check_instances(const Context& context);  ///< each by itself, and routers of one link
void check_strict(const Context& context);     ///< what strict mode takes away
void check_addresses(const Context& context);  ///< of instances, and of services beside them
void check_tracking(const Context& context);   ///< trackers, and who names them
void check_groups(const Context& context);     ///< sync groups, track groups
void check_services(const Context& context);   ///< services and groups of services
void check_servers(const Context& context);    ///< real servers and their checkers
void check_globals(const Context& context);    ///< mail, pipes, the sync daemon

}  // namespace holdfast::config::validation
