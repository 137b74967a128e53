#include "vrrp/device_status.hpp"

namespace holdfast::vrrp {

namespace json = boost::json;

json::object device_json(const netlink::DeviceState& state) {
  const auto& mac = state.device.mac;
  json::object device{
      {"name", state.device.name},    {"kind", netlink::to_string(state.device.kind)},
      {"above", state.device.parent}, {"mac", mac ? json::value(mac->to_string()) : json::value()},
      {"ours", state.is_ours},        {"repairs", state.repairs}};
  if (!state.problem.empty()) device.emplace("problem", state.problem);
  return device;
}

}  // namespace holdfast::vrrp
