#include "ctl/host_facts.hpp"

#include "ctl/host_links.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>
#include <netinet/in.h>
#include <sstream>
#include <sys/utsname.h>

namespace holdfast::ctl {
namespace {

std::optional<core::IpAddress> address_of(const sockaddr* from) {
  if (from == nullptr) return std::nullopt;
  if (from->sa_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(from);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&in->sin_addr);
    return core::IpAddress::from_bytes({bytes, 4});
  }
  if (from->sa_family == AF_INET6) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(from);
    return core::IpAddress::from_bytes({in6->sin6_addr.s6_addr, 16});
  }
  return std::nullopt;
}

std::uint8_t length_of(const core::IpAddress& mask) {
  int bits = 0;
  for (const std::uint8_t byte : mask.bytes()) bits += std::popcount(byte);
  return static_cast<std::uint8_t>(bits);
}

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

bool is_ipv6_off(const std::string& interface) {
  const std::string text =
      text_of(fmt::format("/proc/sys/net/ipv6/conf/{}/disable_ipv6", interface));
  return !text.starts_with('0');
}

void read_modules(HostFacts& facts) {
  facts.modules_present = ipvs_modules_in(text_of("/proc/modules"));
  if (std::ifstream("/proc/net/ip_vs").is_open()) facts.modules_present.insert("ip_vs");
  utsname kernel{};
  if (uname(&kernel) != 0) return;
  const std::string directory = fmt::format("/lib/modules/{}", kernel.release);
  const std::string available = text_of(directory + "/modules.dep");
  facts.modules_known = !available.empty();
  facts.modules_loadable = ipvs_modules_in(available);
  facts.modules_present.merge(ipvs_modules_in(text_of(directory + "/modules.builtin")));
}

void read_switches(HostFacts& facts) {
  std::error_code failed;
  const std::filesystem::directory_iterator directory("/proc/sys/net/ipv4/vs", failed);
  for (const auto& entry : directory) {
    std::string value = text_of(entry.path());
    while (value.ends_with('\n')) value.pop_back();
    facts.ipvs_switches.emplace(entry.path().filename(), std::move(value));
  }
  facts.has_conntrack = std::filesystem::exists("/proc/sys/net/netfilter/nf_conntrack_max", failed);
}

}  // namespace

std::set<std::string> ipvs_modules_in(std::string_view text) {
  std::set<std::string> names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    word = word.substr(0, word.find_first_of(": \t"));
    word.remove_prefix(word.rfind('/') + 1);  // npos + 1 is 0
    word = word.substr(0, word.find('.'));
    if (word.starts_with("ip_vs")) names.emplace(word);
  }
  return names;
}

core::Result<HostFacts> read_host_facts() {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return core::fail_errno(errno, "cannot list the interfaces");
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(first, &freeifaddrs);
  HostFacts facts;
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    HostInterface& interface = facts.interfaces[at->ifa_name];
    interface.up = interface.up || (at->ifa_flags & IFF_UP) != 0;
    const auto address = address_of(at->ifa_addr);
    const auto mask = address_of(at->ifa_netmask);
    if (address && mask) interface.addresses.push_back({*address, length_of(*mask)});
  }
  for (auto& [name, interface] : facts.interfaces) interface.ipv6_off = is_ipv6_off(name);
  for (auto& [name, unheard] : read_unheard()) facts.interfaces[name].unheard = std::move(unheard);
  read_modules(facts);
  read_switches(facts);
  return facts;
}

}  // namespace holdfast::ctl
