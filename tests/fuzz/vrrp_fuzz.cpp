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

void check_round_trip(std::span<const std::uint8_t> bytes) {
  const auto advert = decode_advert(bytes);
  if (advert.has_error()) return;
  std::vector<std::uint8_t> again;
  encode_advert(*advert, again);
  const auto back = decode_advert(again);
  HOLDFAST_ASSERT(back.has_value(), "our own adverts decode");
  // An interval of 0 s cannot be sent: encoding makes it 1.
  if (advert->interval > Duration::zero())
    HOLDFAST_ASSERT(*back == *advert, "encoding loses nothing");
}

void check_driver(std::span<const std::uint8_t> bytes) {
  InstanceSettings settings;
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
  check_round_trip(bytes);
  check_driver(bytes);
  return 0;
}
