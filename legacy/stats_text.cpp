#include "legacy/stats_text.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <string_view>

namespace holdfast::legacy {
namespace {

struct Line {
  std::string_view name;
  std::uint64_t count;
};

void add_section(std::string& text, std::string_view title, std::initializer_list<Line> lines) {
  text += fmt::format("  {}:\n", title);
  for (const Line& line : lines) text += fmt::format("    {}: {}\n", line.name, line.count);
}

void add_instance(std::string& text, const InstanceFacts& facts) {
  const Statistics& counted = facts.statistics;
  text += fmt::format("VRRP Instance: {}\n", facts.settings->name);
  add_section(text, "Advertisements", {{"Received", counted.received}, {"Sent", counted.sent}});
  text += fmt::format("  Became master: {}\n", counted.became_master);
  text += fmt::format("  Released master: {}\n", counted.released_master);
  add_section(text, "Packet Errors",
              {{"Length", counted.packet_length},
               {"TTL", counted.ttl},
               {"Invalid Type", counted.invalid_type},
               {"Advertisement Interval", counted.interval},
               {"Address List", counted.address_list}});
  add_section(text, "Authentication Errors",
              {{"Invalid Type", counted.invalid_authentication_type},
               {"Type Mismatch", counted.authentication_type_mismatch},
               {"Failure", counted.authentication_failure}});
  // keepalived 2.4; older ones do not have the words that lead here.
  if (facts.settings->auth_hmac) {
    add_section(text, "Authentication Extension Errors",
                {{"Missing", counted.extension_missing},
                 {"Malformed", counted.extension_malformed},
                 {"Unknown Key", counted.extension_unknown_key},
                 {"Invalid HMAC", counted.extension_invalid},
                 {"Stale", counted.extension_stale},
                 {"Replay", counted.extension_replay}});
  }
  add_section(text, "Priority Zero",
              {{"Received", counted.priority_zero_received}, {"Sent", counted.priority_zero_sent}});
}

}  // namespace

std::string stats_text(std::span<const InstanceFacts> instances) {
  std::string text;
  for (const InstanceFacts& each : instances) add_instance(text, each);
  return text;
}

}  // namespace holdfast::legacy
