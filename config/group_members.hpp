// What a virtual_server stands for in the kernel's table: itself, or all that its group names.
// Asked by validation, which warns, and by the wiring of the checkers; the model keeps what was
// written.
#pragma once

#include "config/model.hpp"

#include <compare>
#include <cstddef>
#include <vector>

namespace holdfast::config {

/// A range may name as many addresses as it likes, but each becomes a service of the kernel.
inline constexpr std::size_t kMostGroupMembers = 65'536;

/// One service of the kernel.
struct Member {
  std::uint32_t fwmark = 0;   ///< not 0: by mark, of the family of `address`
  core::IpAddress address{};  ///< of a mark: any, of its family
  std::uint16_t port = 0;
  Protocol protocol = Protocol::tcp;  ///< of a mark: TCP, which means nothing

  auto operator<=>(const Member&) const = default;
};

/// How many addresses an entry names; kMostGroupMembers + 1 for all that are too many.
[[nodiscard]] std::size_t size_of(const GroupEntry& entry);

/// A member that an earlier service, or an earlier entry of the same group, has already.
struct Clash {
  std::size_t service = 0;
  std::size_t first = 0;  ///< the service that has it
  Member member;
};

struct Members {
  /// Parallel to Model::services. Empty: it has nothing of its own, and is not set up.
  std::vector<std::vector<Member>> of;
  std::vector<Clash> clashes;
};

/// Nothing is in two services: who comes first in the file has it.
[[nodiscard]] Members members_of(const Model& model);

}  // namespace holdfast::config
