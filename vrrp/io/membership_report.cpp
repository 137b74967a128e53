#include "vrrp/io/membership_report.hpp"

#include "core/bytes.hpp"
#include "core/checksum.hpp"
#include "vrrp/core/icmpv6.hpp"
#include "vrrp/io/advert_frames.hpp"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <span>

namespace holdfast::vrrp {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// RFC 3376 §4.2.12, RFC 3810 §5.2.12: member whatever the source.
constexpr std::uint8_t kModeIsExclude = 2;
constexpr std::uint8_t kIgmp2Report = 0x16;
constexpr std::uint8_t kIgmp3Report = 0x22;
constexpr std::uint8_t kMld1Report = 131;
constexpr std::uint8_t kMld2Report = 143;
constexpr std::size_t kChecksumOffset = 2;
constexpr std::uint16_t kIgmpHeaderBytes = 24;  // with the option Router Alert
constexpr std::size_t kIpChecksumOffset = 10;

/// All routers that snoop: 224.0.0.22, ff02::16. RFC 3376 §4.2.14, RFC 3810 §5.2.14.
core::IpAddress reports_group(core::Family family) {
  if (family == core::Family::v4) return core::IpAddress::v4({224, 0, 0, 22});
  return core::IpAddress::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16});
}

/// One record without sources, or the whole old form.
Bytes message_of(const core::IpAddress& group, ReportForm form) {
  const bool is_v4 = group.is_v4();
  Bytes message;
  core::ByteWriter writer(message);
  if (form == ReportForm::latest) {
    writer.u8(is_v4 ? kIgmp3Report : kMld2Report);
    writer.u8(0);
    writer.u16(0);
    writer.u16(0);
    writer.u16(1);
    writer.u8(kModeIsExclude);
    writer.u8(0);
    writer.u16(0);
  } else {
    writer.u8(is_v4 ? kIgmp2Report : kMld1Report);
    writer.u8(0);
    writer.u16(0);
    if (!is_v4) writer.u16(0);
    if (!is_v4) writer.u16(0);
  }
  writer.put(group.bytes());
  return message;
}

// TTL 1, CS6 and DF as the kernel has them (net/ipv4/igmp.c).
void put_igmp(const core::IpAddress& source, const core::IpAddress& destination, Bytes message,
              core::ByteWriter& frame) {
  core::ByteWriter body(message);
  body.patch_u16(kChecksumOffset, core::internet_checksum(message));
  Bytes header;
  core::ByteWriter writer(header);
  writer.u8(0x46);
  writer.u8(0xc0);
  writer.u16(static_cast<std::uint16_t>(kIgmpHeaderBytes + message.size()));
  writer.u16(0);
  writer.u16(0x4000);
  writer.u8(1);
  writer.u8(IPPROTO_IGMP);
  writer.u16(0);
  writer.put(source.bytes());
  writer.put(destination.bytes());
  writer.u16(0x9404);  // RFC 2113: Router Alert
  writer.u16(0);
  writer.patch_u16(kIpChecksumOffset, core::internet_checksum(header));
  frame.put(header);
  frame.put(message);
}

void put_mld(const core::IpAddress& source, const core::IpAddress& destination, Bytes message,
             core::ByteWriter& frame) {
  core::ByteWriter body(message);
  body.patch_u16(kChecksumOffset, icmpv6_checksum(source, destination, message));
  constexpr std::uint16_t kOptionsBytes = 8;
  frame.u16(0x6000);
  frame.u16(0);
  frame.u16(static_cast<std::uint16_t>(kOptionsBytes + message.size()));
  frame.u8(IPPROTO_HOPOPTS);
  frame.u8(1);
  frame.put(source.bytes());
  frame.put(destination.bytes());
  frame.u8(kIcmpv6);
  frame.u8(0);
  frame.u16(0x0502);  // RFC 2711: Router Alert, MLD
  frame.u16(0);
  frame.u16(0x0100);  // PadN
  frame.put(message);
}

}  // namespace

std::vector<std::uint8_t> membership_report(const core::MacAddress& sender,
                                            const core::IpAddress& source,
                                            const core::IpAddress& group, ReportForm form) {
  const core::IpAddress destination =
      form == ReportForm::latest ? reports_group(group.family()) : group;
  Bytes bytes;
  core::ByteWriter frame(bytes);
  frame.put(group_mac(destination).bytes);
  frame.put(sender.bytes);
  frame.u16(group.is_v4() ? ETHERTYPE_IP : ETHERTYPE_IPV6);
  if (group.is_v4())
    put_igmp(source, destination, message_of(group, form), frame);
  else
    put_mld(source, destination, message_of(group, form), frame);
  return bytes;
}

}  // namespace holdfast::vrrp
