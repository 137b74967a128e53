// The names that dashboards and alerts of keepalived's two exporters ask for: those of
// mehdy/keepalived-exporter (labels iname intf vrid) and gen2brain/keepalived_exporter (labels name
// intf vrid state). Their counters of errors are sums of our finer reasons.
#include "ctl/json_view.hpp"
#include "ctl/metrics.hpp"

#include <array>
#include <set>
#include <vector>

namespace holdfast::ctl {
namespace {

using Type = Exposition::Type;

/// One counter of keepalived: what it is the sum of, below "counters", and its two names.
struct Row {
  std::string_view name;   ///< without _total; empty: that exporter has none
  std::string_view other;  ///< of the other exporter, a gauge by its name
  std::string_view help;
  std::array<std::string_view, 5> counters;  ///< "errors.x": a reason; empty: no more
};

constexpr std::array kRows{
    Row{"keepalived_advertisements_received",
        "keepalived_vrrp_advert_rcvd",
        "Adverts received.",
        {"adverts_received"}},
    Row{"keepalived_advertisements_sent",
        "keepalived_vrrp_advert_sent",
        "Adverts sent.",
        {"adverts_sent"}},
    Row{"keepalived_become_master",
        "keepalived_vrrp_become_master",
        "Times that it became master.",
        {"became_master"}},
    Row{"keepalived_release_master",
        "keepalived_vrrp_release_master",
        "Times that it ceased to be master.",
        {"released_master"}},
    Row{"keepalived_packet_length_errors",
        "keepalived_vrrp_packet_len_err",
        "Adverts that were too short or too long.",
        {"errors.truncated", "errors.bad_length"}},
    Row{"keepalived_advertisements_interval_errors",
        "keepalived_vrrp_advert_interval_err",
        "Adverts with another interval.",
        {"errors.interval_mismatch", "errors.no_interval"}},
    Row{"keepalived_ip_ttl_errors",
        "keepalived_vrrp_ip_ttl_err",
        "Adverts that came from beyond this link.",
        {"errors.bad_ttl"}},
    Row{"keepalived_invalid_type_received",
        "keepalived_vrrp_invalid_type_rcvd",
        "Packets that are no adverts.",
        {"errors.bad_type"}},
    Row{"keepalived_address_list_errors",
        "keepalived_vrrp_addr_list_err",
        "Adverts with other addresses.",
        {"errors.address_list", "errors.no_addresses"}},
    Row{"keepalived_authentication_mismatch",
        "keepalived_vrrp_authtype_mismatch",
        "Adverts with another kind of authentication.",
        {"errors.authentication_type"}},
    Row{"keepalived_authentication_failure",
        "keepalived_vrrp_auth_failure",
        "Adverts with a wrong password or proof.",
        {"errors.authentication_data", "errors.ah_invalid", "errors.ah_replay",
         "errors.auth_ext_invalid_hmac", "errors.auth_ext_replay"}},
    Row{"keepalived_priority_zero_received",
        "keepalived_vrrp_pri_zero_rcvd",
        "Adverts by which a master resigned.",
        {"priority_zero_received"}},
    Row{"keepalived_priority_zero_sent",
        "keepalived_vrrp_pri_zero_sent",
        "Adverts by which this one resigned.",
        {"priority_zero_sent"}},
};

double sum_of(const object& counters, const Row& row) {
  constexpr std::string_view kErrors = "errors.";
  const object* errors = find_object(counters, "errors");
  double sum = 0;
  for (const std::string_view key : row.counters) {
    if (key.empty()) break;
    const bool is_error = key.starts_with(kErrors);
    if (is_error && errors == nullptr) continue;
    const auto count =
        is_error ? number(*errors, key.substr(kErrors.size())) : number(counters, key);
    sum += static_cast<double>(count.value_or(0));
  }
  return sum;
}

std::string without_prefix(const std::string& address) {
  return address.substr(0, address.find('/'));
}

bool contains(const array& list, std::string_view word) {
  for (const value& each : list)
    if (each.is_string() && std::string_view(each.get_string()) == word) return true;
  return false;
}

/// Each address is one series; `wanted` chooses between what adverts carry and what they do not.
void add_states(Exposition& to, const array& instances, bool wanted) {
  for (const value& entry : instances) {
    const object* instance = entry.if_object();
    if (instance == nullptr) continue;
    const auto tell = [&](const std::string& address) {
      to.sample(labels({{"iname", text(*instance, "name")},
                        {"intf", text(*instance, "interface")},
                        {"vrid", text(*instance, "vrid")},
                        {"ip_address", address}}),
                state_number(text(*instance, "state")));
    };
    const array& advertised = find_list(*instance, "advertises");
    std::set<std::string> told;
    for (const value& each : find_list(*instance, "addresses")) {
      const object* address = each.if_object();
      if (address == nullptr) continue;
      const std::string word = without_prefix(text(*address, "address"));
      if (contains(advertised, word) == wanted && told.insert(word).second) tell(word);
    }
    // Of one that holds nothing, what it would hold.
    for (const value& each : advertised)
      if (wanted && each.is_string() && told.insert(std::string(each.get_string().c_str())).second)
        tell(each.get_string().c_str());
    if (wanted && told.empty()) tell("");
  }
}

void add_scripts(Exposition& to, const array& instances) {
  to.family("keepalived_script_status", Type::gauge, "1 when the tracked script succeeds.");
  std::set<std::string> told;
  for (const value& entry : instances) {
    const object* instance = entry.if_object();
    if (instance == nullptr) continue;
    for (const value& each : find_list(*instance, "trackers")) {
      const object* tracker = each.if_object();
      if (tracker == nullptr || text(*tracker, "kind") != "script") continue;
      if (find(*tracker, "good") == nullptr) continue;
      const std::string name = text(*tracker, "name");
      if (told.insert(name).second)
        to.sample(labels({{"name", name}}), flag(*tracker, "good") ? 1 : 0);
    }
  }
}

}  // namespace

void add_keepalived_metrics(Exposition& to, const object& vrrp) {
  const array& instances = find_list(vrrp, "instances");
  to.family("keepalived_vrrp_state", Type::gauge,
            "State of the instance: 0 init, 1 backup, 2 master, 3 fault.");
  add_states(to, instances, true);
  to.family("keepalived_vrrp_excluded_state", Type::gauge,
            "The same for addresses that adverts do not carry.");
  add_states(to, instances, false);
  add_scripts(to, instances);

  struct Known {
    const object* counters;
    std::string first;
    std::string second;
  };
  std::vector<Known> known;
  for (const value& entry : instances) {
    const object* instance = entry.if_object();
    const object* counters = instance == nullptr ? nullptr : find_object(*instance, "counters");
    if (counters == nullptr) continue;
    const std::string name = text(*instance, "name");
    const std::string interface = text(*instance, "interface");
    const std::string vrid = text(*instance, "vrid");
    known.push_back({counters, labels({{"iname", name}, {"intf", interface}, {"vrid", vrid}}),
                     labels({{"name", name},
                             {"intf", interface},
                             {"vrid", vrid},
                             {"state", std::to_string(state_number(text(*instance, "state")))}})});
  }
  for (const Row& row : kRows) {
    to.family(row.name, Type::counter, row.help);
    for (const Known& each : known) to.sample(each.first, sum_of(*each.counters, row));
    to.family(row.other, Type::gauge, row.help);
    for (const Known& each : known) to.sample(each.second, sum_of(*each.counters, row));
  }
}

}  // namespace holdfast::ctl
