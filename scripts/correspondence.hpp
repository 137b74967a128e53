// What a configuration says about mail and notification pipes: the wiring of this process for what
// it does beside scripts.
#pragma once

#include "config/model.hpp"
#include "core/script.hpp"

#include "mail/core/settings.hpp"
#include <array>
#include <optional>
#include <string>

namespace holdfast::scripts {

/// A named pipe that gets lines. keepalived: notify_fifo and its two sisters.
struct PipeSettings {
  std::string path{};                     ///< empty: none
  core::ScriptUser owner{};               ///< of a pipe that is made here
  std::string problem{};                  ///< why that is not known, a sentence
  std::optional<core::Command> reader{};  ///< with the pipe as its last word
  bool operator==(const PipeSettings&) const = default;
};

/// Which lines go where.
enum class PipeKind : std::uint8_t { all, vrrp, lvs };
inline constexpr std::array kPipeKinds{PipeKind::all, PipeKind::vrrp, PipeKind::lvs};
/// "notify_fifo".
[[nodiscard]] std::string_view name_of(PipeKind kind);

struct Correspondence {
  mail::Settings mail{};
  std::array<PipeSettings, kPipeKinds.size()> pipes{};
  bool operator==(const Correspondence&) const = default;
};

/// `host`: this machine's name, which stands for a router_id and a smtp_helo_name that are not
/// written.
[[nodiscard]] Correspondence correspondence_of(const config::Model& model, const std::string& host);

}  // namespace holdfast::scripts
