// What an instance remembers of proofs of origin, in a record of the handover page and back.
#pragma once

#include "runtime/handover_page.hpp"
#include "vrrp/core/proof.hpp"

#include <optional>

namespace holdfast::vrrp {

void put_proofs(const ProofMemory& proofs, runtime::VrrpRecord& record);
/// nullopt: the record holds none.
[[nodiscard]] std::optional<ProofMemory> proofs_of(const runtime::VrrpRecord& record);

}  // namespace holdfast::vrrp
