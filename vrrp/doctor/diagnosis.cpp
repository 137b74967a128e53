#include "vrrp/doctor/diagnosis.hpp"

#include "vrrp/core/ah.hpp"
#include "vrrp/core/sentences.hpp"
#include "vrrp/doctor/viewer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace holdfast::vrrp::doctor {
namespace {

/// What a director has heard before that is of the past.
constexpr Duration kMemory = std::chrono::minutes(10);

/// Those that share what must be unique: an interface, a family and a number.
struct GroupKey {
  std::string interface;
  core::Family family = core::Family::v4;
  std::uint16_t number = 0;
  auto operator<=>(const GroupKey&) const = default;
};
using Group = std::vector<const Speaker*>;

std::string subject_of(const GroupKey& key, const std::string& name) {
  const std::string number =
      fmt::format("VRID {}, {}", key.number, key.family == core::Family::v4 ? "IPv4" : "IPv6");
  return name.empty() ? number : fmt::format("{} ({})", name, number);
}

class Diagnosis {
 public:
  Diagnosis(const std::vector<Speaker>& speakers, const std::vector<Expectation>& expected) {
    for (const Speaker& each : speakers) {
      const Sighting& seen = each.latest;
      used_[seen.interface].insert(seen.number);
      if (seen.protocol == Protocol::hsrp) {
        hsrp_.push_back(&each);
      } else {
        groups_[{seen.interface, seen.family, seen.number}].push_back(&each);
      }
    }
    for (const Expectation& each : expected) {
      if (each.settings.is_routed() && find_ways(each)) continue;
      used_[each.settings.interface].insert(each.settings.vrid);
      instances_[{each.settings.interface, each.settings.family, each.settings.vrid}].push_back(
          &each);
    }
  }

  std::vector<Finding> run(const std::vector<std::string>& listened) {
    for (const auto& [key, group] : groups_) examine(key, group);
    for (const auto& [key, instances] : instances_) {
      const bool is_heard = key.interface.empty() || std::find(listened.begin(), listened.end(),
                                                               key.interface) != listened.end();
      if (!is_heard) continue;
      for (const Expectation* each : instances) {
        if (!recall(key, *each) && !groups_.contains(key)) remark_silence(key, *each);
      }
    }
    for (const Speaker* each : hsrp_) examine_hsrp(*each);
    return std::move(findings_);
  }

 private:
  /// Without an interface it belongs wherever one of its peers, or itself, speaks to one address.
  bool find_ways(const Expectation& each) {
    bool is_any = false;
    for (const auto& [key, group] : groups_) {
      const bool is_number = key.family == each.settings.family && key.number == each.settings.vrid;
      const bool is_unicast = std::any_of(group.begin(), group.end(), [](const Speaker* one) {
        return !one->latest.destination.is_multicast();
      });
      if (!is_number || !is_unicast) continue;
      instances_[key].push_back(&each);
      is_any = true;
    }
    return is_any;
  }

  void add(const GroupKey& key, const std::string& name, Finding finding) {
    finding.interface = key.interface;
    finding.subject = subject_of(key, name);
    if (std::find(findings_.begin(), findings_.end(), finding) == findings_.end())
      findings_.push_back(std::move(finding));
  }

  void examine(const GroupKey& key, const Group& group) {
    const std::size_t before = findings_.size();
    const std::vector<Viewer> viewers = viewers_of(key, group);
    for (const Speaker* each : group) {
      for (const Viewer* viewer : concerned(viewers, each->latest)) {
        if (viewer->self != each && !is_own(*viewer, *each)) judge(key, *viewer, *each, group);
      }
    }
    compare_forms(key, group);
    compare_masters(key, group, findings_.size() != before);
    for (const Speaker* each : group) examine_source(key, *each);
  }

  /// To each unicast peer goes a letter of its own.
  static bool is_own(const Viewer& viewer, const Speaker& speaker) {
    return speaker.latest.is_ours && viewer.address() == speaker.latest.source;
  }

