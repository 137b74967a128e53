#include "vrrp/core/timing.hpp"

#include <algorithm>

namespace holdfast::vrrp {

using namespace std::chrono_literals;

Duration skew_time(std::uint8_t priority, Duration master_adver_interval, std::uint8_t version) {
  const Duration whole = version == 2 ? Duration(1s) : master_adver_interval;
  return (256 - std::max<int>(priority, 1)) * whole / 256;
}

Duration master_down_interval(const InstanceSettings& settings, Duration master_adver_interval) {
  return master_down_interval(settings, master_adver_interval, settings.priority);
}

Duration master_down_interval(const InstanceSettings& settings, Duration master_adver_interval,
                              std::uint8_t priority) {
  return settings.down_timer_adverts * master_adver_interval +
         skew_time(priority, master_adver_interval, settings.version);
}

Duration silence_allowed(const InstanceSettings& settings) {
  return silence_allowed(settings, settings.advert_interval);
}

Duration silence_allowed(const InstanceSettings& settings, Duration interval) {
  return settings.down_timer_adverts * interval;
}

Duration handover_bound(const InstanceSettings& settings,
                        std::optional<std::uint8_t> peer_priority) {
  return skew_time(peer_priority.value_or(1), settings.advert_interval, settings.version) +
         settings.advert_interval;
}

}  // namespace holdfast::vrrp
