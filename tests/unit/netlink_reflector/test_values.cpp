#include "netlink_reflector/core/codec.hpp"
#include "netlink_reflector/core/desired.hpp"
#include "netlink_reflector/core/table.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

using namespace holdfast;
using namespace holdfast::netlink;

namespace {

Address address(InterfaceIndex index, std::string_view prefix, std::uint32_t flags = 0) {
  Address result;
  result.interface = index;
  result.prefix = *core::IpPrefix::parse(prefix);
  result.flags = flags;
  return result;
}

core::IpAddress ip(std::string_view text) {
  return *core::IpAddress::parse(text);
}

}  // namespace

TEST_CASE("links: appear, change, are renamed and vanish, each as one event") {
  LinkTable links;
  const Link down{.index = 2, .name = "eth0"};
  const Link up{.index = 2, .name = "eth0", .up = true, .running = true};
  const Link renamed{.index = 2, .name = "lan0", .up = true, .running = true};

  CHECK(links.upsert(down) == LinkEvent(LinkAppeared{down}));
  CHECK(links.upsert(down) == std::nullopt);
  CHECK(links.upsert(up) == LinkEvent(LinkChanged{down, up}));
  CHECK(links.upsert(renamed) == LinkEvent(LinkChanged{up, renamed}));
  CHECK(links.find("eth0") == nullptr);
  CHECK(*links.find("lan0") == renamed);
  CHECK(links.remove(2) == LinkEvent(LinkVanished{renamed}));
  CHECK(links.remove(2) == std::nullopt);
  CHECK(links.find("lan0") == nullptr);
}

TEST_CASE("links: the end of an old interface does not hide a new one of the same name") {
  LinkTable links;
  links.upsert({.index = 2, .name = "eth0"});
  links.upsert({.index = 9, .name = "eth0"});  // the event about the end of 2 was lost

  links.remove(2);

  REQUIRE(links.find("eth0") != nullptr);
  CHECK(links.find("eth0")->index == 9);
}

TEST_CASE("links: a name that went elsewhere and came back unseen is found again") {
  LinkTable links;
  links.upsert({.index = 2, .name = "eth0"});
  links.upsert({.index = 9, .name = "eth0"});  // 2 had given its name away: that event was lost
  links.upsert({.index = 9, .name = "eth1"});

  CHECK(links.upsert({.index = 2, .name = "eth0"}) == std::nullopt);

  REQUIRE(links.find("eth0") != nullptr);
  CHECK(links.find("eth0")->index == 2);
  CHECK(links.find("eth1")->index == 9);
}

TEST_CASE("resync: what the dump does not mention becomes vanished events") {
  LinkTable links;
  links.upsert({.index = 1, .name = "lo"});
  links.upsert({.index = 2, .name = "eth0"});
  AddressTable addresses;
  addresses.upsert(address(2, "10.0.0.1/24"));
  addresses.upsert(address(2, "10.0.0.2/24"));

  links.begin_resync();
  links.upsert({.index = 1, .name = "lo"});
  addresses.begin_resync();
  addresses.upsert(address(2, "10.0.0.2/24"));

  CHECK(links.sweep() == std::vector<LinkEvent>{LinkVanished{{.index = 2, .name = "eth0"}}});
  CHECK(addresses.sweep() == std::vector<AddressEvent>{AddressVanished{address(2, "10.0.0.1/24")}});
  CHECK(addresses.size() == 1);
}

TEST_CASE("addresses: one address with two prefix lengths is two, IPv6 is one") {
  AddressTable addresses;
  addresses.upsert(address(2, "10.0.0.1/24"));
  addresses.upsert(address(2, "10.0.0.1/32"));
  addresses.upsert(address(3, "10.0.0.1/32"));
  addresses.upsert(address(2, "2001:db8::1/64"));
  addresses.upsert(address(2, "2001:db8::1/128"));

  CHECK(addresses.size() == 4);
  CHECK(addresses.on(2).size() == 3);
  CHECK(addresses.on(2)[0] == address(2, "10.0.0.1/24"));  // the kernel's order is kept
  CHECK(addresses.remove_interface(2).size() == 3);
  CHECK(addresses.size() == 1);
}

TEST_CASE("addresses: one may be used where it is, once its duplicate detection is over") {
  AddressTable addresses;
  addresses.upsert(address(2, "fe80::1/64", kFlagTentative));
  addresses.upsert(address(3, "10.0.0.1/24"));
  addresses.upsert(address(3, "10.0.0.1/32"));
  addresses.upsert(address(4, "10.0.0.1/32"));

  CHECK_FALSE(addresses.is_usable(ip("fe80::1")));
  addresses.upsert(address(2, "fe80::1/64"));
  CHECK(addresses.is_usable(ip("fe80::1")));
  CHECK(addresses.is_usable(2, ip("fe80::1")));
  CHECK_FALSE(addresses.is_usable(3, ip("fe80::1")));

  CHECK(addresses.remove(address(3, "10.0.0.1/24").key()).has_value());
  CHECK(addresses.remove_interface(4).size() == 1);
  CHECK(addresses.is_usable(ip("10.0.0.1")));  // still there with its other length
  CHECK(addresses.remove(address(3, "10.0.0.1/32").key()).has_value());
  CHECK_FALSE(addresses.is_usable(ip("10.0.0.1")));
  CHECK_FALSE(addresses.is_usable(ip("10.0.0.2")));
}

