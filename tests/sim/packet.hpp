// Packets as a segment carries them: IP header and advert. IPv4 has the product's own header; that
// of IPv6, which the kernel writes for the product, is written here.
#pragma once

#include "vrrp/core/action.hpp"
#include "vrrp/core/codec.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace holdfast::sim {

using Bytes = std::vector<std::uint8_t>;

[[nodiscard]] Bytes encode_packet(const vrrp::Departure& departure, const vrrp::Letter& letter,
                                  std::uint16_t identification);
/// Of either family; the payload is a view into `packet`.
[[nodiscard]] vrrp::Decoded<vrrp::Received> decode_packet(std::span<const std::uint8_t> packet);

/// The same version 3 advert over IPv4 with another checksum; other packets as they are.
[[nodiscard]] Bytes rewritten(const Bytes& packet, vrrp::ChecksumForm form);
/// nullopt: not version 3 over IPv4, or broken.
[[nodiscard]] std::optional<vrrp::ChecksumForm> form_of(std::span<const std::uint8_t> packet);

}  // namespace holdfast::sim