  /// Of several instances with one number those that share the way; if none does, the first.
  static std::vector<const Viewer*> concerned(const std::vector<Viewer>& viewers,
                                              const Sighting& seen) {
    std::vector<const Viewer*> chosen;
    for (const Viewer& each : viewers) {
      if (each.shares_channel(seen)) chosen.push_back(&each);
    }
    if (chosen.empty() && !viewers.empty()) chosen.push_back(&viewers.front());
    return chosen;
  }

  /// The instances of the configuration; without one, this host's speaker or else the best one.
  std::vector<Viewer> viewers_of(const GroupKey& key, const Group& group) const {
    std::vector<Viewer> viewers;
    if (const auto known = instances_.find(key); known != instances_.end()) {
      for (const Expectation* each : known->second) {
        Viewer& viewer = viewers.emplace_back();
        viewer.settings = each->settings;
        viewer.knows_secret = each->knows_secret;
        viewer.name = each->settings.name;
        for (const Speaker* own : group) {
          if (own->latest.is_ours && own->latest.protocol == Protocol::vrrp &&
              viewer.shares_channel(own->latest))
            viewer.self = own;
        }
      }
      return viewers;
    }
    const Speaker* best = nullptr;
    const auto rank = [](const Speaker& each) {
      return std::tuple(each.latest.is_ours, each.latest.priority, each.latest.source);
    };
    for (const Speaker* each : group) {
      if (each->latest.protocol == Protocol::vrrp && !each->latest.fault && !each->latest.has_ah &&
          (best == nullptr || rank(*each) > rank(*best)))
        best = each;
    }
    if (best == nullptr) return viewers;
    viewers.push_back({settings_behind(best->latest), best, true, ""});
    return viewers;
  }

  void judge(const GroupKey& key, const Viewer& viewer, const Speaker& speaker,
             const Group& group) {
    const Sighting& seen = speaker.latest;
    if (seen.protocol == Protocol::carp) return tell_of_carp(key, viewer, speaker, group);
    InstanceSettings settings = viewer.settings;
    std::vector<std::uint8_t> payload = seen.payload;
    const bool must_sign = settings.signing && settings.signing->mode == SigningMode::enforce;
    if (settings.has_header() != seen.has_ah || (must_sign && !seen.has_trailer)) {
      const bool is_missing = settings.has_header() || must_sign;
      return tell(key, viewer, speaker,
                  must_sign ? Objection::hmac_missing : Objection::authentication_type,
                  is_missing ? "sends without the proof of origin that is asked for"
                             : "sends behind an authentication header (AH), which is not asked for",
                  group);
    }
    // Whether a proof is right is judged by who has the key and the clock; here, only the rest is.
    if (seen.has_ah)
      put_ah(payload, 1, {seen.source, seen.destination, seen.identification, seen.hop_limit},
             settings.authentication.data);
    settings.signing.reset();
    if (!viewer.knows_secret && seen.advert.authentication_type == 1)
      settings.authentication.data = seen.advert.authentication_data;
    std::optional<IpAddress> own = viewer.address();
    // Whether it is meant for us, only the network knows.
    if (settings.unicast && !seen.destination.is_multicast()) own = seen.destination;
    const auto checked = check_advert({.interface = seen.interface,
                                       .family = seen.family,
                                       .source = seen.source,
                                       .destination = seen.destination,
                                       .hop_limit = seen.hop_limit,
                                       .payload = payload,
                                       .protocol = seen.has_ah ? kIpProtocolAh : kIpProtocolVrrp,
                                       .identification = seen.identification},
                                      settings, own);
    if (const auto* rejected = std::get_if<Rejected>(&checked))
      return tell(key, viewer, speaker, rejected->reason, rejected->sentence, group);
    const Accepted& accepted = std::get<Accepted>(checked);
    if (accepted.address_list_differs)
      tell(key, viewer, speaker, Objection::address_list,
           other_addresses(accepted.advert.addresses, settings.addresses), group);
    if (seen.family == core::Family::v6 && !accepted.advert.addresses.front().is_link_local())
      tell(key, viewer, speaker, Objection::first_address,
           first_is_not_link_local(accepted.advert.addresses.front()), group);
  }

