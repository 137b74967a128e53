// The kernel runs the filter's program here, on datagrams that look like what a raw socket
// delivers.
#include "runtime/unique_fd.hpp"
#include "vrrp/io/vrid_filter.hpp"

#include <doctest/doctest.h>

#include <array>
#include <sys/socket.h>

using holdfast::core::Family;
using holdfast::runtime::UniqueFd;
using holdfast::vrrp::Carrier;
using holdfast::vrrp::vrid_filter;

namespace {

class Filtered {
 public:
  explicit Filtered(const std::set<std::uint8_t>& vrids, Family family = Family::v4,
                    Carrier carrier = Carrier::ip) {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
    in_.reset(ends[0]);
    out_.reset(ends[1]);
    auto program = vrid_filter(family, vrids, carrier);
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    REQUIRE(::setsockopt(out_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0);
  }
  bool passes(const std::vector<std::uint8_t>& packet) {
    ::send(in_.get(), packet.data(), packet.size(), 0);
    std::array<std::uint8_t, 2048> buffer{};
    return ::recv(out_.get(), buffer.data(), buffer.size(), 0) ==
           static_cast<ssize_t>(packet.size());
  }

 private:
  UniqueFd in_;
  UniqueFd out_;
};

/// An IP header of `words` 32-bit words, then a VRRP header with this VRID.
std::vector<std::uint8_t> packet(std::uint8_t vrid, std::uint8_t words = 5) {
  std::vector<std::uint8_t> bytes(words * 4U + 20U);
  bytes[0] = static_cast<std::uint8_t>(0x40 | words);
  bytes[words * 4U] = 0x21;
  bytes[words * 4U + 1U] = vrid;
  return bytes;
}

}  // namespace

TEST_CASE("vrid filter: passes exactly the given virtual routers, also behind IP options") {
  const std::set<std::uint8_t> ours{1, 2, 3, 51, 100, 255};
  Filtered socket(ours);
  for (unsigned vrid = 0; vrid < 256; ++vrid) {
    const auto id = static_cast<std::uint8_t>(vrid);
    CHECK(socket.passes(packet(id)) == ours.contains(id));
    CHECK(socket.passes(packet(id, 15)) == ours.contains(id));
  }
}

TEST_CASE("vrid filter: as many ranges as fit, and too many pass everything") {
  std::set<std::uint8_t> even;
  for (unsigned vrid = 2; vrid <= 240; vrid += 2) even.insert(static_cast<std::uint8_t>(vrid));
  Filtered full(even);
  for (unsigned vrid = 0; vrid < 256; ++vrid) {
    CHECK(full.passes(packet(static_cast<std::uint8_t>(vrid))) ==
          even.contains(static_cast<std::uint8_t>(vrid)));
  }
  even.insert(242);
  CHECK(Filtered(even).passes(packet(7)));
}

TEST_CASE(
    "vrid filter: what is too short for a VRID passes, to be counted; nothing passes without "
    "virtual routers") {
  Filtered socket({51});
  std::vector<std::uint8_t> stump = packet(7);
  stump.resize(21);
  CHECK(socket.passes(stump));
  CHECK_FALSE(Filtered({}).passes(packet(51)));
  CHECK_FALSE(Filtered({}).passes(stump));
}

TEST_CASE("vrid filter: sockets of IPv6 see no header") {
  Filtered socket({51}, Family::v6);
  std::vector<std::uint8_t> advert(24);
  advert[0] = 0x31;
  for (unsigned vrid = 0; vrid < 256; ++vrid) {
    advert[1] = static_cast<std::uint8_t>(vrid);
    CHECK(socket.passes(advert) == (vrid == 51));
  }
  CHECK(socket.passes({0x31}));
}

TEST_CASE("vrid filter: behind an authentication header only VRRP of the given routers passes") {
  const auto in_header = [](std::uint8_t vrid, std::uint8_t next = 112, std::uint8_t words = 5) {
    std::vector<std::uint8_t> bytes(words * 4U + 24U + 20U);
    bytes[0] = static_cast<std::uint8_t>(0x40 | words);
    bytes[words * 4U] = next;
    bytes[words * 4U + 24U] = 0x21;
    bytes[words * 4U + 25U] = vrid;
    return bytes;
  };
  Filtered some({51, 52}, Family::v4, Carrier::ah);
  CHECK(some.passes(in_header(51)));
  CHECK(some.passes(in_header(52, 112, 15)));
  CHECK_FALSE(some.passes(in_header(53)));
  CHECK_FALSE(some.passes(in_header(51, 6)));  // another's IPsec
  std::vector<std::uint8_t> cut = in_header(51);
  cut.resize(20 + 24 + 1);
  CHECK(some.passes(cut));  // to be counted as broken

  std::set<std::uint8_t> every_other;
  for (unsigned vrid = 1; vrid < 256; vrid += 2)
    every_other.insert(static_cast<std::uint8_t>(vrid));
  Filtered many(every_other, Family::v4, Carrier::ah);
  CHECK(many.passes(in_header(1)));
  CHECK_FALSE(many.passes(in_header(1, 6)));
  Filtered none({}, Family::v4, Carrier::ah);
  CHECK_FALSE(none.passes(in_header(51)));
}
