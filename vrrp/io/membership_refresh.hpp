// Reports the memberships of the advert sockets again and again, for switches that snoop but have
// no querier: they forget who has joined, and their hosts stop hearing each other. The kernel
// reports when it joins and when it is asked; leaving and joining again would lose adverts between,
// so these reports are made here. Off unless it is asked for. keepalived has nothing like it.
#pragma once

#include "netlink_reflector/reflector.hpp"
#include "runtime/loop.hpp"
#include "runtime/unique_fd.hpp"
#include "vrrp/io/advert_ports.hpp"

#include <cstdint>
#include <vector>

namespace holdfast::vrrp {

class MembershipRefresh {
 public:
  /// Reports of one turn of the loop.
  static constexpr std::size_t kReportsAtOnce = 256;
  static constexpr core::Duration kPause = std::chrono::milliseconds(5);

  MembershipRefresh(boost::asio::io_context& io, const netlink::Reflector& reflector,
                    const AdvertPorts& ports);

  /// Zero: never.
  void set_interval(core::Duration every);

 private:
  struct Report {
    std::uint32_t interface_index = 0;
    std::vector<std::uint8_t> frame;
  };
  void on_time();
  void gather();
  void send_some();

  const netlink::Reflector& reflector_;
  const AdvertPorts& ports_;
  core::Duration every_{};
  std::vector<Report> waiting_;
  runtime::UniqueFd fd_;
  runtime::DeadlineTimer timer_;
};

}  // namespace holdfast::vrrp
