#include "vrrp/io/stranger_log.hpp"

#include "runtime/clock.hpp"
#include "vrrp/core/receive.hpp"
#include "vrrp/messages.hpp"

#include <fmt/format.h>

namespace holdfast::vrrp {
namespace {

constexpr core::Duration kLineEvery = std::chrono::minutes(1);

}  // namespace

StrangerLog::StrangerLog(runtime::Logger& logger) : logger_(logger), lines_(kLineEvery) {}

void StrangerLog::hear(const Received& packet, const Router& router) {
  const auto advert = advert_in(packet);
  const auto vrid = advert ? peek_vrid(*advert) : std::nullopt;
  if (!vrid || router.receiver(packet, *vrid) != nullptr) return;
  const std::string sender = packet.source.to_string();
  const core::Instant now = runtime::now();
  const auto held_back = lines_.admit(fmt::format("{} {}", packet.interface, *vrid), now);
  if (!held_back || !all_.admit(now)) return;
  logger_.log(kStranger,
              "{}: an advert of virtual router {} from {}, which is not configured here ({} more "
              "like this since the last line)",
              packet.interface.empty() ? "without an interface" : packet.interface, *vrid, sender,
              *held_back);
}

}  // namespace holdfast::vrrp
