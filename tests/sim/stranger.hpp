// Adverts of somebody who has no part in an election: none of them may count.
#pragma once

#include "tests/sim/plan.hpp"

#include <optional>

namespace holdfast::sim {

/// For a director with these settings; which fault it has is `fault`'s amount. nullopt: nothing can
/// be wrong with it in this way, or it has no address now.
[[nodiscard]] std::optional<Bytes> forged_advert(const vrrp::InstanceSettings& victim,
                                                 const std::optional<core::IpAddress>& address,
                                                 std::size_t wire, const Fault& fault);

}  // namespace holdfast::sim
