// Does what the core asked for, in the contract's order: adverts, then addresses, then
// announcements, then notifications. Called by the engine after every step with all actions of that
// step.
#pragma once

#include "core/router_key.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/handover_page.hpp"
#include "runtime/log.hpp"
#include "vrrp/core/driver.hpp"
#include "vrrp/io/advert_ports.hpp"
#include "vrrp/io/arp_socket.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::vrrp {

using HandoverPage = runtime::HandoverPage<runtime::VrrpRecord>;

/// How the reflector knows an instance. Stable when the instance is renamed.
[[nodiscard]] core::RouterKey router_key(const InstanceKey& key);
/// How the handover page knows it.
[[nodiscard]] std::uint64_t page_key(const core::RouterKey& key);
/// As the reflector wants it; addresses without `dev` are on the instance's interface.
[[nodiscard]] std::vector<netlink::DesiredAddress> desired_addresses(
    const std::string& interface, const std::vector<VirtualAddress>& addresses);

class Executor {
 public:
  /// What the daemon does with a notification: run scripts.
  using OnNotify =
      std::function<void(const InstanceKey& key, const std::string& name, const Notify& notify)>;

  Executor(Driver& driver, AdvertPorts& ports, ArpSocket arp, netlink::Reflector& reflector,
           runtime::Logger& logger, std::optional<HandoverPage> page, OnNotify on_notify);

  void perform(const Actions& actions);
  /// -V: from now on addresses stay in the kernel whatever the core says.
  void keep_addresses() { keep_addresses_ = true; }
  /// The core has said that all is done.
  [[nodiscard]] bool stopped() const { return stopped_; }
  [[nodiscard]] const std::optional<HandoverPage>& page() const { return page_; }
  [[nodiscard]] std::optional<HandoverPage>& page() { return page_; }

 private:
  /// What an id meant, for actions that are performed after the router has forgotten it.
  struct Known {
    std::string name;
    InstanceKey key;
    core::RouterKey owner;
    std::uint64_t page_key = 0;
  };

  void learn(InstanceId id);
  [[nodiscard]] const Known& known(InstanceId id) const;
  void send_adverts(const Actions& actions);
  void move_addresses(const Actions& actions);
  void announce(const Actions& actions);
  void queue_announcements(const Announce& action, std::vector<ArpFrame>& frames) const;
  void remember(InstanceId id);

  void tell(const SendAdvert&) {}
  void tell(const PublishAddresses&) {}
  void tell(const WithdrawAddresses&) {}
  void tell(const Announce&) {}
  void tell(const Notify& action);
  void tell(const StateChanged& action);
  void tell(const PeerProblem& action);
  void tell(const Removed& action);
  void tell(const Stopped& action);
  void complain(const std::string& interface, std::string_view what, int error);

  Driver& driver_;
  AdvertPorts& ports_;
  ArpSocket arp_;
  netlink::Reflector& reflector_;
  runtime::Logger& logger_;
  std::optional<HandoverPage> page_;
  OnNotify on_notify_;
  std::unordered_map<std::uint32_t, Known> known_;
  runtime::RateLimiter send_errors_;
  std::vector<ArpFrame> frames_;
  bool keep_addresses_ = false;
  bool stopped_ = false;
};

}  // namespace holdfast::vrrp
