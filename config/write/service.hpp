// What the writers of services and checkers share.
#pragma once

#include "config/builders/builder.hpp"
#include "config/write/write.hpp"

namespace holdfast::config {

/// What a checker is written against: values that equal these are left out.
struct CheckSurroundings {
  const RealServer& server;
  const Globals& globals;
  const CheckDefaults& common;
  const std::string& virtualhost;
};

/// The times and tries that all checkers of a service have in common and that are not the default
/// of each: they are written once, in the service. None with Detail::all.
[[nodiscard]] CheckDefaults common_values(const VirtualServer& service, Detail detail);
void write_common_values(Writer& writer, const CheckDefaults& common);
void write_check(Writer& writer, const Check& check, const CheckSurroundings& around);

}  // namespace holdfast::config
