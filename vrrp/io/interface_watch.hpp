// The interfaces that instances use: what the kernel says of them, and the sockets there that hear
// for the instances. Tells the runner when something changed; decides nothing about elections.
#pragma once

#include "netlink_reflector/devices.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "vrrp/core/instance.hpp"
#include "vrrp/core/link_delays.hpp"
#include "vrrp/io/advert_ports.hpp"
#include "vrrp/io/first_frames.hpp"
#include "vrrp/io/host_status.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace holdfast::vrrp {

/// What the kernel says of a link, and which of these addresses the host has; nothing of sockets.
[[nodiscard]] InterfaceStatus interface_status(const netlink::Reflector& reflector,
                                               const netlink::Link& link,
                                               const std::set<IpAddress>& addresses);
class InterfaceWatch {
 public:
  /// A socket that could not be opened is tried again after this, then after twice as long, up to
  /// kLongestPause.
  static constexpr core::Duration kPause = std::chrono::seconds(1);
  static constexpr core::Duration kLongestPause = std::chrono::seconds(30);
  /// Routes come and go without a word to us: a source that follows them is looked at so often.
  static constexpr core::Duration kRoutesEvery = std::chrono::seconds(5);
  /// One line a minute about the sockets of an interface.
  static constexpr core::Duration kNoiseEvery = std::chrono::minutes(1);

  /// `on_changed`: read() may answer otherwise than before. It runs from the loop, or from
  /// look_now(). Reflector, devices and ports must outlive this.
  InterfaceWatch(boost::asio::io_context& io, runtime::Logger& logger,
                 netlink::Reflector& reflector, netlink::Devices& devices, AdvertPorts& ports,
                 std::function<void(const std::string& interface)> on_changed);
  InterfaceWatch(const InterfaceWatch&) = delete;
  InterfaceWatch& operator=(const InterfaceWatch&) = delete;

  /// Before watch(): how long links have to be down or up until that counts.
  void delay(std::map<std::string, LinkDelay> delays) { settling_.follow(std::move(delays)); }
  /// Before watch(), once: an interface that comes up in a boot and on which no host is heard is
  /// silent for so long. The director has run since `began`.
  void wait_for_frames(core::Duration longest, core::Instant began) {
    first_frames_.wait(longest, began);
  }
  /// What has been read until now was there at the start.
  void begun() { first_frames_.begun(); }
  /// From now on the interfaces of these instances, and those that they track. The sources of those
  /// that there are now stay known there: who leaves still needs its own.
  void watch(const std::vector<InstanceSettings>& settings,
             const std::vector<const Instance*>& present);
  [[nodiscard]] std::vector<std::string> names() const;
  /// Opens the interface's sockets on the way: an instance without a socket must not take part.
  [[nodiscard]] InterfaceStatus read(const std::string& interface);
  /// The sockets hear for these and for nobody else; those of other interfaces are closed.
  void hear_for(const std::vector<const InstanceSettings*>& instances);
  /// From the next hear_for() on, adverts of all virtual routers wake us, not only of ours.
  void hear_strangers(bool wanted) { hears_strangers_ = wanted; }
  /// What is known to have changed is told at once.
  void look_now();

 private:
  struct Life {};  // its weak_ptr tells a posted handler whether the watch is still there

  void on_link(const netlink::LinkEvent& event);
  void on_address(const netlink::AddressEvent& event);
  void mark_dirty(const std::string& interface);
  void note_deafness(std::map<PortKey, Deafness> found);
  void look_again_later(const std::string& interface);
  void ask_host(const std::vector<InstanceSettings>& settings,
                const std::vector<const Instance*>& present);
  void find_takers();

  /// What instances want of an interface.
  struct Watched {
    std::set<PortKey> ports;
    bool needs_ah = false;          ///< otherwise that port is there to name a partner who has it
    std::set<IpAddress> addresses;  ///< that they send from or to
    std::set<std::string> devices;  ///< virtual interfaces above it that they live on
    bool is_tracked_only = false;   ///< nobody listens there
  };

  [[nodiscard]] InterfaceStatus read_link(const netlink::Link& link, const Watched& watched);

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  netlink::Reflector& reflector_;
  netlink::Devices& devices_;
  AdvertPorts& ports_;
  std::function<void(const std::string&)> on_changed_;
  runtime::RateLimiter noise_{kNoiseEvery};
  std::map<std::string, Watched> watched_;
  HostQuestion host_;
  std::multimap<IpAddress, std::string> watchers_;  // who looks at an address
  std::set<std::string> dirty_;  // of those: to be looked at on the next turn of the loop
  bool hears_strangers_ = false;
  std::set<std::string> without_socket_;  // or with a deaf one
  std::map<PortKey, Deafness> deaf_;
  core::Duration pause_ = kPause;
  LinkDelays settling_;
  FirstFrames first_frames_;
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
  runtime::DeadlineTimer retry_;
  runtime::DeadlineTimer settle_;
  runtime::DeadlineTimer routes_;
  std::vector<netlink::Link> takers_;  // that take frames from links below them
};

}  // namespace holdfast::vrrp
