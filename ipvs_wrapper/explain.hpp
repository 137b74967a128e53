// What the kernel's errno means for the operator: one sentence with what was tried, on what, why
// not, what to do. IPVS gives bare numbers that mean different things for different commands; this
// is the one place that knows them.
#pragma once

#include "ipvs_wrapper/plan.hpp"

#include <string>

namespace holdfast::ipvs {

/// Why `step` failed with `system_errno` (positive, as in errno.h).
[[nodiscard]] std::string explain(const Step& step, int system_errno);

/// Why the table cannot be reached at all: ENOENT is a missing ip_vs module, EPERM a missing
/// CAP_NET_ADMIN. `what` is the thing tried: "read the IPVS table".
[[nodiscard]] std::string explain_access(std::string_view what, int system_errno);

/// True when the failed step's purpose is fulfilled nevertheless: something to be deleted was not
/// there.
[[nodiscard]] bool is_already_true(const Step& step, int system_errno);

}  // namespace holdfast::ipvs
