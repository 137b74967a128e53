#include "ipvs_wrapper/plan.hpp"

namespace holdfast::ipvs {
namespace {

// The queues of a plan, emptied in the order of their declaration.
struct Queues {
  Plan new_pools;
  Plan capacity_up;    // servers added, weights raised
  Plan other_changes;  // service settings; servers changed with the same weight
  Plan capacity_down;  // weights lowered, down to 0
  Plan server_deletions;
  Plan service_deletions;
};

Settings unscheduled(Settings settings) {
  settings.scheduler = kNoScheduler;
  return settings;
}

// A pool that nobody uses yet is put in order completely, then published by one switch of the
// scheduler. Clients never meet half a pool, and hash schedulers build their table once instead of
// once a server.
class Planner {
 public:
  explicit Planner(Queues& queues) : queues_(queues) {}

  void create(const ServiceKey& key, const Service& desired) {
    if (desired.servers.empty()) {
      queues_.new_pools.push_back(AddService{key, desired.settings});
      return;
    }
    queues_.new_pools.push_back(AddService{key, unscheduled(desired.settings)});
    for (const auto& [endpoint, server] : desired.servers)
      queues_.new_pools.push_back(AddServer{key, endpoint, server});
    if (desired.settings.scheduler != kNoScheduler)
      queues_.new_pools.push_back(EditService{key, desired.settings});
  }

  void change(const ServiceKey& key, const Service& desired, const Service& actual) {
    const bool unpublished =
        actual.settings.scheduler == kNoScheduler && desired.settings.scheduler != kNoScheduler;
    if (unpublished) {
      Queues own;
      Planner(own).change_servers(key, desired, actual);
      for (Plan* queue :
           {&own.capacity_up, &own.other_changes, &own.capacity_down, &own.server_deletions})
        queues_.new_pools.insert(queues_.new_pools.end(), queue->begin(), queue->end());
      queues_.new_pools.push_back(EditService{key, desired.settings});
      return;
    }
    if (desired.settings != actual.settings)
      queues_.other_changes.push_back(EditService{key, desired.settings});
    change_servers(key, desired, actual);
  }

 private:
  void change_servers(const ServiceKey& key, const Service& desired, const Service& actual) {
    for (const auto& [endpoint, server] : desired.servers) {
      const auto present = actual.servers.find(endpoint);
      if (present == actual.servers.end()) {
        queues_.capacity_up.push_back(AddServer{key, endpoint, server});
      } else if (present->second != server) {
        queue_for(server.weight, present->second.weight)
            .push_back(EditServer{key, endpoint, server});
      }
    }
    for (const auto& [endpoint, server] : actual.servers) {
      if (!desired.servers.contains(endpoint))
        queues_.server_deletions.push_back(DeleteServer{key, endpoint});
    }
  }

  Plan& queue_for(std::uint32_t desired_weight, std::uint32_t actual_weight) {
    if (desired_weight > actual_weight) return queues_.capacity_up;
    return desired_weight < actual_weight ? queues_.capacity_down : queues_.other_changes;
  }

  Queues& queues_;
};

}  // namespace

OwnedKeys foreign_keys(const Table& desired, const Table& actual, const OwnedKeys& owned) {
  OwnedKeys foreign;
  for (const auto& [key, service] : actual.services) {
    if (!desired.services.contains(key) && !owned.contains(key)) foreign.insert(foreign.end(), key);
  }
  return foreign;
}

Plan plan(const Table& desired, const Table& actual, const OwnedKeys& owned) {
  Queues queues;
  Planner planner(queues);
  for (const auto& [key, service] : desired.services) {
    const auto present = actual.services.find(key);
    if (present == actual.services.end())
      planner.create(key, service);
    else if (present->second != service)
      planner.change(key, service, present->second);
  }
  for (const auto& key : owned) {
    if (!desired.services.contains(key) && actual.services.contains(key))
      queues.service_deletions.push_back(DeleteService{key});
  }

  Plan steps = std::move(queues.new_pools);
  for (Plan* queue : {&queues.capacity_up, &queues.other_changes, &queues.capacity_down,
                      &queues.server_deletions, &queues.service_deletions})
    steps.insert(steps.end(), queue->begin(), queue->end());
  return steps;
}

const ServiceKey& key_of(const Step& step) {
  return std::visit([](const auto& one) -> const ServiceKey& { return one.key; }, step);
}

}  // namespace holdfast::ipvs
