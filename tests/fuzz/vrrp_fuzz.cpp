// Any bytes as a received VRRP packet: header and driver, as in the daemon. What decodes must
// survive encoding and decoding again.
#include "core/assertion.hpp"
#include "vrrp/core/ah.hpp"
#include "vrrp/core/driver.hpp"
#include "vrrp/core/trailer.hpp"
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

/// What is signed anew is read back and fits; no other bytes do.
void check_trailer(std::span<const std::uint8_t> bytes, const Envelope& envelope) {
  static const SigningKey kKey{7, std::vector<std::uint8_t>(32, 1)};
  const auto split = split_trailer(bytes, envelope);
  if (!split) return;
  HOLDFAST_ASSERT(signature_of(*split, envelope, kKey.bytes) != split->trailer.signature,
                  "nobody guesses 128 bits");
  std::vector<std::uint8_t> again(split->advert.begin(), split->advert.end());
  append_trailer(again, envelope, kKey, split->trailer.stamp);
  const auto back = split_trailer(again, envelope);
  HOLDFAST_ASSERT(back && back->trailer.key == kKey.id &&
                      back->trailer.stamp == split->trailer.stamp &&
                      signature_of(*back, envelope, kKey.bytes) == back->trailer.signature,
                  "our own trailers fit");
}

void check_header(std::span<const std::uint8_t> bytes, const AhScope& scope) {
  static constexpr AhKey kKey{'k', 'e', 'y'};
  const auto header = decode_ah(bytes);
  if (header.has_error()) return;
  std::vector<std::uint8_t> again(header->payload.begin(), header->payload.end());
  put_ah(again, header->header.sequence, scope, kKey);
  const auto back = decode_ah(again);
  HOLDFAST_ASSERT(back.has_value() && back->header.sequence == header->header.sequence &&
                      ah_proof(*back, scope, kKey) == back->header.proof,
                  "our own headers fit");
}

enum class Proving : std::uint8_t { nothing, header, signature };

void check_driver(std::span<const std::uint8_t> bytes, std::uint8_t version,
                  Proving proving = Proving::nothing) {
  InstanceSettings settings;
  settings.version = version;
  if (proving == Proving::header) settings.authentication = Authentication::header("secret");
  if (proving == Proving::signature)
    settings.signing = Signing{.keys = {{1, std::vector<std::uint8_t>(32, 1)}},
                               .anti_replay = AntiReplay::monotonic};
  settings.interface = "eth0";
  const std::size_t vrid_at = proving == Proving::header ? 45 : 21;
  settings.vrid = bytes.size() > vrid_at ? bytes[vrid_at] : std::uint8_t{51};
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
  const bool hears = driver.router().instances().front()->counters().adverts_received != 0;
  HOLDFAST_ASSERT(proving == Proving::nothing || !hears, "nobody guesses a proof of origin");
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
  check_driver(bytes, 2, Proving::header);
  check_driver(bytes, 2, Proving::signature);
  check_driver(bytes, 3, Proving::signature);
  check_trailer(bytes, {});
  check_trailer(bytes, {3, here, vrrp_group()});
  check_trailer(bytes, {3, here6, vrrp_group(core::Family::v6)});
  check_header(bytes, {here, vrrp_group(), 7, 255});
  return 0;
}
