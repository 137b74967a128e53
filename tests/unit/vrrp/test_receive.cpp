#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/receive.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;

namespace {

struct Sent {
  InstanceSettings settings = everyday();
  int priority = 90;
  IpAddress source = ip("192.0.2.2");
  IpAddress destination = vrrp_group();
  std::uint8_t ttl = 255;
};

std::variant<Accepted, Rejected> received(const Sent& sent, const InstanceSettings& ours) {
  std::vector<std::uint8_t> payload;
  encode_advert(make_advert(sent.settings, static_cast<std::uint8_t>(sent.priority)), payload);
  return check_advert(
      Received{"eth0", core::Family::v4, sent.source, sent.destination, sent.ttl, payload}, ours,
      ip("192.0.2.1"));
}

std::string reason(const std::variant<Accepted, Rejected>& outcome) {
  if (const auto* rejected = std::get_if<Rejected>(&outcome))
    return std::string(to_string(rejected->reason));
  return std::get<Accepted>(outcome).address_list_differs ? "accepted, other addresses"
                                                          : "accepted";
}

}  // namespace

TEST_CASE("receive: a peer's ordinary advert is accepted") {
  CHECK(reason(received({}, everyday())) == "accepted");
}

TEST_CASE("receive: TTL below 255 is rejected [RFC3768-7.1-1]") {
  Sent sent;
  sent.ttl = 254;
  CHECK(reason(received(sent, everyday())) == "bad_ttl");

  auto tolerant = everyday();
  tolerant.minimum_ttl = 254;
  CHECK(reason(received(sent, tolerant)) == "accepted");
}

TEST_CASE(
    "receive: malformed adverts carry the decoder's reason, and the TTL is judged before it") {
  std::vector<std::uint8_t> payload(20, 0);
  payload[0] = 0x31;
  payload[1] = 51;
  Received packet{"eth0", core::Family::v4, ip("192.0.2.2"), vrrp_group(), 255, payload};
  CHECK(reason(check_advert(packet, everyday(), ip("192.0.2.1"))) == "bad_version");
  packet.hop_limit = 1;
  CHECK(reason(check_advert(packet, everyday(), ip("192.0.2.1"))) == "bad_ttl");
}

TEST_CASE("receive: unicast to us is not for a multicast instance") {
  Sent sent;
  sent.destination = ip("192.0.2.1");
  CHECK(reason(received(sent, everyday())) == "bad_destination");
}

TEST_CASE("receive: our own address as source is rejected, echo or duplicate") {
  Sent sent;
  sent.source = ip("192.0.2.1");
  CHECK(reason(received(sent, everyday())) == "own_source");
  VirtualAddress other = sent.settings.addresses.front();
  other.prefix.address = ip("192.0.2.101");
  sent.settings.addresses = {other};
  CHECK(reason(received(sent, everyday())) == "duplicate_address");
}

TEST_CASE("receive: another interval is rejected in VRRPv2 [RFC3768-7.1-6]") {
  Sent sent;
  sent.settings.advert_interval = 2s;
  CHECK(reason(received(sent, everyday())) == "interval_mismatch");
}

TEST_CASE("receive: authentication type and password must match [RFC3768-7.1-4]") {
  auto ours = everyday();
  ours.authentication = Authentication::password("secret12");
  Sent sent;

  CHECK(reason(received(sent, ours)) == "authentication_type");
  sent.settings.authentication = Authentication::password("secret13");
  CHECK(reason(received(sent, ours)) == "authentication_data");
  CHECK(reason(received(sent, everyday())) == "authentication_type");
  sent.settings.authentication = Authentication::password("secret12 and what does not fit");
  CHECK(reason(received(sent, ours)) == "accepted");
}

TEST_CASE("receive: without authentication the data is ignored [RFC3768-5.3.10-1]") {
  Sent sent;
  sent.settings.authentication.data = {1, 2, 3};
  CHECK(reason(received(sent, everyday())) == "accepted");
}

TEST_CASE("receive: an owner discards others only where the RFC's letter is configured") {
  auto ours = everyday();
  ours.priority = 255;
  CHECK(reason(received({}, ours)) == "accepted");
  ours.owner_receive = OwnerReceive::discard;
  CHECK(reason(received({}, ours)) == "owner_ignores");
}

