// What is said about a peer's adverts in more than one place: sentences that follow its address and
// end with the cure. Pure.
#pragma once

#include "vrrp/core/receive.hpp"

#include <span>
#include <string>

namespace holdfast::vrrp {

/// Of the two lists what only one has; both may be long.
[[nodiscard]] std::string other_addresses(std::span<const IpAddress> theirs,
                                          const AddressList& ours);
/// Adverts from our own address that we have not sent.
[[nodiscard]] std::string duplicate_address();
/// IPv6: RFC 9568 §5.2.9 and erratum 8300 want a link-local address first, and some peers insist.
[[nodiscard]] std::string first_is_not_link_local(const IpAddress& first);

/// keepalived (2.2.7 to 2.3.4 were measured) begins its advertisement interval anew at packets that
/// it drops for such a reason: who hears them more often than that is silent.
[[nodiscard]] bool silences_keepalived(RejectReason reason);
/// To be appended to the sentence about them while another master is heard.
[[nodiscard]] std::string may_fall_silent(const IpAddress& master);

}  // namespace holdfast::vrrp
