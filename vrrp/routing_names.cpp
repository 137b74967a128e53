#include "vrrp/routing_names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <sstream>

namespace holdfast::vrrp {
namespace {

struct Known {
  NameOf what;
  std::string_view name;
  std::uint32_t number;
};
/// linux/rtnetlink.h: RT_TABLE_*, RTPROT_*; netinet/in.h: IPPROTO_*.
constexpr Known kKnown[] = {
    {NameOf::table, "main", 254},         {NameOf::table, "local", 255},
    {NameOf::table, "default", 253},      {NameOf::table, "unspec", 0},
    {NameOf::protocol, "redirect", 1},    {NameOf::protocol, "kernel", 2},
    {NameOf::protocol, "boot", 3},        {NameOf::protocol, "static", 4},
    {NameOf::protocol, "ra", 9},          {NameOf::protocol, "zebra", 11},
    {NameOf::protocol, "bird", 12},       {NameOf::protocol, "dhcp", 16},
    {NameOf::protocol, "keepalived", 18}, {NameOf::protocol, "babel", 42},
    {NameOf::protocol, "bgp", 186},       {NameOf::protocol, "isis", 187},
    {NameOf::protocol, "ospf", 188},      {NameOf::protocol, "rip", 189},
    {NameOf::protocol, "eigrp", 192},     {NameOf::group, "default", 0},
    {NameOf::realm, "cosmos", 0},         {NameOf::ip_protocol, "icmp", 1},
    {NameOf::ip_protocol, "tcp", 6},      {NameOf::ip_protocol, "udp", 17},
    {NameOf::ip_protocol, "gre", 47},     {NameOf::ip_protocol, "esp", 50},
    {NameOf::ip_protocol, "ah", 51},      {NameOf::ip_protocol, "ipv6-icmp", 58},
    {NameOf::ip_protocol, "vrrp", 112},   {NameOf::ip_protocol, "sctp", 132},
};

std::string_view file_of(NameOf what) {
  switch (what) {
    case NameOf::table:
      return "rt_tables";
    case NameOf::protocol:
      return "rt_protos";
    case NameOf::dsfield:
      return "rt_dsfield";
    case NameOf::realm:
      return "rt_realms";
    case NameOf::group:
      return "group";
    case NameOf::ip_protocol:
      break;
  }
  return {};
}

// Decimal, or hexadecimal after 0x; `base` where neither is said.
std::optional<std::uint32_t> read_number(std::string_view text, int base) {
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  }
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

// Lines of NUMBER NAME.
std::optional<std::uint32_t> look_up(const std::string& path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string number;
    std::string word;
    if (words >> number >> word && word == name) return read_number(number, 10);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> number_of(NameOf what, std::string_view text) {
  if (const auto number = read_number(text, what == NameOf::dsfield ? 16 : 10)) return number;
  const auto* known = std::find_if(std::begin(kKnown), std::end(kKnown), [&](const Known& one) {
    return one.what == what && one.name == text;
  });
  if (known != std::end(kKnown)) return known->number;
  if (file_of(what).empty()) return std::nullopt;
  for (const std::string directory : {"/etc/iproute2/", "/usr/share/iproute2/"})
    if (const auto found = look_up(directory + std::string(file_of(what)), text)) return found;
  return std::nullopt;
}

std::string_view to_string(NameOf what) {
  switch (what) {
    case NameOf::table:
      return "routing table";
    case NameOf::protocol:
      return "routing protocol";
    case NameOf::dsfield:
      return "type of service";
    case NameOf::realm:
      return "realm";
    case NameOf::group:
      return "group of interfaces";
    case NameOf::ip_protocol:
      break;
  }
  return "IP protocol";
}

}  // namespace holdfast::vrrp
