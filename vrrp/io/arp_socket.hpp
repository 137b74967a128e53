// Sends gratuitous ARP frames on any interface. Never receives.
#pragma once

#include "core/result.hpp"
#include "runtime/unique_fd.hpp"
#include "vrrp/core/garp.hpp"

#include <cstdint>
#include <vector>

namespace holdfast::vrrp {

struct ArpFrame {
  std::uint32_t interface_index = 0;
  std::array<std::uint8_t, kGarpFrameBytes> bytes{};
};

class ArpSocket {
 public:
  [[nodiscard]] static core::Result<ArpSocket> open();
  /// In order, with as few calls as possible. 0, or the errno of the first frame that was refused.
  [[nodiscard]] int send(std::vector<ArpFrame>& frames);

 private:
  explicit ArpSocket(runtime::UniqueFd fd) : fd_(std::move(fd)) {}
  runtime::UniqueFd fd_;
};

}  // namespace holdfast::vrrp
