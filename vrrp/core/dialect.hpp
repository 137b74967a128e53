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
  Instant heard_at{};
  bool operator==(const PeerDialect&) const = default;
};
/// Of those heard, the latest last.
using Dialects = std::vector<PeerDialect>;
/// So many are remembered: who forges adverts can have as many addresses as they like.
inline constexpr std::size_t kMostDialects = 8;

/// `peer` has sent an advert that was accepted.
void note_dialect(Dialects& dialects, const IpAddress& peer, ChecksumForm form, Instant now);
/// Nobody who has been silent since then needs a letter of his own any more.
void forget_silent(Dialects& dialects, Instant since);

/// How one advert is written: once, or once more for those of a group who refuse the first.
struct FormsInUse {
  ChecksumForm latest = ChecksumForm::with_pseudo_header;
  std::optional<ChecksumForm> other = {};
  bool operator==(const FormsInUse&) const = default;
};
/// Towards `destination`: a peer has its own form, a group those of all partners that are
/// remembered, the one heard last first. Nobody accepts both by rule, and who is left out takes
/// over.
[[nodiscard]] FormsInUse forms_towards(const Dialects& dialects, const IpAddress& destination);

}  // namespace holdfast::vrrp