  void tell_of_carp(const GroupKey& key, const Viewer& viewer, const Speaker& speaker,
                    const Group& group) {
    tell(key, viewer, speaker, DecodeError::carp,
         fmt::format("speaks CARP with vhid {}: give one of the two another id, they share "
                     "protocol and MAC address",
                     speaker.latest.number),
         group);
  }

  void tell(const GroupKey& key, const Viewer& viewer, const Speaker& speaker, RejectReason reason,
            const std::string& sentence, const Group& group) {
    const std::string source = speaker.latest.source.to_string();
    std::string words = viewer.name.empty() && viewer.self != nullptr
                            ? fmt::format("in the eyes of {}, {} {}", viewer.address()->to_string(),
                                          source, sentence)
                            : fmt::format("{} {}", source, sentence);
    if (silences_keepalived(reason)) {
      const auto third = std::find_if(group.begin(), group.end(), [&](const Speaker* each) {
        return each->latest.source != speaker.latest.source && !each->latest.is_ours &&
               may_be_keepalived(*each);
      });
      if (third != group.end()) words += may_fall_silent((*third)->latest.source);
    }
    add(key, viewer.name,
        {.speaker = source,
         .reason = std::string(to_string(reason)),
         .sentence = std::move(words),
         .cure = cure_of(reason, speaker.latest, viewer.settings, free_number(key.interface))});
  }

  /// Whoever verifies one form of the checksum refuses the other.
  void compare_forms(const GroupKey& key, const Group& group) {
    const Speaker* with = nullptr;
    const Speaker* without = nullptr;
    for (const Speaker* each : group) {
      const Sighting& seen = each->latest;
      if (seen.version != 3 || seen.family != core::Family::v4 || seen.fault ||
          seen.protocol != Protocol::vrrp)
        continue;
      (seen.advert.checksum == ChecksumForm::without_pseudo_header ? without : with) = each;
    }
    if (with == nullptr || without == nullptr) return;
    const std::string source = without->latest.source.to_string();
    add(key, "",
        {.speaker = source,
         .reason = "checksum_forms",
         .sentence = fmt::format(
             "{} sends its checksum with pseudo header, {} without: keepalived and FRR refuse the "
             "form that they do not send, only Holdfast understands both",
             with->latest.source.to_string(), source),
         .cure = cure_of_form(ChecksumForm::with_pseudo_header, key.number)});
  }

  /// Two that go on advertising beside each other: each has spoken, and again, after the other. One
  /// that takes over, and gives back, is none.
  void compare_masters(const GroupKey& key, const Group& group, bool is_explained) {
    std::set<IpAddress> masters;
    for (const Speaker* one : group) {
      for (const Speaker* other : group) {
        if (are_rivals(*one, *other)) masters.insert(one->latest.source);
      }
    }
    if (masters.size() < 2) return;
    const std::vector<IpAddress> list(masters.begin(), masters.end());
    add(key, "",
        {.speaker = {},
         .reason = "two_masters",
         .sentence = fmt::format(
             "{} masters at once: {}; {}", list.size(), core::join(list),
             is_explained ? "each holds the addresses, until what is said above is mended"
                          : "each is deaf for the other: look for a firewall, for IGMP or MLD "
                            "snooping without a querier, and for a macvlan in private mode"),
         .cure = {}});
  }

  /// FRR with a virtual link-local address on its macvlan.
  void examine_source(const GroupKey& key, const Speaker& speaker) {
    const auto& addresses = speaker.latest.addresses;
    if (speaker.latest.family != core::Family::v6 ||
        std::find(addresses.begin(), addresses.end(), speaker.latest.source) == addresses.end())
      return;
    const std::string source = speaker.latest.source.to_string();
    add(key, "",
        {.speaker = source,
         .reason = "virtual_source",
         .sentence =
             fmt::format("{} is a virtual address and sends adverts: two routers that do so "
                         "cannot tell each other apart when their priorities are equal",
                         source),
         .cure = {"nothing to do",
                  "different priorities: vrrp " + std::to_string(key.number) + " priority …"}});
  }

