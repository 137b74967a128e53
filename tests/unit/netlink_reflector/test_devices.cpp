// Virtual interfaces as values: what is done about one, what the kernel is asked and what it says.
#include "netlink_reflector/core/codec.hpp"
#include "netlink_reflector/core/devices.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <linux/if.h>
#include <linux/rtnetlink.h>

using namespace holdfast;
using namespace holdfast::netlink;

namespace {

constexpr std::string_view kMark = "holdfast /run/holdfast";

const Link kParent{.index = 2, .name = "eth0", .up = true, .running = true};

DesiredDevice wanted() {
  return {.name = "vrrp.51",
          .parent = "eth0",
          .mac = core::MacAddress{{0x00, 0x00, 0x5e, 0x00, 0x01, 51}}};
}

/// As wanted() is when it is in order.
Link ours() {
  Link link{.index = 9, .name = "vrrp.51", .up = true, .running = true};
  link.mac = wanted().mac;
  link.lower = kParent.index;
  link.kind = "macvlan";
  link.mode = kMacvlanVepa;
  link.alias = kMark;
  return link;
}

DeviceStep step_for(const Link& link) {
  return judge(wanted(), &link, &kParent, kMark).step;
}

}  // namespace

TEST_CASE("devices: the MAC address is the virtual router's [RFC9568-7.2-2]") {
  CHECK(virtual_mac(core::Family::v4, 51).to_string() == "00:00:5e:00:01:33");
  CHECK(virtual_mac(core::Family::v6, 255).to_string() == "00:00:5e:00:02:ff");
}

TEST_CASE("devices: one that is missing is made, once the interface below is there") {
  CHECK(judge(wanted(), nullptr, &kParent, kMark) == Judgement{DeviceStep::create, {}});
  const Judgement alone = judge(wanted(), nullptr, nullptr, kMark);
  CHECK(alone.step == DeviceStep::none);
  CHECK(alone.problem == "vrrp.51 cannot be made: interface eth0 does not exist");
}

TEST_CASE("devices: ours is mended where it can be, and made anew where not") {
  CHECK(step_for(ours()) == DeviceStep::none);
  Link down = ours();
  down.up = false;
  CHECK(step_for(down) == DeviceStep::set_up);
  Link closed = ours();
  closed.mode = 1;
  CHECK(step_for(closed) == DeviceStep::set_up);
  Link elsewhere = ours();
  elsewhere.lower = 3;
  CHECK(step_for(elsewhere) == DeviceStep::remove);
  Link other_mac = ours();
  other_mac.mac->bytes[5] = 52;
  CHECK(step_for(other_mac) == DeviceStep::remove);
}

TEST_CASE("devices: what others made is used when it fits, and never touched when it does not") {
  Link fits = ours();
  fits.alias.clear();
  CHECK(judge(wanted(), &fits, &kParent, kMark) == Judgement{});
  Link dummy = fits;
  dummy.kind = "dummy";
  Link real = fits;
  real.kind.clear();
  Link elsewhere = fits;
  elsewhere.lower = 3;
  Link other_mac = fits;
  other_mac.mac->bytes[5] = 52;
  for (const Link& link : {dummy, real, elsewhere, other_mac}) {
    const Judgement judged = judge(wanted(), &link, &kParent, kMark);
    CHECK(judged.step == DeviceStep::none);
    CHECK(judged.problem.find("is there already and is not ours") != std::string::npos);
  }
}

TEST_CASE("devices: a strict reverse path filter for all is answered with a loose one") {
  CHECK(settings_of_device(wanted(), 0).at("ipv4/conf/vrrp.51/rp_filter") == "0");
  CHECK(settings_of_device(wanted(), 1).at("ipv4/conf/vrrp.51/rp_filter") == "2");
  CHECK(settings_of_device(wanted(), 2).at("ipv4/conf/vrrp.51/rp_filter") == "0");
  CHECK(settings_of_device(wanted(), 0).at("ipv6/conf/vrrp.51/disable_ipv6") == "1");
}

TEST_CASE("devices: interfaces below are told to be silent for IPv4 only") {
  DesiredDevice six = wanted();
  six.parent = "eth1";
  six.has_v4 = false;
  six.has_v6 = true;

  CHECK(settings_of_parents({wanted(), six}) == KernelSettings{{"ipv4/conf/eth0/arp_announce", "2"},
                                                               {"ipv4/conf/eth0/arp_filter", "1"},
                                                               {"ipv4/conf/eth0/arp_ignore", "1"}});
}

TEST_CASE("devices: the record of settings comes back, and leads nowhere else") {
  const KernelSettings settings{{"ipv4/conf/eth0/arp_ignore", "0"},
                                {"ipv4/conf/eth 1/arp_filter", "1"}};
  CHECK(parse_settings(write_settings(settings)) == settings);
  CHECK(parse_settings(write_settings({})) == KernelSettings{});
  CHECK(parse_settings("") == std::nullopt);
  CHECK(parse_settings("something else\n") == std::nullopt);
  const std::string title = write_settings({});
  CHECK(parse_settings(title + "ipv4/conf/../x 0\n") == std::nullopt);
  CHECK(parse_settings(title + "core/rmem_max 0\n") == std::nullopt);
  CHECK(parse_settings(title + "ipv4/conf/eth0/arp_ignore 0") == std::nullopt);
}

TEST_CASE("devices: a request says kind, mode, address and the interface below") {
  Bytes datagram;
  append_device(wanted(), 2, 7, datagram);
  Link asked;
  decode_datagram(datagram, [&](const Message& message) {
    CHECK(message.sequence == 7);
    REQUIRE(std::holds_alternative<Unknown>(message.payload));  // it has no number yet
  });
  // As an answer of the kernel's it would be a link with a number and a type.
  ifinfomsg header{};
  std::memcpy(&header, datagram.data() + sizeof(nlmsghdr), sizeof header);
  header.ifi_index = 9;
  header.ifi_type = 1;  // ARPHRD_ETHER
  std::memcpy(datagram.data() + sizeof(nlmsghdr), &header, sizeof header);
  decode_datagram(datagram, [&](const Message& message) {
    asked = std::get<LinkReport>(message.payload).link;
  });
  CHECK(asked.name == "vrrp.51");
  CHECK(asked.kind == "macvlan");
  CHECK(asked.mode == kMacvlanVepa);
  CHECK(asked.mac == wanted().mac);
  CHECK(asked.lower == 2);

  DesiredDevice other{.name = "ipv51", .parent = "eth0", .kind = DeviceKind::ipvlan, .mode = 0};
  Bytes up;
  append_device_up(other, Link{.index = 9, .name = "ipv51"}, kMark, 8, up);
  decode_datagram(up, [&](const Message& message) {
    const auto* report = std::get_if<LinkReport>(&message.payload);
    CHECK(report == nullptr);  // it goes by the number, not by the name
  });
  std::memcpy(&header, up.data() + sizeof(nlmsghdr), sizeof header);
  CHECK(header.ifi_index == 9);
  CHECK((header.ifi_flags & header.ifi_change & IFF_UP) != 0);
}
