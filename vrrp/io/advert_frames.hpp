// Adverts that leave with the MAC address of a virtual router, as whole Ethernet frames: made here,
// sent on the instance's own virtual interface. Used by the ports; never receives.
#pragma once

#include "core/mac_address.hpp"
#include "core/result.hpp"
#include "runtime/unique_fd.hpp"
#include "vrrp/core/action.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace holdfast::vrrp {

/// Where such adverts leave.
struct Exit {
  std::uint32_t index = 0;
  core::MacAddress mac;
};

/// Of a group of IPv4 or IPv6: RFC 1112 §6.4, RFC 2464 §7.
[[nodiscard]] core::MacAddress group_mac(const IpAddress& group);
/// Appends the frame of one letter to a group, all headers included.
void append_advert_frame(const core::MacAddress& sender, const Departure& departure,
                         const Letter& letter, std::uint16_t identification,
                         std::vector<std::uint8_t>& out);

class AdvertFrames {
 public:
  /// `tag` is the caller's word for the advert.
  void add(const Exit& exit, const SendAdvert& advert, const Letter& letter, std::size_t tag);
  [[nodiscard]] bool empty() const { return frames_.empty(); }
  /// Sends all with as few calls as possible and forgets them; `refused` hears of each frame that
  /// the kernel did not take.
  void send(const std::function<void(std::size_t tag, int error)>& refused);

 private:
  struct Frame {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t tag = 0;
    std::uint32_t index = 0;
  };

  [[nodiscard]] int open();
  void send_all(const std::function<void(std::size_t tag, int error)>& refused);

  runtime::UniqueFd fd_;  // from the first advert on
  std::vector<Frame> frames_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace holdfast::vrrp
