#include "core/bytes.hpp"
#include "core/checksum.hpp"
#include "core/ip_address.hpp"
#include "core/mac_address.hpp"
#include "core/reason_set.hpp"
#include "core/result.hpp"
#include "core/router_key.hpp"
#include "core/shared.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <type_traits>
#include <vector>

using namespace holdfast::core;

TEST_CASE("an IPv4 address parses strictly and prints what it parsed") {
  CHECK(IpAddress::parse("192.0.2.1")->to_string() == "192.0.2.1");
  CHECK(IpAddress::parse("2001:db8::1")->to_string() == "2001:db8::1");
  for (const char* bad :
       {"", "192.0.2", "192.0.2.256", "0300.0.2.1", "192.0.2.1 ", "1::2::3", "eth0"})
    CHECK_MESSAGE(!IpAddress::parse(bad), bad);
}

TEST_CASE("an IPv4-mapped address is the IPv4 address that it names [RFC4291-2.5.5.2]") {
  CHECK(IpAddress::parse("::ffff:192.0.2.1") == IpAddress::parse("192.0.2.1"));
  CHECK(IpAddress::parse("::ffff:c000:201")->is_v4());
  CHECK(IpPrefix::parse("::ffff:192.0.2.1")->length == 32);
  CHECK_FALSE(IpAddress::parse("::fffe:192.0.2.1")->is_v4());
}

TEST_CASE("addresses order unsigned in network order, as the tie-break wants [RFC9568-6.4.3-4]") {
  CHECK(*IpAddress::parse("10.0.0.200") > *IpAddress::parse("10.0.0.100"));
  CHECK(*IpAddress::parse("200.0.0.1") > *IpAddress::parse("100.0.0.1"));
}

TEST_CASE("a prefix keeps host bits, knows its network and refuses lengths out of range") {
  const auto prefix = IpPrefix::parse("192.168.1.200/20");
  REQUIRE(prefix);
  CHECK(prefix->to_string() == "192.168.1.200/20");
  CHECK(prefix->contains(*IpAddress::parse("192.168.15.255")));
  CHECK_FALSE(prefix->contains(*IpAddress::parse("192.168.16.0")));
  CHECK_FALSE(prefix->contains(*IpAddress::parse("2001:db8::1")));
  CHECK(IpPrefix::parse("10.0.0.1")->length == 32);
  for (const char* bad : {"10.0.0.1/33", "10.0.0.1/", "10.0.0.1/-1", "10.0.0.1/8x"})
    CHECK_MESSAGE(!IpPrefix::parse(bad), bad);
}

TEST_CASE("address classes") {
  CHECK(IpAddress::parse("224.0.0.18")->is_multicast());
  CHECK_FALSE(IpAddress::parse("192.0.2.1")->is_multicast());
  CHECK(IpAddress::parse("169.254.1.1")->is_link_local());
  CHECK(IpAddress::parse("fe80::1")->is_link_local());
  CHECK(IpAddress{}.is_unspecified());
}

TEST_CASE("an endpoint prints with brackets for IPv6") {
  CHECK(Endpoint{*IpAddress::parse("192.0.2.1"), 80}.to_string() == "192.0.2.1:80");
  CHECK(Endpoint{*IpAddress::parse("2001:db8::1"), 80}.to_string() == "[2001:db8::1]:80");
}

TEST_CASE("MAC addresses parse strictly") {
  CHECK(MacAddress::parse("00:00:5e:00:01:33")->to_string() == "00:00:5e:00:01:33");
  for (const char* bad : {"", "00:00:5e:00:01", "00-00-5e-00-01-33", "00:00:5e:00:01:3g"})
    CHECK_MESSAGE(!MacAddress::parse(bad), bad);
}

TEST_CASE("the checksum of a buffer that contains its checksum is zero [RFC1071]") {
  std::vector<std::uint8_t> bytes{0x45, 0xc0, 0x00, 0x20, 0, 0, 0x12};
  const auto sum = internet_checksum(bytes);
  bytes[4] = static_cast<std::uint8_t>(sum >> 8);
  bytes[5] = static_cast<std::uint8_t>(sum & 0xff);
  CHECK(sum == 0xa81f);
  CHECK(internet_checksum(bytes) == 0);
}

TEST_CASE("a byte reader never passes the end, and says so") {
  const std::array<std::uint8_t, 3> bytes{1, 2, 3};
  ByteReader reader(bytes);
  CHECK(reader.u16() == 0x0102);
  CHECK(reader.ok());
  CHECK(reader.u32() == 0);
  CHECK_FALSE(reader.ok());
  CHECK(reader.remaining() == 0);
}

TEST_CASE("a byte writer writes network order and patches") {
  std::vector<std::uint8_t> out;
  ByteWriter writer(out);
  writer.u16(0);
  writer.u32(0x01020304);
  writer.patch_u16(0, 0xabcd);
  CHECK(out == std::vector<std::uint8_t>{0xab, 0xcd, 1, 2, 3, 4});
}

TEST_CASE("a reason set holds until the last reason is gone") {
  ReasonSet reasons;
  CHECK(reasons.add("interface eth0", "eth0 is down"));
  CHECK_FALSE(reasons.add("interface eth1", "eth1 is down"));
  CHECK_FALSE(reasons.remove("interface eth0"));
  CHECK_FALSE(reasons.remove("interface eth9"));
  CHECK(reasons.remove("interface eth1"));
}

TEST_CASE("a result of a string is made from a string, and an error only by name") {
  const auto hello = []() -> Result<std::string> {
    std::string text = "hello";
    return text;
  };

  CHECK(hello().value() == "hello");
  static_assert(!std::is_constructible_v<Error, std::string>);
}

TEST_CASE("an error from the system is one sentence with the system's words at its end") {
  CHECK(fail_errno(2, "cannot open {}", "/x").message ==
        "cannot open /x: No such file or directory");
}

TEST_CASE("a router key tells families, groups and unicast sources apart, and says so") {
  const RouterKey group{"eth0", Family::v4, 51, *IpAddress::parse("224.0.0.18")};
  const RouterKey unicast{"eth0", Family::v4, 51, *IpAddress::parse("192.0.2.1")};
  const RouterKey v6{"eth0", Family::v6, 51, *IpAddress::parse("ff02::12")};

  CHECK(to_string(group) == "eth0 51 ipv4 224.0.0.18");
  CHECK(to_string(v6) == "eth0 51 ipv6 ff02::12");
  CHECK(group != unicast);
  CHECK(std::hash<RouterKey>{}(group) != std::hash<RouterKey>{}(unicast));
}

TEST_CASE("shared values are equal when what they hold is equal") {
  const Shared<std::string> one(std::string("VI_1"));
  const Shared<std::string> other(std::string("VI_1"));

  CHECK(one == other);
  CHECK_FALSE(one == Shared<std::string>(std::string("VI_2")));
  CHECK(Shared<std::string> {} -> empty());
}
