// Sends gratuitous ARP and neighbour advertisements on any interface. Never receives.
#pragma once

#include "core/result.hpp"
#include "runtime/unique_fd.hpp"
#include "vrrp/core/garp.hpp"
#include "vrrp/core/na.hpp"
#include "vrrp/io/send_batches.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace holdfast::vrrp {

/// A whole Ethernet frame; the receiver's address and the EtherType are its first bytes.
struct AnnounceFrame {
  std::uint32_t interface_index = 0;
  std::uint8_t size = 0;
  std::array<std::uint8_t, kNaFrameBytes> bytes{};

  [[nodiscard]] static AnnounceFrame arp(std::uint32_t index, const core::MacAddress& sender,
                                         const core::IpAddress& address);
  [[nodiscard]] static AnnounceFrame na(std::uint32_t index, const core::MacAddress& sender,
                                        const core::IpAddress& address, ForwardsPackets forwards);
};

class AnnounceSocket {
 public:
  [[nodiscard]] static core::Result<AnnounceSocket> open();
  /// In order, with as few calls as possible; `frame` gives them out, `refused` hears of each that
  /// the kernel did not take, and decides. Returns how many are done with.
  [[nodiscard]] std::size_t send(
      std::size_t count, const std::function<AnnounceFrame&(std::size_t index)>& frame,
      const std::function<Refusal(std::size_t index, int error)>& refused);

 private:
  explicit AnnounceSocket(runtime::UniqueFd fd) : fd_(std::move(fd)) {}
  runtime::UniqueFd fd_;
};

}  // namespace holdfast::vrrp
