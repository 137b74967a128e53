#include "netlink_reflector/core/plan.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace holdfast::netlink {
namespace {

std::string_view verb(StepKind kind) {
  switch (kind) {
    case StepKind::add:
      return "add";
    case StepKind::remove:
      return "remove";
    case StepKind::restore:
      return "put back";
  }
  return "change";
}

/// What the operator can do about it; empty where the system's own words say enough.
std::string_view advice(const Step& step, int system_errno) {
  const bool v4 = step.address.prefix.address.is_v4();
  switch (system_errno) {
    case EPERM:
      return "; holdfast needs root or CAP_NET_ADMIN";
    case ENODEV:
      return "; the interface is gone";
    case EINVAL:
      return v4 ? "; an address of the same network with another scope may be on the interface"
                : "; the interface may not speak IPv6 (MTU below 1280)";
    case EACCES:
      return "; IPv6 may be disabled on the interface (net.ipv6.conf.*.disable_ipv6)";
    case EADDRNOTAVAIL:
      return step.kind == StepKind::remove ? "; it was not there" : "";
    default:
      return "";
  }
}

}  // namespace

std::string explain(const Step& step, std::string_view interface_name, int system_errno,
                    std::string_view extended) {
  std::string text =
      fmt::format("cannot {} {} on {}: {}", verb(step.kind), step.address.prefix.to_string(),
                  interface_name, std::generic_category().message(system_errno));
  if (!extended.empty()) text += fmt::format(" ({})", extended);
  text += advice(step, system_errno);
  return text;
}

}  // namespace holdfast::netlink
