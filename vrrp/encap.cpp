#include "vrrp/encap.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <linux/lwtunnel.h>
#include <linux/mpls_iptunnel.h>
#include <linux/rtnetlink.h>

namespace holdfast::vrrp {
namespace {

using netlink::AttributeBytes;
using Attributes = std::map<std::uint16_t, AttributeBytes>;

/// linux/mpls.h: a label is the upper 20 bits, and the last of a stack has this one.
constexpr unsigned kLabelShift = 12;
constexpr std::uint32_t kLastLabel = 0x100;

std::uint64_t number(const std::string& text) {
  return std::strtoull(text.c_str(), nullptr, 0);
}

/// "100/200/300"
AttributeBytes labels_of(const std::string& text) {
  AttributeBytes bytes;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('/', at), text.size());
    std::uint64_t label = number(text.substr(at, end - at)) << kLabelShift;
    if (end == text.size()) label |= kLastLabel;
    const AttributeBytes one = big_endian(label, sizeof(std::uint32_t));
    bytes.insert(bytes.end(), one.begin(), one.end());
    at = end + 1;
  }
  return bytes;
}

// The numbers of LWTUNNEL_IP_* and LWTUNNEL_IP6_* are the same for what is the same.
void set_word(const std::string& word, const std::string& value, Attributes& inner) {
  const auto address = core::IpAddress::parse(value);
  if (word == "id")
    inner[LWTUNNEL_IP_ID] = big_endian(number(value), sizeof(std::uint64_t));
  else if (word == "dst" && address)
    inner[LWTUNNEL_IP_DST] = netlink::bytes_of(*address);
  else if (word == "src" && address)
    inner[LWTUNNEL_IP_SRC] = netlink::bytes_of(*address);
  else if (word == "ttl" || word == "hoplimit")
    inner[LWTUNNEL_IP_TTL] = {static_cast<std::uint8_t>(number(value))};
  else if (word == "tos" || word == "tc")
    inner[LWTUNNEL_IP_TOS] = {static_cast<std::uint8_t>(number(value))};
  else if (word == "flags")
    inner[LWTUNNEL_IP_FLAGS] = big_endian(number(value), sizeof(std::uint16_t));
}

}  // namespace

AttributeBytes nested(const Attributes& attributes) {
  AttributeBytes bytes;
  for (const auto& [type, value] : attributes) {
    rtattr header{};
    header.rta_type = type;
    header.rta_len = static_cast<unsigned short>(RTA_LENGTH(value.size()));
    const auto* begin = reinterpret_cast<const std::uint8_t*>(&header);
    bytes.insert(bytes.end(), begin, begin + sizeof header);
    bytes.insert(bytes.end(), value.begin(), value.end());
    bytes.resize(RTA_ALIGN(bytes.size()));
  }
  return bytes;
}

AttributeBytes big_endian(std::uint64_t number, std::size_t bytes) {
  AttributeBytes result(bytes);
  for (std::size_t at = bytes; at-- > 0; number >>= 8U)
    result[at] = static_cast<std::uint8_t>(number & 0xffU);
  return result;
}

void set_encap(const std::vector<std::string>& words, Attributes& attributes) {
  if (words.empty() || words[0] == "ila") return;
  Attributes inner;
  std::uint16_t type = words[0] == "ip6" ? LWTUNNEL_ENCAP_IP6 : LWTUNNEL_ENCAP_IP;
  if (words[0] == "mpls") {
    type = LWTUNNEL_ENCAP_MPLS;
    if (words.size() > 1) inner[MPLS_IPTUNNEL_DST] = labels_of(words[1]);
  }
  for (std::size_t at = 1; at + 1 < words.size(); at += 2) {
    if (type != LWTUNNEL_ENCAP_MPLS) set_word(words[at], words[at + 1], inner);
  }
  AttributeBytes kind(sizeof type);
  std::memcpy(kind.data(), &type, sizeof type);
  attributes[RTA_ENCAP_TYPE] = std::move(kind);
  attributes[RTA_ENCAP] = nested(inner);
}

}  // namespace holdfast::vrrp
