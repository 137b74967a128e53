// Any frame: what the doctor reads of it, and what it says of that beside an ordinary pair.
#include "vrrp/doctor/diagnosis.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace holdfast;
using namespace holdfast::vrrp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  doctor::Speakers speakers;
  // Several frames: each with its length in front.
  std::span<const std::uint8_t> rest(data, size);
  for (int count = 0; rest.size() > 2 && count < 64; ++count) {
    const bool is_ours = (rest[0] & 0x80) != 0;
    const std::size_t wanted = static_cast<std::size_t>(rest[0] & 0x7f) << 8 | rest[1];
    rest = rest.subspan(2);
    const auto packet = rest.first(std::min(rest.size(), wanted));
    rest = rest.subspan(packet.size());
    auto seen =
        doctor::read_frame({.interface = "eth0", .mac = {}, .is_ours = is_ours, .packet = packet});
    if (seen) speakers.note(std::move(*seen), Instant{std::chrono::milliseconds(700 * count)});
  }
  InstanceSettings settings;
  settings.name = "VI_1";
  settings.interface = "eth0";
  settings.vrid = 51;
  settings.addresses = std::vector<VirtualAddress>(1);
  for (const doctor::Speaker& each : speakers.all()) {
    if (doctor::guess_of(each).size() > 1000) std::abort();
  }
  const auto alone = doctor::diagnose(speakers.all(), {}, {"eth0"});
  const auto beside = doctor::diagnose(speakers.all(), {{settings, false, {}}}, {"eth0"});
  for (const doctor::Finding& each : alone) {
    if (each.sentence.empty() || each.reason.empty()) std::abort();
  }
  return beside.size() > 100'000 ? 1 : 0;
}
