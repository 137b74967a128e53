// From the table that is to the table that should be: differences, ordered steps, and a pure
// rehearsal of them. The client executes steps against the kernel; tests, dry runs and the fake
// kernel execute them on a Table. Never a flush, and never a step on a service that is neither
// desired nor owned.
#pragma once

#include "ipvs_wrapper/table.hpp"

#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::ipvs {

struct AddService {
  ServiceKey key;
  Settings settings;
  bool operator==(const AddService&) const = default;
};
struct EditService {
  ServiceKey key;
  Settings settings;
  bool operator==(const EditService&) const = default;
};
/// Its servers go with it.
struct DeleteService {
  ServiceKey key;
  bool operator==(const DeleteService&) const = default;
};
struct AddServer {
  ServiceKey key;
  core::Endpoint endpoint;
  Server server;
  bool operator==(const AddServer&) const = default;
};
struct EditServer {
  ServiceKey key;
  core::Endpoint endpoint;
  Server server;
  bool operator==(const EditServer&) const = default;
};
struct DeleteServer {
  ServiceKey key;
  core::Endpoint endpoint;
  bool operator==(const DeleteServer&) const = default;
};

/// One request to the kernel.
using Step =
    std::variant<AddService, EditService, DeleteService, AddServer, EditServer, DeleteServer>;
/// Steps in the order in which they must be done.
using Plan = std::vector<Step>;

/// The service that a step is about.
[[nodiscard]] const ServiceKey& key_of(const Step& step);

/// The step as an ipvsadm command line without the leading word: "-a -t 192.0.2.1:80 -r 10.0.0.1:80
/// -g -w 1".
[[nodiscard]] std::string to_string(const Step& step);

/// One entry on which two tables disagree. Exactly one of the sides may be missing.
struct ServiceDifference {
  ServiceKey key;
  std::optional<Settings> desired;  ///< nullopt: should not be there
  std::optional<Settings> actual;   ///< nullopt: is not there
  bool operator==(const ServiceDifference&) const = default;
};
struct ServerDifference {
  ServiceKey key;
  core::Endpoint endpoint;
  std::optional<Server> desired;
  std::optional<Server> actual;
  bool operator==(const ServerDifference&) const = default;
};
using Difference = std::variant<ServiceDifference, ServerDifference>;

/// Every entry on which the tables disagree, in key order, a service before its servers. The
/// servers of a service that should not be there are not listed one by one. This is the drift
/// report; it knows nothing of ownership.
[[nodiscard]] std::vector<Difference> diff(const Table& desired, const Table& actual);

/// The difference as a sentence for the operator: "TCP 192.0.2.1:80: server 10.0.0.1:80 has weight
/// 3, should have 1".
[[nodiscard]] std::string to_string(const Difference& difference);

/// Keys whose services are ours although they may no longer be desired: these may be deleted.
using OwnedKeys = std::set<ServiceKey>;

/// Services of `actual` that are neither desired nor owned: reported, never touched.
[[nodiscard]] OwnedKeys foreign_keys(const Table& desired, const Table& actual,
                                     const OwnedKeys& owned);

/// The steps that make `actual` equal `desired` on every key that is desired or owned.
/// Order: new pools (service with scheduler `none`, its servers, then the real scheduler, so that
/// the pool appears at once); then for pools in service first what adds capacity (new servers,
/// raised weights), then other changes, then what takes it away by weight; deleted servers and then
/// deleted services come last. So a pool that serves before and after serves at every moment
/// between, the switch to and from a sorry server included. A desired service that is already in
/// the kernel is adopted: only its differences are sent.
[[nodiscard]] Plan plan(const Table& desired, const Table& actual, const OwnedKeys& owned);

/// One step on a table by the kernel's rules. Returns 0 or the errno that the kernel would give; on
/// error the table is unchanged. Kernel: EEXIST for a key that is there, ESRCH for a missing
/// service, ENOENT for a missing server, ERANGE for lower_threshold above upper_threshold.
[[nodiscard]] int apply_step(const Step& step, Table& table);

/// All steps on a table; steps that fail are skipped, like in the kernel. Pure.
[[nodiscard]] Table apply(const Plan& steps, Table table);

}  // namespace holdfast::ipvs
