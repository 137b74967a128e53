// Whether an advert proves where it comes from: keepalived's AH and auth_hmac. Pure; called by
// check_advert for what is otherwise well-formed and for us.
#pragma once

#include "vrrp/core/receive.hpp"

#include <optional>
#include <string>
#include <variant>

namespace holdfast::vrrp {

/// A reason and its sentence without subject, with the cure.
struct Argument {
  Objection objection;
  std::string sentence;
  std::uint32_t ah_sequence = 0;  ///< ah_replay: its number.
};

/// The proof of a packet, or what is wrong with it. `payload`: what follows the AH, if there is
/// one.
[[nodiscard]] std::variant<Proof, Argument> prove(const Received& packet,
                                                  std::span<const std::uint8_t> payload,
                                                  const InstanceSettings& settings,
                                                  const ProofContext& context);

}  // namespace holdfast::vrrp
