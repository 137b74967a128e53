#include "watchdog/io/network_namespace.hpp"

#include "runtime/unique_fd.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sched.h>

namespace holdfast::watchdog {
namespace {

/// ip-netns(8).
constexpr std::string_view kNamespaces = "/run/netns/";

}  // namespace

core::Result<void> enter_network_namespace(const std::string& name) {
  if (name.find('/') != std::string::npos || name == "." || name == "..")
    return core::fail("net_namespace takes a name of `ip netns list`, not '{}'", name);
  const std::string path = std::string(kNamespaces) + name;
  const runtime::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT)
    return core::fail(
        "there is no network namespace '{}': `ip netns add {}` makes it before the start", name,
        name);
  if (!file) return core::fail_errno(errno, "cannot open the network namespace {}", path);
  if (::setns(file.get(), CLONE_NEWNET) == 0) return {};
  if (errno == EPERM)
    return core::fail(
        "cannot enter the network namespace '{}': that needs CAP_SYS_ADMIN; or start "
        "holdfast with `ip netns exec {}`",
        name, name);
  return core::fail_errno(errno, "cannot enter the network namespace {}", path);
}

}  // namespace holdfast::watchdog
