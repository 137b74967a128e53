// Adverts with the MAC address of a virtual router, as the bytes of whole Ethernet frames.
#include "core/checksum.hpp"
#include "vrrp/io/advert_frames.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using Bytes = std::vector<std::uint8_t>;

namespace {

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

Bytes frame_of(const Departure& departure, const core::MacAddress& sender) {
  Bytes bytes;
  append_advert_frame(sender, departure, departure.letters.front(), 7, bytes);
  return bytes;
}

}  // namespace

TEST_CASE("frames: a group has its MAC address [RFC1112-6.4, RFC2464-7]") {
  CHECK(group_mac(ip("224.0.0.18")).to_string() == "01:00:5e:00:00:12");
  CHECK(group_mac(ip("239.129.2.3")).to_string() == "01:00:5e:01:02:03");
  CHECK(group_mac(ip("ff02::12")).to_string() == "33:33:00:00:00:12");
}

TEST_CASE("frames: over IPv4 the header is complete, with its checksum") {
  const Departure departure{.source = ip("192.0.2.1"),
                            .letters = {{ip("224.0.0.18"), {0x21, 51, 100, 1}}}};
  const Bytes frame = frame_of(departure, {{0, 0, 0x5e, 0, 1, 51}});

  const Bytes head{0x01, 0x00, 0x5e, 0x00, 0x00, 0x12, 0, 0, 0x5e, 0, 1, 51, 0x08, 0x00};
  REQUIRE(frame.size() == 14 + 20 + 4);
  CHECK(Bytes(frame.begin(), frame.begin() + 14) == head);
  CHECK(core::internet_checksum(std::span(frame).subspan(14, 20)) == 0);
  CHECK(Bytes(frame.end() - 4, frame.end()) == Bytes{0x21, 51, 100, 1});
}

TEST_CASE("frames: over IPv6 with hop limit 255 and the traffic class of control") {
  const IpAddress source = ip("fe80::1");
  const Departure departure{.source = source, .letters = {{ip("ff02::12"), {0x31, 51}}}};
  const Bytes frame = frame_of(departure, {{0, 0, 0x5e, 0, 2, 51}});

  REQUIRE(frame.size() == 14 + 40 + 2);
  CHECK(Bytes(frame.begin() + 12, frame.begin() + 22) ==
        Bytes{0x86, 0xdd, 0x6c, 0, 0, 0, 0, 2, 112, 255});
  CHECK(Bytes(frame.begin() + 22, frame.begin() + 38) ==
        Bytes(source.bytes().begin(), source.bytes().end()));
  CHECK(Bytes(frame.end() - 2, frame.end()) == Bytes{0x31, 51});
}
