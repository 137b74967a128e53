#include "checkers/core/identity.hpp"

#include <fmt/format.h>

namespace holdfast::checkers {

namespace {

/// Length first, so that no text inside a field can look like the next field.
void append_field(std::string& text, std::string_view field) {
  fmt::format_to(std::back_inserter(text), " {}:{}", field.size(), field);
}

std::string dialogue_identity(const TcpProbe&) {
  return "tcp";
}

std::string dialogue_identity(const HttpProbe& http) {
  std::string text = fmt::format("http {}", static_cast<int>(http.version));
  for (const HttpUrl& url : http.urls) {
    append_field(text, url.path);
    append_field(text, url.virtualhost);
    append_field(text, url.digest);
    if (url.tls) {
      append_field(text, url.tls->name);
      text += url.tls->close == TlsClose::in_order ? " tls in order" : " tls";
    }
    for (const StatusRange& range : url.statuses)
      fmt::format_to(std::back_inserter(text), " {}-{}", range.first, range.last);
  }
  return text;
}

}  // namespace

std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : text) {
    hash ^= static_cast<std::uint8_t>(byte);
    hash *= 0x100000001b3;
  }
  return hash == 0 ? 1 : hash;
}

std::string identity(const ProbeSettings& probe) {
  return fmt::format(
      "{} from {}:{} {}", probe.target.to_string(),
      probe.bind_address ? probe.bind_address->to_string() : "any", probe.bind_port,
      std::visit([](const auto& dialogue) { return dialogue_identity(dialogue); }, probe.dialogue));
}

std::string sharing_identity(const CheckSettings& check) {
  return fmt::format("{} wait {} every {} again {} times {} warmup {}", identity(check.probe),
                     check.probe.timeout.count(), check.pace.delay_loop.count(),
                     check.pace.delay_before_retry.count(), check.pace.retry,
                     check.pace.warmup.count());
}

std::uint64_t service_record_key(const ServiceSettings& service) {
  return hash_text("service " + name_of(service));
}

std::uint64_t check_record_key(const ServiceSettings& service, const core::Endpoint& server,
                               const ProbeSettings& probe) {
  return hash_text(
      fmt::format("check {} {} {}", name_of(service), server.to_string(), identity(probe)));
}

std::string name_of(const ServiceSettings& service) {
  return service.group.empty() ? ipvs::to_string(service.keys.front()) : service.group;
}

std::string subject_of(const ServiceSettings& service, const core::Endpoint& server) {
  return fmt::format("{}: server {}", name_of(service), server.to_string());
}

std::string_view type_name(const Dialogue& dialogue) {
  struct Namer {
    std::string_view operator()(const TcpProbe&) const { return "TCP_CHECK"; }
    std::string_view operator()(const HttpProbe& http) const {
      return !http.urls.empty() && http.urls.front().tls ? "SSL_GET" : "HTTP_GET";
    }
  };
  return std::visit(Namer{}, dialogue);
}

std::string name_of(const ProbeSettings& probe) {
  return fmt::format("{} {}", type_name(probe.dialogue), probe.target.to_string());
}

}  // namespace holdfast::checkers
