// What the process that runs scripts and the one that carries its mail tell each other.
#pragma once

#include "core/time.hpp"

#include "mail/core/settings.hpp"
#include "mail/core/submission.hpp"
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::mail {

/// Carry these to this relay.
struct Order {
  std::string relay{};  ///< host name or address
  std::uint16_t port = 25;
  core::Duration patience{};  ///< for a connection, and for each answer
  std::string helo{};
  Keys keys{};
  std::vector<Parcel> parcels{};
  bool operator==(const Order&) const = default;
};
/// What became of the parcel with this number. Parcels without a report are undecided.
struct Report {
  std::uint32_t parcel = 0;
  Delivery delivery{};
  bool operator==(const Report&) const = default;
};

[[nodiscard]] std::vector<std::uint8_t> encode(const Order& order);
[[nodiscard]] std::vector<std::uint8_t> encode(const Report& report);
/// nullopt: not exactly one well-formed message.
[[nodiscard]] std::optional<Order> decode_order(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::optional<Report> decode_report(std::span<const std::uint8_t> bytes);

}  // namespace holdfast::mail
