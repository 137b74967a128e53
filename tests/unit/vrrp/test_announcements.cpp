// Gratuitous ARP's sibling: unsolicited neighbour advertisements.
#include "core/checksum.hpp"
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/na.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;

namespace {

const core::MacAddress kSender{{0x02, 0x00, 0x00, 0x00, 0x00, 0x07}};

std::vector<std::uint8_t> frame(ForwardsPackets forwards) {
  const auto bytes = unsolicited_na(kSender, ip("2001:db8::200"), forwards);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("neighbour advertisement: to all nodes, from the address, overriding [RFC4861-7.2.6]") {
  const auto bytes = frame(ForwardsPackets::no);

  CHECK(std::vector(bytes.begin(), bytes.begin() + 14) == from_hex("33330000000102000000000786dd"));
  // version 6, 32 bytes of ICMPv6, hop limit 255, 2001:db8::200 to ff02::1
  CHECK(std::vector(bytes.begin() + 14, bytes.begin() + 54) ==
        from_hex("6000000000203aff20010db8000000000000000000000200"
                 "ff020000000000000000000000000001"));
  // type 136, code 0, (checksum), Override; the target; its link-layer address as option 2
  CHECK(std::vector(bytes.begin() + 54, bytes.begin() + 56) == from_hex("8800"));
  CHECK(std::vector(bytes.begin() + 58, bytes.end()) ==
        from_hex("2000000020010db80000000000000000000002000201020000000007"));
}

TEST_CASE("neighbour advertisement: the checksum covers the pseudo header [RFC4443-2.3]") {
  const auto bytes = frame(ForwardsPackets::yes);
  core::ChecksumAccumulator sum;
  sum.add(std::span(bytes).subspan(22, 32));  // source and destination
  sum.add(from_hex("00000020"));
  sum.add(from_hex("0000003a"));
  sum.add(std::span(bytes).subspan(54));
  CHECK(sum.finish() == 0);
}

TEST_CASE("neighbour advertisement: a forwarding host says that it is a router [RFC4861-4.4]") {
  CHECK(frame(ForwardsPackets::yes)[58] == 0xa0);
  CHECK(frame(ForwardsPackets::no)[58] == 0x20);
}
