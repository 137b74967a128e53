// Reports of group memberships, byte for byte as Linux 6.18 sends them when it is asked.
#include "core/checksum.hpp"
#include "vrrp/core/icmpv6.hpp"
#include "vrrp/io/membership_report.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using Bytes = std::vector<std::uint8_t>;

namespace {

const core::MacAddress kMac{{2, 0, 0, 0, 0, 1}};
core::IpAddress ip(std::string_view text) {
  return *core::IpAddress::parse(text);
}
Bytes part(const Bytes& frame, std::size_t from, std::size_t size) {
  return {frame.begin() + static_cast<std::ptrdiff_t>(from),
          frame.begin() + static_cast<std::ptrdiff_t>(from + size)};
}

}  // namespace

TEST_CASE("membership: IGMPv3 says member whatever the source, to all that snoop [RFC3376-4.2]") {
  const Bytes frame =
      membership_report(kMac, ip("192.0.2.1"), ip("224.0.0.18"), ReportForm::latest);
  CHECK(part(frame, 0, 14) == Bytes{0x01, 0, 0x5e, 0, 0, 0x16, 2, 0, 0, 0, 0, 1, 0x08, 0});
  CHECK(core::internet_checksum(std::span(frame).subspan(14, 24)) == 0);
  CHECK(part(frame, 14, 10) == Bytes{0x46, 0xc0, 0, 40, 0, 0, 0x40, 0, 1, 2});
  CHECK(part(frame, 26, 12) == Bytes{192, 0, 2, 1, 224, 0, 0, 22, 0x94, 4, 0, 0});
  CHECK(core::internet_checksum(std::span(frame).subspan(38)) == 0);
  CHECK(part(frame, 38, 2) == Bytes{0x22, 0});
  CHECK(part(frame, 42, 12) == Bytes{0, 0, 0, 1, 2, 0, 0, 0, 224, 0, 0, 18});
  CHECK(frame.size() == 54);
}

TEST_CASE("membership: IGMPv2, where the interface is set to it, goes to the group [RFC2236-3]") {
  const Bytes frame = membership_report(kMac, ip("192.0.2.1"), ip("224.0.0.18"), ReportForm::old);
  CHECK(part(frame, 0, 6) == Bytes{0x01, 0, 0x5e, 0, 0, 0x12});
  CHECK(part(frame, 30, 4) == Bytes{224, 0, 0, 18});
  CHECK(core::internet_checksum(std::span(frame).subspan(38)) == 0);
  CHECK(part(frame, 38, 2) == Bytes{0x16, 0});
  CHECK(part(frame, 42, 4) == Bytes{224, 0, 0, 18});
  CHECK(frame.size() == 46);
}

TEST_CASE("membership: MLDv2, and MLDv1, behind Router Alert with hop limit 1 [RFC3810-5]") {
  const auto source = ip("fe80::1");
  const Bytes frame = membership_report(kMac, source, ip("ff02::12"), ReportForm::latest);
  CHECK(part(frame, 0, 6) == Bytes{0x33, 0x33, 0, 0, 0, 0x16});
  CHECK(part(frame, 12, 10) == Bytes{0x86, 0xdd, 0x60, 0, 0, 0, 0, 36, 0, 1});
  CHECK(part(frame, 54, 8) == Bytes{58, 0, 5, 2, 0, 0, 1, 0});
  CHECK(icmpv6_checksum(source, ip("ff02::16"), std::span(frame).subspan(62)) == 0);
  CHECK(part(frame, 62, 2) == Bytes{143, 0});
  CHECK(part(frame, 66, 8) == Bytes{0, 0, 0, 1, 2, 0, 0, 0});
  CHECK(frame.size() == 90);

  const Bytes old = membership_report(kMac, source, ip("ff02::12"), ReportForm::old);
  CHECK(part(old, 0, 6) == Bytes{0x33, 0x33, 0, 0, 0, 0x12});
  CHECK(icmpv6_checksum(source, ip("ff02::12"), std::span(old).subspan(62)) == 0);
  CHECK(old[62] == 131);
  CHECK(old.size() == 86);
}
