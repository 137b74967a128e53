// What `keepalived --version` says: programs and playbooks take words out of it.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::legacy {

/// `version`: of Holdfast. For standard error, where keepalived writes it.
[[nodiscard]] std::string banner(std::string_view version);

/// Whether a program that was started by this name stands in keepalived's place.
[[nodiscard]] bool is_keepalived(std::string_view program);

}  // namespace holdfast::legacy
