// Who wants addresses, found by key and by the interfaces that they name. Used by the keeper only.
// A value: a copy is another case.
#pragma once

#include "core/rare.hpp"
#include "core/router_key.hpp"
#include "core/shared_list.hpp"
#include "netlink_reflector/core/publication.hpp"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::netlink {

using DesiredAddresses = core::SharedList<DesiredAddress>;

/// What an owner heard last. Almost always everything was as it should be, and the list of what
/// should be is the owner's own: only anything else is kept.
enum class Told : std::uint8_t { nothing, all_is_well, other };

struct Owner {
  DesiredAddresses claimed;
  DesiredAddresses desired;
  /// What release() has to take off, for the report about it.
  DesiredAddresses leaving;
  core::Rare<Publication> told_other;
  Told told = Told::nothing;
  bool wanted = false;
  bool report_due = false;
};

class Owners {
 public:
  using Entry = std::pair<const core::RouterKey, Owner>;

  Owners() = default;
  Owners(const Owners& other);
  Owners(Owners&&) = default;
  Owners& operator=(const Owners& other);
  Owners& operator=(Owners&&) = default;
  ~Owners() = default;

  /// Valid until it is removed; made when there is none.
  Owner& operator[](const core::RouterKey& key) { return all_[key]; }
  /// nullptr: there is none.
  [[nodiscard]] Owner* find(const core::RouterKey& key);
  [[nodiscard]] const Owner* find(const core::RouterKey& key) const;
  void remove(const core::RouterKey& key);
  [[nodiscard]] const std::map<core::RouterKey, Owner>& all() const { return all_; }

  /// This owner has addresses on these interfaces, from now on.
  void enroll(const core::RouterKey& key, const DesiredAddresses& addresses);
  /// Whoever has an address on the interface of this name, in the order in which they came.
  [[nodiscard]] const std::vector<Entry*>& on(std::string_view interface) const;
  [[nodiscard]] bool any_on(std::string_view interface) const { return !on(interface).empty(); }

 private:
  std::map<core::RouterKey, Owner> all_;
  std::map<std::string, std::vector<Entry*>, std::less<>> by_interface_;  // entries of all_
};

}  // namespace holdfast::netlink
