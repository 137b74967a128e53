#include "ctl/doctor_view.hpp"

#include "ctl/json_view.hpp"
#include "vrrp/core/dialect.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::ctl {
namespace {

using vrrp::doctor::Finding;
using vrrp::doctor::Protocol;
using vrrp::doctor::Sighting;
using vrrp::doctor::Speaker;

std::string authentication_of(const Sighting& seen) {
  if (seen.has_ah) return "AH";
  if (seen.has_trailer) return "HMAC";
  if (seen.protocol != Protocol::vrrp || seen.version != 2 || seen.fault) return "";
  switch (seen.advert.authentication_type) {
    case 0:
      return "none";
    case 1:
      return "PASS";
    default:
      return fmt::format("type {}", seen.advert.authentication_type);
  }
}

/// Only where there are several.
std::string checksum_of(const Sighting& seen) {
  if (seen.protocol != Protocol::vrrp) return "";
  if (seen.fault) return std::string(to_string(*seen.fault));
  if (seen.version != 3 || seen.family != core::Family::v4) return "right";
  return std::string(to_string(seen.advert.checksum));
}

std::string speaks(const Sighting& seen) {
  return fmt::format("{}v{}", to_string(seen.protocol), seen.version);
}

std::string every(const Speaker& speaker) {
  const Sighting& seen = speaker.latest;
  if (seen.fault) return "";
  return fmt::format("{:g} s", std::chrono::duration<double>(seen.interval).count());
}

std::string way(const Sighting& seen) {
  return seen.destination.is_multicast() ? seen.destination.to_string()
                                         : "unicast " + seen.destination.to_string();
}

std::vector<std::string> below(const Speaker& speaker, Colours colours) {
  std::vector<std::string> lines;
  const Sighting& seen = speaker.latest;
  if (!seen.addresses.empty()) lines.push_back("addresses: " + core::join(seen.addresses));
  std::string looks = seen.is_ours ? "this host" : vrrp::doctor::guess_of(speaker);
  if (seen.is_ours) {
    const std::string guess = vrrp::doctor::guess_of(speaker);
    if (!guess.empty()) looks += ": " + guess;
  }
  if (!looks.empty()) lines.push_back(painted(looks, Paint::dim, colours));
  return lines;
}

std::string speakers_on(const std::string& interface, const Examination& examination,
                        Colours colours) {
  TextTable table({{"from"},
                   {"speaks"},
                   {"id", Align::right},
                   {"priority", Align::right},
                   {"every", Align::right},
                   {"packets", Align::right},
                   {"authentication"},
                   {"checksum"},
                   {"to"},
                   {"TTL", Align::right},
                   {"MAC"}});
  bool is_silent = true;
  for (const Speaker& each : examination.speakers) {
    const Sighting& seen = each.latest;
    if (seen.interface != interface) continue;
    is_silent = false;
    table.add({{seen.source.to_string(), Paint::bold},
               {speaks(seen)},
               {fmt::format("{}", seen.number)},
               {fmt::format("{}", seen.priority)},
               {every(each)},
               {fmt::format("{}", each.packets)},
               {authentication_of(seen)},
               {checksum_of(seen), seen.fault ? Paint::bad : Paint::plain},
               {way(seen)},
               {fmt::format("{}", seen.hop_limit)},
               {seen.mac.to_string()}},
              below(each, colours));
  }
  if (is_silent) return "";
  return painted(interface, Paint::bold, colours) + "\n" + table.render(2, colours);
}

std::string finding_text(const Finding& finding, Colours colours) {
  const Paint paint = finding.is_problem ? Paint::bad : Paint::dim;
  std::string lines =
      fmt::format("  {} {}, {}: {}\n", painted(finding.is_problem ? "✗" : "·", paint, colours),
                  finding.interface.empty() ? "any interface" : finding.interface, finding.subject,
                  finding.sentence);
  const std::string whom = finding.speaker.empty() ? "" : " on " + finding.speaker;
  if (!finding.cure.keepalived.empty())
    lines += fmt::format("      keepalived or Holdfast{}:  {}\n", whom, finding.cure.keepalived);
  if (!finding.cure.frr.empty()) lines += fmt::format("      FRR{}:  {}\n", whom, finding.cure.frr);
  return lines;
}

std::string heading(const Examination& examination, const std::vector<std::string>& silent) {
  const double seconds = std::chrono::duration<double>(examination.listened).count();
  std::string text;
  if (!silent.empty())
    text += fmt::format("nothing was heard in {:g} s on: {}\n", seconds, fmt::join(silent, " "));
  if (examination.compared_with.empty()) {
    text += "compared with each other only: no director answers here and no file was given\n";
  } else {
    text += fmt::format("compared with {}\n", examination.compared_with);
  }
  if (examination.lost != 0)
    text += fmt::format("{} packets came faster than they could be read\n", examination.lost);
  if (examination.unlisted != 0)
    text += fmt::format("{} packets of more speakers than are listed ({}): somebody floods\n",
                        examination.unlisted, vrrp::doctor::Speakers::kMost);
  return text;
}

object finding_json(const Finding& finding) {
  return {{"interface", finding.interface},
          {"subject", finding.subject},
          {"speaker", finding.speaker},
          {"reason", finding.reason},
          {"what", finding.sentence},
          {"problem", finding.is_problem},
          {"keepalived", finding.cure.keepalived},
          {"frr", finding.cure.frr}};
}

object speaker_json(const Speaker& speaker) {
  const Sighting& seen = speaker.latest;
  const auto milliseconds = [](core::Duration duration) {
    return static_cast<double>(duration.count()) / 1000;
  };
  array addresses;
  for (const core::IpAddress& each : seen.addresses) addresses.emplace_back(each.to_string());
  return {{"interface", seen.interface},
          {"source", seen.source.to_string()},
          {"destination", seen.destination.to_string()},
          {"mac", seen.mac.to_string()},
          {"this_host", seen.is_ours},
          {"protocol", to_string(seen.protocol)},
          {"version", seen.version},
          {"family", seen.family == core::Family::v4 ? "ipv4" : "ipv6"},
          {"id", seen.number},
          {"priority", seen.priority},
          {"interval_ms", milliseconds(seen.interval)},
          {"measured_ms", milliseconds(speaker.gap())},
          {"packets", speaker.packets},
          {"ttl", seen.hop_limit},
          {"authentication", authentication_of(seen)},
          {"checksum", checksum_of(seen)},
          {"addresses", std::move(addresses)},
          {"looks_like", vrrp::doctor::guess_of(speaker)}};
}

}  // namespace

bool Examination::has_problems() const {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& each) { return each.is_problem; });
}

std::string render_examination(const Examination& examination, Colours colours) {
  std::string result;
  std::vector<std::string> silent;
  for (const std::string& each : examination.interfaces) {
    const std::string part = speakers_on(each, examination, colours);
    result += part;
    if (part.empty()) silent.push_back(each);
  }
  result += heading(examination, silent);
  for (const Finding& each : examination.findings) result += finding_text(each, colours);
  if (!examination.has_problems()) result += "nothing is wrong as far as can be heard\n";
  return result;
}

object examination_json(const Examination& examination) {
  array speakers;
  for (const Speaker& each : examination.speakers) speakers.push_back(speaker_json(each));
  array findings;
  for (const Finding& each : examination.findings) findings.push_back(finding_json(each));
  return {{"interfaces", array(examination.interfaces.begin(), examination.interfaces.end())},
          {"listened_ms", examination.listened.count() / 1000},
          {"packets_lost", examination.lost},
          {"packets_unlisted", examination.unlisted},
          {"compared_with", examination.compared_with},
          {"speakers", std::move(speakers)},
          {"findings", std::move(findings)}};
}

}  // namespace holdfast::ctl