TEST_CASE("source address: the first primary that does not move between directors") {
  const std::vector<Address> here{address(2, "10.0.0.200/24"),
                                  address(2, "10.0.0.3/24", kFlagSecondary),
                                  address(2, "10.1.0.1/24"), address(2, "fe80::1/64")};
  const std::vector<core::IpAddress> moving{ip("10.0.0.200")};

  CHECK(choose_source(here, core::Family::v4, {}) == ip("10.0.0.200"));
  CHECK(choose_source(here, core::Family::v4, moving) == ip("10.1.0.1"));
  CHECK(choose_source(here, core::Family::v6, moving) == ip("fe80::1"));
  CHECK(choose_source(std::span(here).first(1), core::Family::v4, moving) == std::nullopt);
}

TEST_CASE(
    "desired: keepalived's defaults are the interface's name as label, scope global, no "
    "broadcast") {
  const Address resolved = resolve({"eth0", *core::IpPrefix::parse("10.0.0.9"), "", {}, 0},
                                   Link{.index = 7, .name = "eth0"});

  CHECK(resolved.interface == 7);
  CHECK(resolved.label == "eth0");
  CHECK(resolved.scope == core::kScopeGlobal);
  CHECK(resolved.broadcast == std::nullopt);
}

TEST_CASE("codec: what we send to add an address reads back as the same address") {
  Address sent = address(7, "192.168.1.200/24");
  sent.label = "eth0:vip";
  sent.broadcast = ip("192.168.1.255");
  sent.scope = core::kScopeLink;
  sent.peer = ip("192.168.1.201");
  sent.flags = kFlagNoPrefixRoute;
  sent.valid_lifetime = 3600;
  sent.preferred_lifetime = 1800;
  sent.route_metric = 42;
  sent.protocol = 3;
  Bytes datagram;
  append_step({StepKind::add, sent}, 11, datagram);
  append_step({StepKind::remove, sent}, 12, datagram);

  std::vector<Message> messages;
  CHECK(decode_datagram(datagram, [&](const Message& message) { messages.push_back(message); }));

  REQUIRE(messages.size() == 2);
  CHECK(messages[0].sequence == 11);
  CHECK(messages[1].sequence == 12);
  const auto& added = std::get<AddressReport>(messages[0].payload);
  CHECK(added.address == sent);
  CHECK_FALSE(added.gone);
  const auto& removed = std::get<AddressReport>(messages[1].payload);
  CHECK(removed.gone);
  CHECK(removed.address.key() == sent.key());
}

TEST_CASE("codec: datagrams cut at any place and with any byte changed are survived") {
  Address sent = address(7, "192.168.1.200/24");
  sent.label = "eth0:vip";
  Bytes datagram;
  append_step({StepKind::add, sent}, 11, datagram);

  for (std::size_t length = 0; length < datagram.size(); ++length) {
    std::size_t complete = 0;
    const Bytes cut(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(length));
    CHECK(decode_datagram(cut, [&](const Message&) { ++complete; }) == (length == 0));
    CHECK(complete == 0);
  }
  for (std::size_t at = 0; at < datagram.size(); ++at) {
    for (const std::uint8_t value : Bytes{0x00, 0x01, 0x7f, 0x80, 0xff}) {
      Bytes broken = datagram;
      broken[at] = value;
      decode_datagram(broken, [](const Message&) {});
    }
  }
}

TEST_CASE("desired: options of an address become flags, lifetimes and the other end") {
  const Link link{.index = 2, .name = "eth0"};
  DesiredAddress six{.interface = "eth0", .prefix = *core::IpPrefix::parse("2001:db8::1/64")};
  CHECK(resolve(six, link).flags == kFlagNoDad);
  six.options = core::AddressOptions{.no_prefix_route = true,
                                     .duplicate_detection = true,
                                     .manage_temporary = true,
                                     .preferred_lifetime = 60};
  const Address wanted = resolve(six, link);
  CHECK(wanted.flags == (kFlagNoPrefixRoute | kFlagManageTemporary));

  Address actual = wanted;
  actual.preferred_lifetime = 57;  // the kernel counts
  CHECK(satisfies(actual, wanted));
  actual.flags = 0;
  CHECK_FALSE(satisfies(actual, wanted));

  DesiredAddress four{.interface = "eth0", .prefix = *core::IpPrefix::parse("10.0.0.1")};
  four.options = core::AddressOptions{.peer = *core::IpPrefix::parse("10.0.0.2/30"),
                                      .duplicate_detection = true};
  const Address pointed = resolve(four, link);
  CHECK(pointed.flags == 0);
  CHECK(pointed.prefix == *core::IpPrefix::parse("10.0.0.1/30"));
  CHECK(pointed.peer == ip("10.0.0.2"));
  CHECK(is_at(four, pointed.key()));
}

TEST_CASE("codec: the kernel's own words are read from an extended answer") {
  Bytes datagram(sizeof(nlmsghdr) + sizeof(nlmsgerr));
  const std::string text = "IPv6 is disabled on this device";
  nlattr attribute{static_cast<std::uint16_t>(NLA_HDRLEN + text.size() + 1), NLMSGERR_ATTR_MSG};
  const auto* raw = reinterpret_cast<const std::uint8_t*>(&attribute);
  datagram.insert(datagram.end(), raw, raw + sizeof attribute);
  datagram.insert(datagram.end(), text.begin(), text.end());
  datagram.push_back(0);
  nlmsghdr header{static_cast<std::uint32_t>(datagram.size()), NLMSG_ERROR,
                  NLM_F_CAPPED | NLM_F_ACK_TLVS, 5, 0};
  std::memcpy(datagram.data(), &header, sizeof header);
  nlmsgerr error{-EACCES, header};
  std::memcpy(datagram.data() + sizeof header, &error, sizeof error);

  std::optional<Message> seen;
  CHECK(decode_datagram(datagram, [&](const Message& message) { seen = message; }));

  REQUIRE(seen);
  const auto& answer = std::get<Answer>(seen->payload);
  CHECK(answer.system_errno == EACCES);
  CHECK(answer.text == text);
}
