// Which checksum each peer uses: version 3 over IPv4 has several, and implementations that verify
// one refuse the others. A peer is answered in its own. Kept by an instance; pure.
#pragma once

#include "vrrp/core/settings.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace holdfast::vrrp {

/// "with_pseudo_header" …: for status and recordings.
[[nodiscard]] std::string_view to_string(ChecksumForm form);
/// For the handover page, which knows no forms: 0 is none, and what no form has is none, too.
[[nodiscard]] std::uint8_t number_of(std::optional<ChecksumForm> form);
[[nodiscard]] std::optional<ChecksumForm> form_of_number(std::uint8_t number);

/// What a peer used last, and how often in a row.
struct PeerDialect {
  IpAddress peer;
  ChecksumForm form = ChecksumForm::with_pseudo_header;
  std::uint64_t adverts = 0;
  bool operator==(const PeerDialect&) const = default;
};
/// Of those heard, the latest last.
using Dialects = std::vector<PeerDialect>;
/// So many are remembered: who forges adverts can have as many addresses as they like.
inline constexpr std::size_t kMostDialects = 8;

/// `peer` has sent an advert that was accepted.
void note_dialect(Dialects& dialects, const IpAddress& peer, ChecksumForm form);

/// How to write to `destination`: to a peer in its own form, to a group in the one heard last.
[[nodiscard]] ChecksumForm form_towards(const Dialects& dialects, const IpAddress& destination);

}  // namespace holdfast::vrrp
