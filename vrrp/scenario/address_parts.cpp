#include "vrrp/scenario/address_parts.hpp"

#include "vrrp/scenario/values.hpp"
#include "vrrp/scenario/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace holdfast::vrrp::scenario {

// A new member does not compile here until it is recorded.
std::string to_parts(const core::AddressOptions& options) {
  const auto& [peer, no_prefix_route, auto_join, home, detection, temporary, lifetime] = options;
  std::string text;
  if (peer) text += ",peer=" + peer->to_string();
  if (no_prefix_route) text += ",noprefixroute=yes";
  if (auto_join) text += ",autojoin=yes";
  if (home) text += ",home=yes";
  if (detection) text += ",dad=yes";
  if (temporary) text += ",mngtmpaddr=yes";
  if (lifetime) text += fmt::format(",preferred_lft={}", *lifetime);
  return text;
}

bool take_part(std::string_view part, core::AddressOptions& options) {
  if (part.starts_with("peer=")) {
    options.peer = core::IpPrefix::parse(part.substr(5));
    return options.peer.has_value();
  }
  if (part.starts_with("preferred_lft=")) {
    const std::string_view number = part.substr(14);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(),
                                              options.preferred_lifetime.emplace());
    return error == std::errc() && end == number.data() + number.size();
  }
  for (const auto& [word, member] :
       {std::pair{"noprefixroute=yes", &core::AddressOptions::no_prefix_route},
        {"autojoin=yes", &core::AddressOptions::auto_join},
        {"home=yes", &core::AddressOptions::home},
        {"dad=yes", &core::AddressOptions::duplicate_detection},
        {"mngtmpaddr=yes", &core::AddressOptions::manage_temporary}}) {
    if (part != word) continue;
    options.*member = true;
    return true;
  }
  return false;
}

std::string to_text(const std::map<IpAddress, IpAddress>& addresses) {
  std::string text;
  for (const auto& [to, from] : addresses)
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", to.to_string(), from.to_string());
  return text;
}

void from_text(std::string_view text, std::map<IpAddress, IpAddress>& addresses) {
  addresses.clear();
  for (const std::string_view part : split_list(text, ',')) {
    const std::size_t middle = std::min(part.find('='), part.size() - 1);
    IpAddress to;
    from_text(part.substr(0, middle), to);
    from_text(part.substr(middle + 1), addresses[to]);
  }
}

}  // namespace holdfast::vrrp::scenario
