#include "checkers/tidings.hpp"

#include <algorithm>
#include <cctype>

namespace holdfast::checkers {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return text;
}

/// keepalived: none where a mark stands for the service.
std::string protocol_of(const ipvs::ServiceKey& key) {
  const auto* address = std::get_if<ipvs::AddressKey>(&key);
  return address == nullptr ? "none" : lower(ipvs::to_string(address->protocol));
}

std::string name_of(const core::Endpoint& endpoint, const std::string& protocol) {
  return fmt::format("[{}]:{}:{}", endpoint.address.to_string(), protocol, endpoint.port);
}

std::string name_of(const ipvs::ServiceKey& key) {
  if (const auto* mark = std::get_if<ipvs::MarkKey>(&key)) return fmt::format("FWM {}", mark->mark);
  return name_of(std::get<ipvs::AddressKey>(key).endpoint, protocol_of(key));
}

}  // namespace

std::optional<runtime::Tidings> tidings_of(const Change& change) {
  if (!change.pipes && !change.mail) return std::nullopt;
  const std::string state = change.up ? "UP" : "DOWN";
  const std::string service = name_of(change.service.key);
  runtime::Tidings tidings{.scope = runtime::Tidings::Scope::lvs};
  std::string title;
  if (change.server != nullptr) {
    const std::string server = name_of(change.server->endpoint, protocol_of(change.service.key));
    tidings.subject = fmt::format("RS {} {}", server, service);
    tidings.line = fmt::format("{} {}", tidings.subject, state);
    title = fmt::format("Realserver {} of virtual server {} - {}", server, service, state);
  } else {
    tidings.subject = fmt::format("VS {}", service);
    tidings.line = fmt::format("{} {}", tidings.subject, state);
    title = fmt::format("Virtualserver {} - {}", service, state);
  }
  if (!change.pipes) tidings.line.clear();
  if (!change.mail) return tidings;
  tidings.title = std::move(title);
  if (change.server == nullptr)
    tidings.body = fmt::format("The virtual server {} has {} its quorum of {}.\n", service,
                               change.up ? "won" : "lost", change.service.quorum);
  else
    tidings.body =
        fmt::format("{} of the virtual server {} is {}{}{}.\n", change.server->endpoint.to_string(),
                    service, change.up ? "up" : "down", change.why.empty() ? "" : ": ", change.why);
  return tidings;
}

}  // namespace holdfast::checkers
