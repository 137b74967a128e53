// An instance that lives on a virtual interface: it serves only with it, and its adverts leave by
// it where they shall.
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/instance.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;
using Lines = std::vector<std::string>;

namespace {

const Instant t0{1h};
const InterfaceStatus kGood{.exists = true, .up = true, .primary_address = ip("192.0.2.1")};

/// Master at t0, on a good interface.
Instance master_with(core::Rare<OwnDevice> device, Actions& out) {
  InstanceSettings settings = everyday();
  settings.device = std::move(device);
  Instance instance(settings);
  instance.step(InterfaceReport{kGood}, t0 - 1h, out);
  instance.step(Startup{}, t0 - 1h, out);
  out.clear();
  instance.step(Tick{}, t0, out);
  REQUIRE(instance.state_name() == StateName::master);
  return instance;
}

Lines report(Instance& instance, const InterfaceStatus& status, Instant now) {
  Actions out;
  instance.step(InterfaceReport{status}, now, out);
  return texts(out);
}

}  // namespace

TEST_CASE("master: without its virtual interface it resigns, with the sentence that says why") {
  Actions out;
  Instance instance = master_with(OwnDevice{"vrrp.51", AdvertsFrom::device}, out);
  InterfaceStatus without = kGood;
  without.device_troubles = {{"vrrp.52", "no concern of ours"}};
  CHECK(report(instance, without, t0 + 1ms).empty());

  without.device_troubles["vrrp.51"] = "vrrp.51 is a dummy";
  const Lines resigned = report(instance, without, t0 + 2ms);
  REQUIRE_FALSE(resigned.empty());
  CHECK(resigned.front() == "send advert priority 0");
  CHECK(instance.state_name() == StateName::fault);
  CHECK(instance.why() == "vrrp.51 is a dummy");

  CHECK(report(instance, kGood, t0 + 3ms).front() == "FAULT -> BACKUP: the fault is over");
}

TEST_CASE("master: adverts leave by the virtual interface only where it says so") {
  const auto leaves_by = [](core::Rare<OwnDevice> device) {
    Actions out;
    master_with(std::move(device), out);
    return std::get<SendAdvert>(out.front()).departure->device.str();
  };

  CHECK(leaves_by({}).empty());
  CHECK(leaves_by(OwnDevice{"vrrp.51", AdvertsFrom::device}) == "vrrp.51");
  CHECK(leaves_by(OwnDevice{"vrrp.51", AdvertsFrom::interface}).empty());
}

TEST_CASE("master: what adverts do not show is announced again and again (garp_extra_if)") {
  InstanceSettings settings = everyday();
  settings.garp.delay = Duration::zero();
  const AddressList elsewhere = std::vector{settings.addresses[0]};
  settings.extra_announcements = ExtraAnnouncements{10s, elsewhere};
  Instance instance(settings);
  Actions out;
  instance.step(InterfaceReport{kGood}, t0 - 1h, out);
  instance.step(Startup{}, t0 - 1h, out);
  instance.step(Tick{}, t0, out);
  const auto tick = [&](Instant now) {
    out.clear();
    instance.step(Tick{}, now, out);
    return texts(out);
  };
  const auto extra_at = [&] { return std::get<Master>(instance.state()).extra_at; };
  for (int second = 1; second < 10; ++second)
    CHECK(tick(t0 + second * Duration(1s)) == Lines{"send advert priority 100"});

  CHECK(tick(t0 + 10s) == Lines{"send advert priority 100", "announce x1"});
  CHECK(std::get<Announce>(out.back()).addresses == elsewhere);
  CHECK(extra_at() == t0 + 20s);

  settings.extra_announcements = ExtraAnnouncements{3s, elsewhere};
  instance.step(Reconfigure{settings, {}}, t0 + 11s, out);
  CHECK(extra_at() == t0 + 14s);
  settings.extra_announcements.reset();
  instance.step(Reconfigure{settings, {}}, t0 + 12s, out);
  CHECK(extra_at() == std::nullopt);
}
