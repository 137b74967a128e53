// ipvsadm's command line, for scripts that were written for it: `holdfastctl ipvs …`, and the
// program under the names ipvsadm, ipvsadm-save and ipvsadm-restore. Asks the kernel, no process of
// ours. Addresses and ports are numbers.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::ctl {

/// Exit codes of ipvsadm 1.31.
inline constexpr int kIpvsadmUsage = 2;
inline constexpr int kIpvsadmRefused = 255;

/// `words` without the program's name. nullopt: not a command of ipvsadm that is known here.
[[nodiscard]] std::optional<int> run_ipvsadm(std::span<const std::string> words);

/// When the program was called by one of ipvsadm's names. nullopt: it was not.
[[nodiscard]] std::optional<int> run_by_name(std::string_view program,
                                             std::span<const std::string> words);

}  // namespace holdfast::ctl
