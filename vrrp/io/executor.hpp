// Does what the core asked for, with sockets, the reflector, the handover page, the log and
// scripts. Called through vrrp/core/turn.hpp with the actions of one wake-up.
#pragma once

#include "netlink_reflector/firewall.hpp"
#include "netlink_reflector/reflector.hpp"
#include "netlink_reflector/routing.hpp"
#include "runtime/handover_page.hpp"
#include "runtime/line_budget.hpp"
#include "runtime/log.hpp"
#include "vrrp/core/turn.hpp"
#include "vrrp/io/advert_ports.hpp"
#include "vrrp/io/announcer.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::vrrp {

using HandoverPage = runtime::HandoverPage<runtime::VrrpRecord>;

/// How the handover page knows a virtual router.
[[nodiscard]] std::uint64_t page_key(const RouterKey& key);
/// As the reflector wants it; addresses without `dev` are on the instance's interface.
[[nodiscard]] std::vector<netlink::DesiredAddress> desired_addresses(const std::string& interface,
                                                                     const AddressList& addresses);

class Executor : public Doer {
 public:
  /// What the daemon does with a notification: run scripts.
  /// `change`: the one that it tells of; nullptr: the state is as it was.
  using OnNotify = std::function<void(const Notify& notify, const StateChanged* change)>;
  /// A sync group has another state: scripts, and whoever else is told once a change.
  using OnGroup = std::function<void(const GroupChanged& change)>;
  /// The last word about an instance.
  using OnRemoved = std::function<void(const RouterKey& key)>;

  /// `routing`, `firewall`: what was claimed there for an instance comes and goes with its
  /// addresses.
  Executor(AdvertPorts& ports, AnnounceSocket announcements, netlink::Reflector& reflector,
           netlink::Routing& routing, netlink::Firewall& firewall, runtime::Logger& logger,
           std::optional<HandoverPage> page, OnNotify on_notify, OnGroup on_group,
           OnRemoved on_removed);

  void send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers) override;
  Moved move(std::span<const AddressMove> moves) override;
  Moved keep_moving() override;
  /// Only queues them: announcer() is to send them.
  void announce(std::span<const Announce* const> announcements,
                std::vector<Event>& answers) override;
  void tell(const Action& action) override;
  /// Of those that these actions make a backup, or without addresses.
  void forget_announcements(const Actions& actions);

  /// -V: from now on addresses stay in the kernel whatever the core says.
  void keep_addresses() { keep_addresses_ = true; }
  /// The core has said that all is done.
  [[nodiscard]] bool stopped() const { return stopped_; }
  [[nodiscard]] const Announcer& announcer() const { return announcer_; }
  [[nodiscard]] Announcer& announcer() { return announcer_; }
  [[nodiscard]] const std::optional<HandoverPage>& page() const { return page_; }
  [[nodiscard]] std::optional<HandoverPage>& page() { return page_; }

 private:
  void tell_about(const SendAdvert&) {}
  void tell_about(const PublishAddresses&) {}
  void tell_about(const WithdrawAddresses&) {}
  void tell_about(const Announce&) {}
  void tell_about(const Notify& action);
  void tell_about(const Remember& action);
  void tell_about(const StateChanged& action);
  void tell_about(const GroupChanged& action);
  void tell_about(const PriorityChanged& action);
  void tell_about(const PeerProblem& action);
  void tell_about(const Removed& action);
  void tell_about(const Stopped&) { stopped_ = true; }
  void release(const RouterKey& key);
  void forget(const RouterKey& key);
  void complain(const std::string& interface, std::string_view what, const std::string& why);

  AdvertPorts& ports_;
  netlink::Reflector& reflector_;
  netlink::Routing& routing_;
  netlink::Firewall& firewall_;
  runtime::Logger& logger_;
  std::optional<HandoverPage> page_;
  OnNotify on_notify_;
  OnGroup on_group_;
  OnRemoved on_removed_;
  runtime::RateLimiter send_errors_;
  runtime::LineBudget peer_lines_;
  Announcer announcer_;
  std::optional<StateChanged> last_change_;  // until what comes of it is told
  bool keep_addresses_ = false;
  bool stopped_ = false;
};

}  // namespace holdfast::vrrp
