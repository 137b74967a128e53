// The answers of the three processes as one object or as text for people. Pure: main asks the
// sockets.
#pragma once

#include "ctl/text_table.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::ctl {

/// The processes that have a control socket, in the order in which they are shown.
inline constexpr std::array<std::string_view, 3> kProcesses{"watchdog", "vrrp", "checkers"};

/// What one process said, or why it said nothing.
struct Reply {
  std::string process;
  std::optional<boost::json::object> status;
  /// A sentence; empty when there is a status.
  std::string problem;
};
using Replies = std::array<Reply, kProcesses.size()>;

/// True when at least one process answered.
[[nodiscard]] bool anybody_answered(const Replies& replies);

/// {"watchdog":{…},"vrrp":{…},"checkers":null,"problems":{"checkers":"sentence"}}
[[nodiscard]] boost::json::object merge(const Replies& replies);

struct TextOptions {
  Colours colours = Colours::no;
  /// The present in UTC, "2026-11-21T00:42:03.123Z"; ages are computed from it.
  std::string now;
};

/// Processes, then instances, then services and servers; every line ends with a newline.
[[nodiscard]] std::string render_status(const Replies& replies, const TextOptions& options);

// The parts, one file each.
/// What operators have asked for; empty: nothing.
[[nodiscard]] std::string render_orders(const Replies& replies, const TextOptions& options);
[[nodiscard]] std::string render_processes(const Replies& replies, const TextOptions& options);
/// "chk succeeds (+20)".
[[nodiscard]] std::string tracker_text(const boost::json::object& tracker);
/// "VI_1, VI_2": a list of names.
[[nodiscard]] std::string names_in(const boost::json::object& from, std::string_view key);
[[nodiscard]] std::string render_instances(const boost::json::object& vrrp,
                                           const TextOptions& options);
[[nodiscard]] std::string render_services(const boost::json::object& checkers,
                                          const TextOptions& options);

}  // namespace holdfast::ctl
