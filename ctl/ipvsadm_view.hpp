// The kernel's table as `ipvsadm -L -n` shows it. Pure.
#pragma once

#include "ipvs_wrapper/table.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::ctl {

enum class IpvsView : std::uint8_t { weights, stats, rate, thresholds };

/// What stands above the services; `version` as "1.2.1".
[[nodiscard]] std::string ipvs_head(std::string_view version, std::uint32_t table_size);
[[nodiscard]] std::string ipvs_titles(IpvsView view);
/// A service and its servers.
[[nodiscard]] std::string ipvs_lines(const ipvs::ServiceKey& key, const ipvs::Service& service,
                                     const ipvs::ServiceCounters& counters, IpvsView view);

}  // namespace holdfast::ctl
