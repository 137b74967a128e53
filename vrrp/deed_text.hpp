// One deed of a rehearsal as JSON: what kind it is, the decision as a recording writes it, and a
// sentence for people.
#pragma once

#include "vrrp/core/rehearsal.hpp"
#include "vrrp/wiring.hpp"

#include <boost/json/object.hpp>

namespace holdfast::vrrp {

/// {"after_ms":3609.375,"subject":"VI_1","peer":null,"kind":"state","decision":"BACKUP -> MASTER:
/// …", "text":"becomes MASTER: …"}; "placed" and "taken_off" of addresses, "commands" of a
/// notification. An empty text: nothing of it can be seen from outside.
[[nodiscard]] boost::json::object deed_json(const Deed& deed, Instant began,
                                            const KnownScripts& scripts);

}  // namespace holdfast::vrrp
