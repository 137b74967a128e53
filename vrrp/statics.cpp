#include "vrrp/statics.hpp"

#include "runtime/log.hpp"
#include "vrrp/io/executor.hpp"
#include "vrrp/messages.hpp"
#include "vrrp/route_status.hpp"
#include "vrrp/status.hpp"
#include "vrrp/tracking_wiring.hpp"

namespace holdfast::vrrp {

namespace json = boost::json;

Statics::Statics(runtime::Logger& logger, netlink::Reflector& reflector, netlink::Routing& routing,
                 std::function<void(Event)> on_event)
    : logger_(logger), reflector_(reflector), routing_(routing), on_event_(std::move(on_event)) {
  const auto listen = [this](const RouterKey& owner, const netlink::Publication& publication) {
    if (owner != netlink::kDirector) return;
    tell(publication);
    placed_ = publication.addresses;
    report();
  };
  reflector_.on_published(listen);
  reflector_.on_lost(listen);
  routing_.on_looked([this] { report(); });
}

void Statics::follow(const AddressList& addresses, const RoutingList& routing) {
  routing_.claim(netlink::kDirector, routing);
  routing_.hold(netlink::kDirector);
  if (addresses.empty() && !has_addresses_) return;
  has_addresses_ = true;
  reflector_.claim(netlink::kDirector, desired_addresses({}, addresses));
  reflector_.hold(netlink::kDirector, desired_addresses({}, addresses));
}

void Statics::track(std::set<std::string> names) {
  tracked_ = std::move(names);
  said_.clear();
  report();
}

void Statics::report() {
  if (tracked_.empty()) return;
  for (const netlink::HeldAddress& each : placed_)
    report(static_address_text(each.desired.prefix, each.desired.interface), each.held,
           each.let_go || !each.problem.empty());
  for (const netlink::RoutingState& each : routing_.states(netlink::kDirector))
    report(each.text, each.held, each.let_go || !each.problem.empty());
}

// What is neither there nor given up yet says nothing: somebody took it away a moment ago and it is
// being put back, or the kernel has not been asked yet.
void Statics::report(const std::string& name, bool is_held, bool is_missing) {
  if ((!is_held && !is_missing) || !tracked_.contains(name)) return;
  const Verdict verdict = is_held ? Verdict::good : Verdict::bad;
  const auto [known, is_new] = said_.try_emplace(name, verdict);
  if (!is_new && known->second == verdict) return;
  known->second = verdict;
  on_event_(TrackerReported{{TrackerKind::static_item, name}, verdict});
}

void Statics::release() {
  tracked_.clear();
  routing_.forget(netlink::kDirector);
  routing_.flush();
  reflector_.forget(netlink::kDirector);
  reflector_.flush();
}

// What the kernel refused the reflector has told already.
void Statics::tell(const netlink::Publication& publication) {
  std::set<std::string> missing;
  for (const netlink::HeldAddress& each : publication.addresses) {
    if (each.held || each.problem.empty() || reflector_.link(each.desired.interface) != nullptr)
      continue;
    const std::string what = netlink::describe(each.desired);
    missing.insert(what);
    if (!told_.contains(what))
      logger_.log(kStaticMissing, "the static address {} is not there: {}", what, each.problem);
  }
  told_ = std::move(missing);
}

json::object statics_json(const netlink::Reflector& reflector, const netlink::Routing& routing) {
  const netlink::Publication placed = reflector.publication(netlink::kDirector);
  const std::vector<netlink::RoutingState> routes = routing.states(netlink::kDirector);
  if (placed.addresses.empty() && routes.empty()) return {};
  json::array troubles;
  for (const netlink::HeldAddress& each : placed.addresses)
    if (!each.problem.empty())
      troubles.emplace_back(
          fmt::format("address {}: {}", netlink::describe(each.desired), each.problem));
  for (const netlink::RoutingState& each : routes)
    if (!each.problem.empty())
      troubles.emplace_back(fmt::format("{}: {}", each.text, each.problem));
  return {{"addresses", addresses_of(placed)},
          {"routes", routes_of(routes)},
          {"troubles", std::move(troubles)}};
}

}  // namespace holdfast::vrrp
