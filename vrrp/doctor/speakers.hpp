// Everybody who was heard, a few facts each: bounded, whatever is on the wire. A value.
#pragma once

#include "vrrp/doctor/sighting.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::vrrp::doctor {

/// One way in which one address speaks.
struct Speaker {
  Sighting latest;
  std::uint64_t packets = 0;
  Instant first_at;
  Instant last_at;
  bool counts_packets = true;  ///< IPv4: the identification went up by one each time, from low on.

  /// Between its packets, as measured; zero before the second.
  [[nodiscard]] Duration gap() const;
};

class Speakers {
 public:
  /// So many in all; packets of others are counted only.
  static constexpr std::size_t kMost = 256;

  void note(Sighting sighting, Instant now);

  /// By interface, family, number and source.
  [[nodiscard]] std::vector<Speaker> all() const;
  /// Packets of speakers for whom there was no room.
  [[nodiscard]] std::uint64_t unlisted() const { return unlisted_; }

 private:
  std::vector<Speaker> speakers_;
  std::uint64_t unlisted_ = 0;
};

/// "FRR", "keepalived or Holdfast" …, with the evidence; empty: nothing tells.
[[nodiscard]] std::string guess_of(const Speaker& speaker);
/// keepalived's habit of falling silent beside foreign packets is possible.
[[nodiscard]] bool may_be_keepalived(const Speaker& speaker);
/// Both go on advertising beside each other: each has spoken, and again, after the other.
[[nodiscard]] bool are_rivals(const Speaker& one, const Speaker& other);

}  // namespace holdfast::vrrp::doctor
