// Passwords and keys must not stand in a recording, but what was decided because of them must come
// out again: every 8 bytes of authentication data become another 8 bytes, the same ones wherever
// the same password stands, in settings and in packets; keys likewise, and what was signed with one
// is signed with the other. Used by recording.hpp.
#pragma once

#include "vrrp/core/codec.hpp"
#include "vrrp/core/event.hpp"
#include "vrrp/core/trailer.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace holdfast::vrrp::scenario {

class Pseudonyms {
 public:
  using Key = std::array<std::uint64_t, 2>;
  using Octets = std::array<std::uint8_t, kAuthenticationBytes>;

  /// `key` is random and forgotten with the recording: nobody can try passwords against it.
  explicit Pseudonyms(Key key) : key_(key) {}

  /// Zeros (no password) stay zeros, and nothing else becomes zeros.
  [[nodiscard]] Octets hide(const Octets& data) const;
  [[nodiscard]] InstanceSettings hide(InstanceSettings settings) const;
  /// All but the settings of a reload, which are lines of their own.
  [[nodiscard]] Event hide(Event event) const;
  /// A VRRPv2 packet with its authentication data replaced; a right checksum stays right, a wrong
  /// one wrong. Others come back as they are: only version 2 carries a password.
  [[nodiscard]] std::vector<std::uint8_t> hide(std::span<const std::uint8_t> payload) const;
  /// All of a packet for an instance with these settings (nullptr: for none). A right proof of its
  /// origin stays right, a wrong one wrong, and one that nobody asked for is blanked out: it could
  /// be tried against.
  [[nodiscard]] std::vector<std::uint8_t> hide(const Received& packet,
                                               const InstanceSettings* receiver) const;

 private:
  [[nodiscard]] std::vector<std::uint8_t> hide_key(std::span<const std::uint8_t> key) const;
  [[nodiscard]] std::vector<std::uint8_t> hide_signed(const Received& packet,
                                                      const SignedAdvert& split,
                                                      const InstanceSettings* receiver) const;
  [[nodiscard]] std::vector<std::uint8_t> hide_ah(const Received& packet,
                                                  const InstanceSettings* receiver) const;

  Key key_;
};

}  // namespace holdfast::vrrp::scenario
