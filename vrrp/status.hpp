// What the VRRP process tells on its control socket. Instances are copied, a few a turn of the
// loop; the text is made of the copies in another thread.
#pragma once

#include "core/orders.hpp"
#include "netlink_reflector/devices.hpp"
#include "netlink_reflector/firewall.hpp"
#include "netlink_reflector/reflector.hpp"
#include "netlink_reflector/routing.hpp"
#include "runtime/control_socket.hpp"
#include "vrrp/core/router.hpp"
#include "vrrp/io/claim_watch.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <vector>

namespace holdfast::vrrp {

/// The reply to {"command":"status"}. Durations are in milliseconds (…_ms), moments ISO-8601 UTC
/// (…_at). What belongs to one instance is of one moment; the whole may be of several turns.
class StatusDocument final : public runtime::ControlDocument {
 public:
  /// So many instances and addresses are copied in one turn: some hundred microseconds.
  static constexpr std::size_t kMostCopies = 128;

  /// What is told of; all of it outlives the document.
  struct Subject {
    const Router& router;
    const netlink::Reflector& reflector;
    const netlink::Routing& routing;
    const netlink::Firewall& firewall;
    const netlink::Devices& devices;
    const ClaimWatch& claims;
    const core::Orders& orders;
    std::uint64_t generation = 0;  ///< Of the configuration.
  };

  explicit StatusDocument(const Subject& subject);
  runtime::ControlPiece next() override;

 private:
  [[nodiscard]] runtime::ControlPiece head() const;
  [[nodiscard]] runtime::ControlPiece some_instances();
  [[nodiscard]] std::optional<netlink::DeviceState> device_of(const Instance& instance) const;
  [[nodiscard]] std::optional<std::string> open_because(const Instance& instance) const;

  enum class Step : std::uint8_t { head, instances, over };
  Subject subject_;
  Step step_ = Step::head;
  std::vector<RouterKey> keys_;  // of what was there when it began
  std::size_t told_ = 0;
};

/// What becomes of packets to the `count` addresses of an instance that closes them.
[[nodiscard]] std::string closed_text(std::size_t count, bool holds,
                                      const netlink::FirewallState& state);
/// {"table", "closed_addresses", "in_place", "repairs", "problem"}.
[[nodiscard]] boost::json::object firewall_json(const netlink::FirewallState& state);

/// One instance, what became of its addresses, and who else claims them.
struct InstanceCopy {
  Instance instance;
  netlink::Publication publication;
  std::optional<Claim> claim;
  std::optional<core::ScriptRecord> scripts;        ///< what became of its notification scripts
  std::vector<netlink::RoutingState> routes = {};   ///< its routes and rules
  std::optional<netlink::DeviceState> device = {};  ///< the virtual interface that it lives on
  /// Why packets to its addresses are answered although they should be dropped; nullopt: it closes
  /// none.
  std::optional<std::string> open_because = {};
};
[[nodiscard]] boost::json::object instance_status(const InstanceCopy& copy, core::Instant now);

/// [{"address", "interface", "label", "held", "foreign", "let_go": true, "problem"}].
[[nodiscard]] boost::json::array addresses_of(const netlink::Publication& publication);
/// "100 + 20 (chk succeeds) = 120". Empty: what it tracks changes nothing.
[[nodiscard]] std::string sum_of(const Instance& instance);
/// What it tracks: [{"kind", "name", "good" (null: not known yet), "weight", "reverse", "adds",
/// "text"}].
[[nodiscard]] boost::json::array trackers_of(const Instance& instance);
/// {"name", "state", "since_at", "since_ms", "why", "members", "waits_for"}: names of instances;
/// `waits_for` of a backup whose other members may be master.
[[nodiscard]] boost::json::object group_json(const GroupView& group, core::Instant now);
/// All sync groups, by name.
[[nodiscard]] boost::json::array groups_of(const Router& router);
/// "192.0.2.3", or words for those that share an entry.
[[nodiscard]] std::string name_of_peer(const PeerRemark& remark);

/// What is wrong with an instance although it is no fault: the service goes on without it. Without
/// what peers send, which is Instance::remarks()'.
[[nodiscard]] boost::json::array troubles_of(const Instance& instance, core::Instant now);

}  // namespace holdfast::vrrp
