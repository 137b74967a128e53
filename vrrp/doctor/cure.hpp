// What to write in which file so that an oddity ends: keepalived's words (Holdfast's, too) and
// FRR's. Pure.
#pragma once

#include "vrrp/core/receive.hpp"
#include "vrrp/doctor/sighting.hpp"

#include <string>

namespace holdfast::vrrp::doctor {

/// For the speaker, so that it fits `ours`. Empty: that program has no word for it.
struct Cure {
  std::string keepalived;
  std::string frr;
  bool operator==(const Cure&) const = default;
};

/// A reason of check_advert. `free_number`: of no virtual router on this interface.
[[nodiscard]] Cure cure_of(RejectReason reason, const Sighting& theirs,
                           const InstanceSettings& ours, std::uint8_t free_number);
/// The checksum form of version 3 over IPv4.
[[nodiscard]] Cure cure_of_form(ChecksumForm wanted, std::uint16_t number);

}  // namespace holdfast::vrrp::doctor