TEST_CASE(
    "receive: another address list is remarked, or dropped unless the owner sent it "
    "[RFC3768-7.1-5]") {
  Sent sent;
  VirtualAddress second = sent.settings.addresses.front();
  second.prefix.address = ip("192.0.2.101");
  sent.settings.addresses.push_back(second);
  auto ours = everyday();

  CHECK(reason(received(sent, ours)) == "accepted, other addresses");
  CHECK(reason(received({}, sent.settings)) == "accepted, other addresses");
  ours.address_list_policy = AddressListPolicy::drop_unless_sender_owner;
  CHECK(reason(received(sent, ours)) == "address_list");
  sent.priority = 255;
  CHECK(reason(received(sent, ours)) == "accepted, other addresses");
}

TEST_CASE("receive: the order of the addresses does not matter") {
  auto ours = everyday();
  VirtualAddress second = ours.addresses.front();
  second.prefix.address = ip("192.0.2.101");
  ours.addresses.push_back(second);
  Sent sent;
  sent.settings.addresses = {ours.addresses[1], ours.addresses[0]};
  CHECK(reason(received(sent, ours)) == "accepted");
}

TEST_CASE("receive: every reason has its own number and name") {
  std::set<std::string> names;
  for (std::size_t i = 0; i < RejectReason::kCount; ++i) {
    CHECK(RejectReason::at(i).index() == i);
    CHECK(reason_named(to_string(RejectReason::at(i))) == RejectReason::at(i));
    names.insert(std::string(to_string(RejectReason::at(i))));
  }
  CHECK(names.size() == RejectReason::kCount);
  CHECK(to_string(RejectReason(DecodeError::bad_checksum)) == "bad_checksum");
  CHECK(to_string(RejectReason(Objection::bad_ttl)) == "bad_ttl");
}

TEST_CASE("receive: rejections read as a sentence after the sender's address") {
  Sent sent;
  sent.settings.advert_interval = 2s;
  const auto outcome = received(sent, everyday());
  CHECK(std::get<Rejected>(outcome).source == ip("192.0.2.2"));
  CHECK(std::get<Rejected>(outcome).sentence ==
        "advertises every 2 s, we every 1 s: VRRPv2 peers must agree or all become master, "
        "write the same advert_int");
}

namespace {

std::string sentence_about(const Received& packet, const InstanceSettings& ours) {
  const auto checked = check_advert(packet, ours, ip("192.0.2.1"));
  const auto* rejected = std::get_if<Rejected>(&checked);
  return rejected == nullptr ? "accepted" : rejected->sentence;
}

}  // namespace

TEST_CASE("receive: every sentence has its cure") {
  const auto about = [](std::vector<std::uint8_t> payload, std::uint8_t version = 2,
                        const char* to = "224.0.0.18", std::uint8_t ttl = 255) {
    InstanceSettings ours = everyday();
    ours.version = version;
    return sentence_about(Received{"eth0", core::Family::v4, ip("192.0.2.2"), ip(to), ttl, payload},
                          ours);
  };
  std::vector<std::uint8_t> payload;
  encode_advert(make_advert(everyday(), 90), payload);
  const auto good = payload;
  REQUIRE(about(good) == "accepted");

  CHECK(about(good, 3) ==
        "speaks VRRP version 2, we speak 3: both of you will be master until one changes 'version' "
        "(keepalived also: vrrp_version)");
  payload.resize(12);
  CHECK(about(payload).starts_with("leaves out the 8 bytes of authentication data"));
  payload = good;
  payload[3] = 0;
  CHECK(about(payload).ends_with("give it a virtual_ipaddress"));
  payload = good;
  payload[6] ^= 0xff;
  CHECK(about(payload).starts_with("sends a wrong checksum: damaged"));
  payload = from_hex("3133640100000000c0000264");
  payload[5] = 100;
  payload[7] = 1;
  CHECK(about(payload, 3) ==
        "sends the checksum 0001 where 0571 (with pseudo header) or a802 (without) is right: "
        "damaged, or its addresses were changed on the way");
  CHECK(about(good, 2, "224.0.0.18", 254).ends_with("behind a router, which needs unicast_peer"));
  CHECK(about(good, 2, "224.0.0.99") ==
        "sends to the group 224.0.0.99, ours is 224.0.0.18: write the same vrrp_mcast_group4 on "
        "both");
  CHECK(about(good, 2, "192.0.2.1").ends_with("is it configured for unicast?"));
}
