// The children that the watchdog supervises, and small sets of them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace holdfast::watchdog {

enum class Role : std::uint8_t { vrrp, checkers };

/// In the order in which they are stopped: the addresses leave before the table that serves them.
inline constexpr std::array<Role, 2> kRoles{Role::vrrp, Role::checkers};

constexpr std::string_view to_string(Role role) {
  return role == Role::vrrp ? "vrrp" : "checkers";
}

/// Number of a configuration since the start of the watchdog; 0 means none yet.
using Generation = std::uint64_t;

/// A set of roles as bits; the loader's answer carries it as one byte.
class RoleSet {
 public:
  constexpr RoleSet() = default;
  explicit constexpr RoleSet(std::uint8_t bits) : bits_(bits & kAllBits) {}

  [[nodiscard]] static constexpr RoleSet of(Role role) { return RoleSet(bit(role)); }
  [[nodiscard]] static constexpr RoleSet all() { return RoleSet(kAllBits); }

  constexpr RoleSet& insert(Role role) {
    bits_ = static_cast<std::uint8_t>(bits_ | bit(role));
    return *this;
  }
  constexpr RoleSet& erase(Role role) {
    bits_ = static_cast<std::uint8_t>(bits_ & ~bit(role));
    return *this;
  }
  [[nodiscard]] constexpr bool contains(Role role) const { return (bits_ & bit(role)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] constexpr std::uint8_t bits() const { return bits_; }
  /// The roles that are in both sets.
  [[nodiscard]] constexpr RoleSet only(RoleSet other) const {
    return RoleSet(static_cast<std::uint8_t>(bits_ & other.bits_));
  }
  bool operator==(const RoleSet&) const = default;

 private:
  static constexpr std::uint8_t kAllBits = 0b11;
  static constexpr std::uint8_t bit(Role role) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(role));
  }
  std::uint8_t bits_ = 0;
};

}  // namespace holdfast::watchdog
