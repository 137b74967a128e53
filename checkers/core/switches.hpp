// The kernel's switches of IPVS (/proc/sys/net/ipv4/vs) as values: what is to be written so that
// they are as the configuration says, and what gives back what was there. Pure; the files are
// checkers/io/switch_keeper.hpp's.
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::checkers {

/// By name; the value as the kernel prints it, blanks made one.
using Switches = std::map<std::string, std::string, std::less<>>;

struct SwitchSettings {
  Switches wanted{};
  bool restore_at_stop = false;
  bool operator==(const SwitchSettings&) const = default;
};

/// What the status tells.
struct SwitchState {
  SwitchSettings settings{};
  Switches actual{};      ///< as read last, of those that are wanted or were changed
  Switches found{};       ///< what was there before us, of those that we have changed
  std::string trouble{};  ///< empty: everything is as it should be
  std::uint64_t drift = 0;
};

struct SwitchPlan {
  Switches write{};                    ///< in any order: none depends on another
  Switches found{};                    ///< what is to be given back one day
  std::vector<std::string> absent{};   ///< wanted, and this kernel has no such switch
  std::vector<std::string> altered{};  ///< had been as wanted, and somebody changed it
  bool operator==(const SwitchPlan&) const = default;
};

/// Whether the kernel has what was asked for. A defence that is armed (1) shows 2 while it acts:
/// ip_vs_ctl.c, update_defense_level(). Of several numbers only as many as were written count.
[[nodiscard]] bool is_as_wanted(std::string_view name, std::string_view wanted,
                                std::string_view actual);

/// `found`: what stood there before us, of those that we have changed. A switch that is no more
/// wanted gets it back.
[[nodiscard]] SwitchPlan plan_switches(const Switches& wanted, const Switches& found,
                                       const Switches& actual);

/// The kernel's text in the form of Switches: one blank between words, none at the ends.
[[nodiscard]] std::string normal_value(std::string_view text);
/// The kernel that brought this switch, for people; empty: an old one.
[[nodiscard]] std::string_view kernel_of(std::string_view name);

/// What is to be given back, for a successor of this process: a line each, behind the boot id.
[[nodiscard]] std::string write_found(const Switches& found, std::string_view boot_id);
/// Empty when it is of another boot. An error names the line.
[[nodiscard]] core::Result<Switches> parse_found(std::string_view text, std::string_view boot_id);

}  // namespace holdfast::checkers
