// keepalived.stats: the counters of all instances. Every value is a bare decimal, as parsers split
// lines at the colon.
#pragma once

#include "legacy/status_view.hpp"
#include <span>
#include <string>

namespace holdfast::legacy {

[[nodiscard]] std::string stats_text(std::span<const InstanceFacts> instances);

}  // namespace holdfast::legacy
