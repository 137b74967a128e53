#include "ctl/doctor.hpp"

#include "ctl/client.hpp"
#include "ctl/doctor_configuration.hpp"
#include "ctl/doctor_hearing.hpp"
#include "ctl/doctor_view.hpp"
#include "ctl/host_facts.hpp"
#include "ctl/wire_tap.hpp"
#include "runtime/clock.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace holdfast::ctl {
namespace {

struct Comparison {
  Expectations expected;
  std::string with;
};

core::Result<Comparison> choose(const Target& target, const DoctorRequest& request) {
  if (!request.file.empty()) {
    auto expected = read_expectations(request.file, request.config_id);
    if (!expected) return expected.error();
    return Comparison{std::move(*expected), request.file};
  }
  const Reply vrrp = ask(target, "vrrp");
  if (!vrrp.status) return Comparison{};
  return Comparison{expectations_of(*vrrp.status), "the running director"};
}

/// Of instances with a group of their own.
std::set<core::IpAddress> groups_of(const Expectations& expected) {
  std::set<core::IpAddress> groups;
  for (const vrrp::doctor::Expectation& each : expected) {
    if (!each.settings.unicast) groups.insert(each.settings.key().channel);
  }
  return groups;
}

std::set<core::IpAddress> addresses_of(const HostFacts& host) {
  std::set<core::IpAddress> all;
  for (const auto& [name, interface] : host.interfaces) {
    for (const core::IpPrefix& each : interface.addresses) all.insert(each.address);
  }
  return all;
}

}  // namespace

int doctor_vrrp(const Target& target, const DoctorRequest& request) {
  auto comparison = choose(target, request);
  if (!comparison) {
    complain(comparison.error().message);
    return kFailed;
  }
  Examination examination;
  examination.interfaces = request.interfaces.empty() ? interfaces_up() : request.interfaces;
  examination.compared_with = comparison->with;
  auto tap = WireTap::open(examination.interfaces, groups_of(comparison->expected));
  if (!tap) {
    complain(tap.error().message);
    return kFailed;
  }
  vrrp::doctor::Speakers speakers;
  examination.listened = std::chrono::seconds(request.seconds);
  // What a bridge passes on leaves this host, too, but another one has sent it.
  const auto facts = read_host_facts();
  const HostFacts host = facts ? *facts : HostFacts{};
  const std::set<core::IpAddress> own = addresses_of(host);
  tap->listen(examination.listened, [&](const vrrp::doctor::Frame& frame) {
    auto seen = vrrp::doctor::read_frame(frame);
    if (!seen) return;
    seen->is_ours = seen->is_ours && own.contains(seen->source);
    speakers.note(std::move(*seen), runtime::now());
  });
  examination.lost = tap->lost();
  examination.unlisted = speakers.unlisted();
  examination.speakers = speakers.all();
  examination.findings =
      vrrp::doctor::diagnose(examination.speakers, comparison->expected, examination.interfaces);
  for (vrrp::doctor::Finding& each :
       deaf_places(host, comparison->expected, examination.interfaces))
    examination.findings.push_back(std::move(each));
  say(request.format == Format::json ? boost::json::serialize(examination_json(examination)) + "\n"
                                     : render_examination(examination, request.colours));
  return examination.has_problems() ? kFailed : kDone;
}

}  // namespace holdfast::ctl
