#include "checkers/tidings.hpp"

#include "checkers/core/identity.hpp"

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
std::string protocol_of(const ServiceSettings& service) {
  const auto* address = std::get_if<ipvs::AddressKey>(&service.keys.front());
  return address == nullptr ? "none" : lower(ipvs::to_string(address->protocol));
}

std::string trio_of(const core::Endpoint& endpoint, const std::string& protocol) {
  return fmt::format("[{}]:{}:{}", endpoint.address.to_string(), protocol, endpoint.port);
}

std::string named(const ServiceSettings& service) {
  constexpr std::string_view kGroup = "group ";
  if (const std::size_t at = service.group.find(kGroup); at != std::string::npos)
    return fmt::format("VSG {}", service.group.substr(at + kGroup.size()));
  if (const auto* mark = std::get_if<ipvs::MarkKey>(&service.keys.front()))
    return fmt::format("FWM {}", mark->mark);
  return trio_of(std::get<ipvs::AddressKey>(service.keys.front()).endpoint, protocol_of(service));
}

}  // namespace

std::optional<runtime::Tidings> tidings_of(const Change& change) {
  if (!change.pipes && !change.mail) return std::nullopt;
  const std::string state = change.up ? "UP" : "DOWN";
  const std::string service = named(change.service);
  runtime::Tidings tidings{.scope = runtime::Tidings::Scope::lvs};
  std::string title;
  if (change.server != nullptr) {
    const std::string server = trio_of(change.server->endpoint, protocol_of(change.service));
    tidings.subject = subject_of(change.service, change.server->endpoint);
    tidings.line = fmt::format("RS {} {} {}", server, service, state);
    title = fmt::format("Realserver {} of virtual server {} - {}", server, service, state);
  } else {
    tidings.subject = name_of(change.service);
    tidings.line = fmt::format("VS {} {}", service, state);
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
