// A letter about a change of state, and its form on the wire: RFC 5322, with names that are not
// ASCII as RFC 2047 has them. Pure; the submission stuffs the dots.
#pragma once

#include "mail/core/settings.hpp"
#include <cstdint>
#include <string>

namespace holdfast::mail {

struct Letter {
  std::string title{};          ///< "VRRP Instance VI_1 - Entering MASTER state"
  std::string body{};           ///< lines, each ended by a line feed
  std::int64_t written_at = 0;  ///< seconds since 1970, UTC
  std::string id{};             ///< of this letter among all, for its Message-ID
  std::uint32_t overtaken = 0;  ///< older ones about the same subject that never left
  bool operator==(const Letter&) const = default;
};

/// Header and body, every line ended by CRLF and no longer than RFC 5322 §2.1.1 allows.
[[nodiscard]] std::string compose(const Letter& letter, const Settings& settings);
/// "Sun, 29 Nov 2026 01:08:16 +0000".
[[nodiscard]] std::string mail_date(std::int64_t seconds);

}  // namespace holdfast::mail
