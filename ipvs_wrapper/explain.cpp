#include "ipvs_wrapper/explain.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace holdfast::ipvs {
namespace {

constexpr std::string_view kNotPermitted =
    "not permitted; IPVS needs CAP_NET_ADMIN in the initial user namespace, even for reading (run "
    "as root, outside "
    "unprivileged containers)";
constexpr std::string_view kNoModule =
    "the kernel has no IPVS: load the module with 'modprobe ip_vs', or use a kernel that has it";

std::string_view attempt_words(const Step& step) {
  struct Words {
    std::string_view operator()(const AddService&) const { return "cannot add service"; }
    std::string_view operator()(const EditService&) const { return "cannot change service"; }
    std::string_view operator()(const DeleteService&) const { return "cannot remove service"; }
    std::string_view operator()(const AddServer&) const { return "cannot add server"; }
    std::string_view operator()(const EditServer&) const { return "cannot change server"; }
    std::string_view operator()(const DeleteServer&) const { return "cannot remove server"; }
  };
  return std::visit(Words{}, step);
}

const core::Endpoint* endpoint_of(const Step& step) {
  if (const auto* add = std::get_if<AddServer>(&step)) return &add->endpoint;
  if (const auto* edit = std::get_if<EditServer>(&step)) return &edit->endpoint;
  if (const auto* remove = std::get_if<DeleteServer>(&step)) return &remove->endpoint;
  return nullptr;
}

const Server* server_of(const Step& step) {
  if (const auto* add = std::get_if<AddServer>(&step)) return &add->server;
  if (const auto* edit = std::get_if<EditServer>(&step)) return &edit->server;
  return nullptr;
}

const Settings* settings_of(const Step& step) {
  if (const auto* add = std::get_if<AddService>(&step)) return &add->settings;
  if (const auto* edit = std::get_if<EditService>(&step)) return &edit->settings;
  return nullptr;
}

std::string attempt(const Step& step) {
  const auto key = to_string(key_of(step));
  const auto* endpoint = endpoint_of(step);
  if (endpoint == nullptr) return fmt::format("{} {}", attempt_words(step), key);
  return fmt::format("{} {} of {}", attempt_words(step), endpoint->to_string(), key);
}

std::string exists_text(const Step& step) {
  return endpoint_of(step) != nullptr
             ? "the service has this server already; something else added it meanwhile"
             : "it is there already; something else added it meanwhile";
}

// ENOENT means a missing module for a service and a missing entry for a server.
std::string missing_text(const Step& step) {
  const auto* settings = settings_of(step);
  if (settings == nullptr)
    return "the service has no such server; something else removed it meanwhile";
  const auto scheduler = fmt::format(
      "the kernel does not know the scheduler '{0}' (module ip_vs_{0} is missing or cannot be "
      "loaded)",
      settings->scheduler);
  if (settings->persistence_engine.empty()) return scheduler;
  const auto engine = fmt::format("the persistence engine '{0}' (module ip_vs_pe_{0})",
                                  settings->persistence_engine);
  if (settings->scheduler == kNoScheduler) return "the kernel does not know " + engine;
  return fmt::format("{} or {}", scheduler, engine);
}

std::string range_text(const Step& step) {
  const auto* server = server_of(step);
  if (server != nullptr && server->lower_threshold > server->upper_threshold) {
    return fmt::format("the lower threshold {} is above the upper threshold {}",
                       server->lower_threshold, server->upper_threshold);
  }
  return fmt::format("the weight {} is above 2147483647", server != nullptr ? server->weight : 0);
}

// The kernel gives one number for many mistakes; those that can be seen in the step are named.
std::string invalid_server_text(const ServiceKey& key, const core::Endpoint& endpoint,
                                const Server& server) {
  if (endpoint.address.family() != family_of(key)) {
    return server.forwarding == Forwarding::tunnel
               ? "a server of the other address family is not possible while the IPVS sync daemon "
                 "runs"
               : "a server of the other address family is possible with tunnelling only";
  }
  if (server.forwarding == Forwarding::tunnel && server.tunnel.type == TunnelType::gue &&
      server.tunnel.port == 0)
    return "a gue tunnel needs a port";
  if (server.upper_threshold > 0x7fffffff)
    return fmt::format("the upper threshold {} is above 2147483647", server.upper_threshold);
  return fmt::format(
      "the kernel does not take {} as the address of a server: it must be an ordinary unicast "
      "address or one of this "
      "host, and at least one interface of this network namespace (loopback counts) must be up",
      endpoint.address.to_string());
}

std::string invalid_text(const Step& step) {
  const auto* endpoint = endpoint_of(step);
  const auto* server = server_of(step);
  if (endpoint != nullptr && server != nullptr)
    return invalid_server_text(key_of(step), *endpoint, *server);
  const auto* settings = settings_of(step);
  if (settings != nullptr && settings->persistence && family_of(key_of(step)) == core::Family::v6)
    return fmt::format("the persistence prefix {} is not between 1 and 128",
                       settings->persistence->netmask);
  return "the kernel calls the request invalid; this scheduler may not fit the service's protocol "
         "or flags";
}

std::string reason(const Step& step, int system_errno) {
  switch (system_errno) {
    case EPERM:
      return std::string(kNotPermitted);
    case EEXIST:
      return exists_text(step);
    case ESRCH:
      return "there is no such service; something else removed it meanwhile";
    case ENOENT:
      return missing_text(step);
    case ERANGE:
      return range_text(step);
    case EINVAL:
      return invalid_text(step);
    case EAFNOSUPPORT:
      return "the kernel's IPVS has no IPv6, or IPv6 is disabled";
    case ENOPROTOOPT:
      return "the ip_vs module is being unloaded";
    case ENOBUFS:
    case ETIMEDOUT:
      return "the kernel's answer was lost; whether it was done shows when the table is read again";
    default:
      return std::generic_category().message(system_errno);
  }
}

}  // namespace

std::string explain(const Step& step, int system_errno) {
  return fmt::format("{}: {}", attempt(step), reason(step, system_errno));
}

std::string explain_access(std::string_view what, int system_errno) {
  switch (system_errno) {
    case ENOENT:
      return fmt::format("cannot {}: {}", what, kNoModule);
    case EPERM:
      return fmt::format("cannot {}: {}", what, kNotPermitted);
    case ETIMEDOUT:
      return fmt::format("cannot {}: the kernel did not answer in time", what);
    default:
      return fmt::format("cannot {}: {}", what, std::generic_category().message(system_errno));
  }
}

bool is_already_true(const Step& step, int system_errno) {
  if (std::holds_alternative<DeleteService>(step)) return system_errno == ESRCH;
  return std::holds_alternative<DeleteServer>(step) &&
         (system_errno == ESRCH || system_errno == ENOENT);
}

}  // namespace holdfast::ipvs
