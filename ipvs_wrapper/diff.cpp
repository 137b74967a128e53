#include "ipvs_wrapper/plan.hpp"
#include "ipvs_wrapper/text.hpp"

#include <fmt/format.h>

namespace holdfast::ipvs {
namespace {

void diff_servers(const ServiceKey& key, const Service& desired, const Service& actual,
                  std::vector<Difference>& out) {
  auto wanted = desired.servers.begin();
  auto present = actual.servers.begin();
  while (wanted != desired.servers.end() || present != actual.servers.end()) {
    const bool only_wanted = present == actual.servers.end() ||
                             (wanted != desired.servers.end() && wanted->first < present->first);
    const bool only_present =
        !only_wanted && (wanted == desired.servers.end() || present->first < wanted->first);
    if (only_wanted) {
      out.push_back(ServerDifference{key, wanted->first, wanted->second, std::nullopt});
      ++wanted;
    } else if (only_present) {
      out.push_back(ServerDifference{key, present->first, std::nullopt, present->second});
      ++present;
    } else {
      if (wanted->second != present->second)
        out.push_back(ServerDifference{key, wanted->first, wanted->second, present->second});
      ++wanted;
      ++present;
    }
  }
}

// "-s wlc -p 360" without the key, for sentences.
std::string settings_text(const ServiceKey& key, const Settings& settings) {
  return service_line('A', key, settings).substr(fmt::formatted_size("-A {} ", key_options(key)));
}

std::string server_text(const ServiceKey& key, const core::Endpoint& endpoint,
                        const Server& server) {
  const auto prefix = fmt::formatted_size("-a {} -r {} ", key_options(key), endpoint.to_string());
  return server_line('a', key, endpoint, server).substr(prefix);
}

std::string describe(const ServiceDifference& difference) {
  const auto& key = difference.key;
  if (!difference.actual) return fmt::format("{} is missing", to_string(key));
  if (!difference.desired) return fmt::format("{} should not be there", to_string(key));
  return fmt::format("{} has {}, should have {}", to_string(key),
                     settings_text(key, *difference.actual),
                     settings_text(key, *difference.desired));
}

std::string describe(const ServerDifference& difference) {
  const auto& key = difference.key;
  const auto server = fmt::format("{}: server {}", to_string(key), difference.endpoint.to_string());
  if (!difference.actual) return server + " is missing";
  if (!difference.desired) return server + " should not be there";
  Server same_but_weight = *difference.actual;
  same_but_weight.weight = difference.desired->weight;
  if (same_but_weight == *difference.desired) {
    return fmt::format("{} has weight {}, should have {}", server, difference.actual->weight,
                       difference.desired->weight);
  }
  return fmt::format("{} has {}, should have {}", server,
                     server_text(key, difference.endpoint, *difference.actual),
                     server_text(key, difference.endpoint, *difference.desired));
}

}  // namespace

std::vector<Difference> diff(const Table& desired, const Table& actual) {
  const Service nothing;
  std::vector<Difference> out;
  auto wanted = desired.services.begin();
  auto present = actual.services.begin();
  while (wanted != desired.services.end() || present != actual.services.end()) {
    const bool only_wanted = present == actual.services.end() ||
                             (wanted != desired.services.end() && wanted->first < present->first);
    const bool only_present =
        !only_wanted && (wanted == desired.services.end() || present->first < wanted->first);
    if (only_wanted) {
      out.push_back(ServiceDifference{wanted->first, wanted->second.settings, std::nullopt});
      diff_servers(wanted->first, wanted->second, nothing, out);
      ++wanted;
    } else if (only_present) {
      out.push_back(ServiceDifference{present->first, std::nullopt, present->second.settings});
      ++present;
    } else {
      if (wanted->second.settings != present->second.settings) {
        out.push_back(
            ServiceDifference{wanted->first, wanted->second.settings, present->second.settings});
      }
      diff_servers(wanted->first, wanted->second, present->second, out);
      ++wanted;
      ++present;
    }
  }
  return out;
}

std::string to_string(const Difference& difference) {
  return std::visit([](const auto& one) { return describe(one); }, difference);
}

}  // namespace holdfast::ipvs
