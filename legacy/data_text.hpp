// keepalived.data, keepalived_check.data and keepalived_parent.data: what is configured and how it
// stands, as text. The keys are spelled as parsers expect them: one blank before a title, three
// before its keys, five before items of a list.
#pragma once

#include "legacy/status_view.hpp"
#include <span>
#include <string>

namespace holdfast::legacy {

/// What all three files begin with.
[[nodiscard]] std::string globals_text(const config::Model& model);
/// keepalived.data.
[[nodiscard]] std::string vrrp_text(const config::Model& model,
                                    std::span<const InstanceFacts> instances,
                                    const boost::json::object& status);
/// keepalived_check.data; `status` is the document of the checkers.
[[nodiscard]] std::string check_text(const config::Model& model, const boost::json::object& status);

}  // namespace holdfast::legacy
