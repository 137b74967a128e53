// The words of one line of ipvsadm's language, before they are checked as a whole. Internal to
// text_parse.cpp.
#pragma once

#include "core/ip_address.hpp"
#include "ipvs_wrapper/table.hpp"
#include "ipvs_wrapper/text_line.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace holdfast::ipvs {

// What a line says, before it is checked as a whole.
struct TextEntry {
  bool is_server = false;
  std::optional<ServiceKey> key;
  std::optional<core::Endpoint> endpoint;
  Settings settings;
  Server server;
  std::optional<Word> netmask;  // read once the family is known
  std::optional<Word> flags;    // read once the scheduler is known
  std::optional<Word> ipv6;
  std::optional<Word> tunnel_option;
};

// A command letter and what it is about.
struct TextCommand {
  std::string_view short_name;
  std::string_view long_name;
  bool is_server;
};
inline constexpr TextCommand kCommands[] = {
    {"-A", "--add-service", false},    {"-a", "--add-server", true},
    {"-E", "--edit-service", false},   {"-e", "--edit-server", true},
    {"-D", "--delete-service", false}, {"-d", "--delete-server", true},
};
inline constexpr std::size_t kCommandsOfFiles = 2;  // a rules file only adds

inline const TextCommand* command_of(std::string_view word, std::size_t how_many) {
  for (const TextCommand& each : std::span(kCommands).first(how_many))
    if (word == each.short_name || word == each.long_name) return &each;
  return nullptr;
}

}  // namespace holdfast::ipvs
