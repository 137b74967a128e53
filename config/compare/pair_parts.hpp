// What the parts of the comparison share. Internal to pair*.cpp.
#pragma once

#include "config/compare/pair.hpp"
#include "config/report.hpp"

#include <fmt/format.h>

namespace holdfast::config::pair {

struct Context {
  const Director& first;
  const Director& second;
  Reporter& reporter;        ///< places of the first
  Reporter& other_reporter;  ///< places of the second, for what only it has

  void say(Severity severity, const SourceLocation& at, std::string message,
           std::string help = {}) const {
    reporter.at(severity, at, std::move(message), std::move(help));
  }
  /// "b.conf line 12".
  [[nodiscard]] std::string there(const SourceLocation& location) const {
    return fmt::format("{} line {}", second.loaded.model.files.names[location.file], location.line);
  }
};

/// The same virtual router on both directors.
struct RouterPair {
  const VrrpInstance& here;
  const VrrpInstance& there;
};

void compare_elections(const Context& context, const RouterPair& routers);
void compare_addresses(const Context& context, const RouterPair& routers);
void compare_groups(const Context& context);
void compare_services(const Context& context);

}  // namespace holdfast::config::pair
