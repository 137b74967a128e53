// The lines of a recording, made and understood. docs/vrrp.md has the format; recording.hpp writes
// it, player.hpp reads it. Everything that is read is checked: what the core takes for granted
// about its settings holds for a file, too. The readers throw FormatError.
//
//   holdfast-scenario 1                        the first line
//   1234.500000 life running=yes               a process begins, or a recording in its middle …
//   interface name=eth0 exists=yes up=yes      … with what it knows
//   instance name=VI_1 interface=eth0 …
//   situation state=backup …                   of the instance above
//   1235.500000 wake                           Driver::begin
//   1235.500000 packet eth0 192.0.2.2 224.0.0.18 255 2133…
//   1235.500000 finish
//   1235.500000 answer sent router=eth0/51/224.0.0.18 priority=100
//   => VI_1 send advert priority 100           what was decided since the last such line
//   1240.000000 do reload instances=1          Driver::handle
//   instance name=VI_1 …
//   => nothing
//   gap                                        what follows until the next life was not kept
#pragma once

#include "vrrp/core/action.hpp"
#include "vrrp/core/event.hpp"
#include "vrrp/core/situation.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::vrrp::scenario {

inline constexpr std::string_view kFirstLine = "holdfast-scenario 1";
/// First line of what only tells about the changes: it cannot be played.
inline constexpr std::string_view kFirstLineOfExcerpt = "holdfast-scenario 1 excerpt";
inline constexpr std::string_view kDecision = "=>";
inline constexpr std::string_view kNothing = "=> nothing";
inline constexpr std::string_view kGap = "gap";

/// "sent router=… priority=…". A reload's settings are lines of their own, see instance_line().
[[nodiscard]] std::string event_text(const Event& event);
/// The reverse, of all words. A reload comes back with as many default-made settings as follow.
[[nodiscard]] Event read_event(std::span<const std::string> words);

[[nodiscard]] std::string instance_line(const InstanceSettings& settings);
[[nodiscard]] InstanceSettings read_instance(std::span<const std::string> words);

/// "packet eth0 192.0.2.2 224.0.0.18 255 2133…": interface, source, destination, hop limit, bytes;
/// with an authentication header "ah=17", too: the identification of its IP header.
[[nodiscard]] std::string packet_text(const Received& packet,
                                      std::span<const std::uint8_t> payload);
/// A packet with its own memory.
struct PacketLine {
  std::string interface;
  IpAddress source;
  IpAddress destination;
  std::uint8_t hop_limit = 0;
  std::vector<std::uint8_t> payload;
  std::uint8_t protocol = kIpProtocolVrrp;
  std::uint16_t identification = 0;
  /// Valid as long as this object.
  [[nodiscard]] Received received() const;
};
[[nodiscard]] PacketLine read_packet(std::span<const std::string> words);

/// "1234.500000": what a line with a time begins with.
[[nodiscard]] std::string time_text(Instant at);
[[nodiscard]] std::string wake_text(Duration uncounted);
[[nodiscard]] Duration read_wake(std::span<const std::string> words);

/// "=> VI_1 send advert priority 100".
[[nodiscard]] std::string decision_line(const Action& action);
/// The name of the instance; empty for the process itself.
[[nodiscard]] std::string_view name_of(const Action& action);

/// The life line and all that follows it. Passwords are the caller's to hide, before.
[[nodiscard]] std::vector<std::string> life_lines(const RouterSituation& situation);
/// The life line alone, then one call for each further line.
[[nodiscard]] RouterSituation read_life(std::span<const std::string> words);
/// False: the words are no part of a life.
[[nodiscard]] bool read_life_detail(std::span<const std::string> words, RouterSituation& life);

/// Throws when two of them are the same virtual router.
void check_unique(const std::vector<InstanceSettings>& instances);

}  // namespace holdfast::vrrp::scenario