  void examine_hsrp(const Speaker& speaker) {
    const Sighting& seen = speaker.latest;
    const std::string source = seen.source.to_string();
    Finding finding{.interface = seen.interface,
                    .subject = fmt::format("HSRP group {}", seen.number),
                    .speaker = source,
                    .reason = "hsrp",
                    .sentence = fmt::format("{} speaks HSRP: another protocol, which VRRP does not "
                                            "hear and which does no harm",
                                            source),
                    .cure = {},
                    .is_problem = false};
    for (const auto& [key, instances] : instances_) {
      for (const Expectation* each : instances) {
        const auto all = each->settings.all_addresses();
        const bool is_shared = std::any_of(all.begin(), all.end(), [&](const VirtualAddress& one) {
          return std::find(seen.addresses.begin(), seen.addresses.end(), one.prefix.address) !=
                 seen.addresses.end();
        });
        if (!is_shared || key.interface != seen.interface) continue;
        finding.is_problem = true;
        finding.sentence = fmt::format(
            "{} speaks HSRP for {}, which is an address of {} here: two protocols cannot share one",
            source, core::join(seen.addresses), each->settings.name);
        finding.cure = {"take the address out of virtual_ipaddress, or out of the HSRP group", ""};
      }
    }
    findings_.push_back(std::move(finding));
  }

  /// Of those who were not heard now; false: there is nothing.
  bool recall(const GroupKey& key, const Expectation& instance) {
    bool is_any = false;
    for (const Remembered& each : instance.remembered) {
      const std::string source = each.peer.to_string();
      const std::string reason(to_string(each.reason));
      const bool is_told =
          std::any_of(findings_.begin(), findings_.end(), [&](const Finding& found) {
            return found.interface == key.interface && found.speaker == source &&
                   found.reason == reason;
          });
      if (is_told || each.ago > kMemory || each.reason == Objection::second_master) continue;
      is_any = true;
      Sighting seen;
      seen.family = key.family;
      seen.source = each.peer;
      add(key, instance.settings.name,
          {.speaker = source,
           .reason = reason,
           .sentence = fmt::format(
               "{} {}; the director has heard {} of its adverts, the last one {:.0f} s ago, and "
               "now it is silent: it was mended and is a backup, or it is a keepalived, which "
               "begins its interval anew at each of ours that it drops",
               source, each.sentence, each.adverts,
               std::chrono::duration<double>(each.ago).count()),
           .cure = cure_of(each.reason, seen, instance.settings, free_number(key.interface))});
    }
    return is_any;
  }

  void remark_silence(const GroupKey& key, const Expectation& instance) {
    add(key, instance.settings.name,
        {.speaker = {},
         .reason = "nobody",
         .sentence = "no advert was heard: there is no master, or its adverts do not come this way",
         .cure = {},
         .is_problem = false});
  }

  std::uint8_t free_number(const std::string& interface) const {
    const auto used = used_.find(interface);
    for (std::uint8_t number = 255; number > 0; --number) {
      if (used == used_.end() || !used->second.contains(number)) return number;
    }
    return 255;
  }

  std::map<GroupKey, Group> groups_;
  std::map<GroupKey, std::vector<const Expectation*>> instances_;
  std::vector<const Speaker*> hsrp_;
  std::map<std::string, std::set<std::uint16_t>> used_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> diagnose(const std::vector<Speaker>& speakers,
                              const std::vector<Expectation>& expected,
                              const std::vector<std::string>& listened) {
  return Diagnosis(speakers, expected).run(listened);
}

}  // namespace holdfast::vrrp::doctor
