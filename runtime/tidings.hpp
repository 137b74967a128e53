// What a process tells the one that runs scripts about a change, beside scripts: a line for the
// notification pipes, a letter, or both; and what it hears back. Both ends are the same binary; all
// of it is checked nevertheless.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::runtime {

/// Of the pipe of enable_dbus, beside the lines about instances: another configuration is in use,
/// or lines were lost; the director stops.
inline constexpr std::string_view kAskAgainLine = "ASK AGAIN";
inline constexpr std::string_view kStoppedLine = "STOPPED";

struct Tidings {
  enum class Scope : std::uint8_t { vrrp, lvs };

  std::uint64_t id = 0;       ///< counts up within a process
  std::string subject{};      ///< of whom a newer letter overtakes
  Scope scope = Scope::vrrp;  ///< vrrp_notify_fifo or lvs_notify_fifo; notify_fifo gets both
  std::string line{};         ///< without its end; empty: nothing for the pipes
  std::string title{};        ///< the letter's, behind the director's name; empty: no letter
  std::string body{};
  std::uint32_t lost = 0;  ///< lines before this one that had to be dropped

  bool operator==(const Tidings&) const = default;
};

struct TidingsReport {
  enum class What : std::uint8_t {
    taken,    ///< the line was dealt with; the letter, if there is one, waits
    settled,  ///< the letter has left, or never will
  };
  std::uint64_t id = 0;
  What what = What::taken;
  bool operator==(const TidingsReport&) const = default;
};

[[nodiscard]] std::vector<std::uint8_t> encode(const Tidings& tidings);
[[nodiscard]] std::vector<std::uint8_t> encode(const TidingsReport& report);
/// nullopt: not exactly one well-formed message.
[[nodiscard]] std::optional<Tidings> decode_tidings(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::optional<TidingsReport> decode_tidings_report(
    std::span<const std::uint8_t> bytes);

}  // namespace holdfast::runtime
