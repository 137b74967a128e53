// Any bytes as a received VRRP packet: header and driver, as in the daemon. What decodes must
// survive encoding and decoding again.
#include "core/assertion.hpp"
#include "vrrp/core/driver.hpp"
#include "vrrp/io/ipv4_header.hpp"

#include <cstdint>
#include <span>

using namespace holdfast;
using namespace holdfast::vrrp;

namespace {

void check_round_trip(std::span<const std::uint8_t> bytes, const Envelope& envelope) {
  const auto advert = decode_advert(bytes, envelope);
  if (advert.has_error()) return;
  std::vector<std::uint8_t> again;
  encode_advert(*advert, again, envelope);
  const auto back = decode_advert(again, envelope);
  HOLDFAST_ASSERT(back.has_value(), "our own adverts decode");
  // An interval of 0 s cannot be sent: encoding makes it 1.
  if (advert->interval > Duration::zero())
    HOLDFAST_ASSERT(*back == *advert, "encoding loses nothing");
}

void check_driver(std::span<const std::uint8_t> bytes, std::uint8_t version) {
  InstanceSettings settings;
  settings.version = version;
  settings.interface = "eth0";
  settings.vrid = bytes.size() > 21 ? bytes[21] : std::uint8_t{51};
  settings.addresses.push_back({.prefix = {IpAddress::v4({192, 0, 2, 100}), 32},
                                .interface = {},
                                .label = {},
                                .broadcast = {},
                                .scope = {}});
  const Instant now{std::chrono::hours(1)};
  Driver driver(Router({settings}));
  Actions actions;
  driver.handle(
      InterfaceChanged{
          "eth0", {.exists = true, .up = true, .primary_address = IpAddress::v4({192, 0, 2, 9})}},
      now, actions);
  driver.handle(Startup{}, now, actions);
  driver.begin(now, Duration::zero(), actions);
  if (auto packet = decode_ipv4(bytes)) {
    packet->interface = "eth0";
    driver.receive(*packet, actions);
  }
  driver.finish(actions);
  HOLDFAST_ASSERT(driver.deadline() > now, "no packet makes a backup master at once");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  const IpAddress here = IpAddress::v4({192, 0, 2, 1});
  const IpAddress here6 = IpAddress::v6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  check_round_trip(bytes, {});
  check_round_trip(bytes, {3, here, vrrp_group()});
  check_round_trip(bytes, {3, here, IpAddress::v4({192, 0, 2, 9})});
  check_round_trip(bytes, {3, here6, vrrp_group(core::Family::v6)});
  check_driver(bytes, 2);
  check_driver(bytes, 3);
  return 0;
}
