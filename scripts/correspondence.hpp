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

/// A named pipe that gets lines. keepalived: notify_fifo and its two sisters, and one of our own
/// for the program that serves D-Bus.
struct PipeSettings {
  std::string path{};                     ///< empty: none
  core::ScriptUser owner{};               ///< of a pipe that is made here
  std::string problem{};                  ///< why that is not known, a sentence
  std::optional<core::Command> reader{};  ///< with the pipe as its last word
  bool reader_is_ours = false;            ///< and says on our standard error what it has to say
  bool operator==(const PipeSettings&) const = default;
};

/// Which lines go where.
enum class PipeKind : std::uint8_t { all, vrrp, lvs, bus };
inline constexpr std::array kPipeKinds{PipeKind::all, PipeKind::vrrp, PipeKind::lvs, PipeKind::bus};
/// "notify_fifo".
[[nodiscard]] std::string_view name_of(PipeKind kind);
/// Whether lines of one kind (vrrp or lvs) go into a pipe.
[[nodiscard]] bool takes(PipeKind pipe, PipeKind line);

struct Correspondence {
  mail::Settings mail{};
  std::array<PipeSettings, kPipeKinds.size()> pipes{};
  bool operator==(const Correspondence&) const = default;
};

/// Where this process runs.
struct Here {
  std::string host{};                  ///< stands for a router_id and a smtp_helo_name not written
  std::string run_dir{};               ///< of this director
  core::ScriptUser user{};             ///< who this process is
  std::vector<std::string> bus_words;  ///< the program that serves D-Bus and its first words
};

[[nodiscard]] Correspondence correspondence_of(const config::Model& model, const Here& here);

}  // namespace holdfast::scripts
