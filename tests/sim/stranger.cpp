#include "tests/sim/stranger.hpp"

namespace holdfast::sim {

using namespace vrrp;
using namespace std::chrono_literals;

namespace {

constexpr std::uint8_t kHighPriority = 254;
constexpr std::size_t kStrangersNumber = 40;

/// What is wrong with it; all but the last are possible with every director.
enum class Wrong : std::uint8_t { destination, checksum, count, content, hop_limit_or_sender };

}  // namespace

std::optional<Bytes> forged_advert(const InstanceSettings& victim,
                                   const std::optional<core::IpAddress>& address, std::size_t wire,
                                   const Fault& fault) {
  if (!address) return std::nullopt;
  const auto wrong = static_cast<Wrong>(fault.amount % 5);
  const core::IpAddress group = vrrp_group(victim.family);
  Departure departure{.source = own_address(kStrangersNumber, wire, victim.family),
                      .hop_limit = 255,
                      .letters = {}};
  Letter letter{victim.unicast ? *address : group, {}};
  Advert advert = make_advert(victim, fault.amount % 2 == 0 ? kHighPriority : kResignPriority);
  switch (wrong) {
    case Wrong::destination:
      letter.destination = victim.unicast ? group : *address;
      break;
    case Wrong::checksum:
    case Wrong::count:
      break;  // below, in the bytes
    case Wrong::content:
      if (victim.version == 3) return std::nullopt;
      advert.authentication_data.front() ^= 1U;
      break;
    case Wrong::hop_limit_or_sender:
      if (victim.unicast && victim.unicast->senders == Senders::anybody) return std::nullopt;
      if (!victim.unicast) departure.hop_limit = 254;
      break;
  }
  encode_advert(advert, letter.payload, {victim.version, departure.source, letter.destination});
  if (wrong == Wrong::checksum) letter.payload[6] ^= 0x10;
  if (wrong == Wrong::count) letter.payload[3] = 0;
  return encode_packet(departure, letter, 1);
}

}  // namespace holdfast::sim
