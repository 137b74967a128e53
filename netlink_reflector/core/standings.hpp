// How we stand to the addresses of one interface: which are ours, held, somebody else's. Used by
// the keeper only; thousands of addresses stand here, so one entry says all about one of them.
#pragma once

#include "netlink_reflector/core/table.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace holdfast::netlink {

enum class Trait : std::uint8_t {
  ours,       ///< Put on by us, or by a predecessor: to be removed when nobody wants it.
  left,       ///< A predecessor's, before it is known who wants it.
  held,       ///< Read back as present and wanted.
  repairing,  ///< Was held, was taken away by somebody, is being put back.
  foreign,    ///< There without us, and said so.
  let_go,     ///< Taken away by somebody and not to be put back until the next wish.
  lasting,    ///< The director's own: on record as such.
};

class Standings {
 public:
  [[nodiscard]] bool has(const AddressKey& key, Trait trait) const;
  /// Ours, now or by inheritance.
  [[nodiscard]] bool is_owned(const AddressKey& key) const {
    return has(key, Trait::ours) || has(key, Trait::left);
  }
  /// True when it is new.
  bool add(const AddressKey& key, Trait trait);
  /// True when it was there.
  bool remove(const AddressKey& key, Trait trait);
  void remove_if(Trait trait, const std::function<bool(const AddressKey&)>& condition);

  [[nodiscard]] std::size_t count(Trait trait) const { return counts_[index_of(trait)]; }
  [[nodiscard]] std::vector<AddressKey> all(Trait trait) const;
  /// The keys of one address, which differ in length and network.
  [[nodiscard]] std::vector<AddressKey> all_at(InterfaceIndex interface,
                                               const core::IpAddress& address, Trait trait) const;

 private:
  static constexpr std::size_t kTraits = static_cast<std::size_t>(Trait::lasting) + 1;
  static constexpr std::size_t index_of(Trait trait) { return static_cast<std::size_t>(trait); }
  static constexpr std::uint8_t bit_of(Trait trait) {
    return static_cast<std::uint8_t>(1u << index_of(trait));
  }

  std::map<AddressKey, std::uint8_t> known_;  // bits of traits, never 0
  std::array<std::size_t, kTraits> counts_{};
};

}  // namespace holdfast::netlink
