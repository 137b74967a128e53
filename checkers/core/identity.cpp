#include "checkers/core/identity.hpp"

#include <fmt/format.h>

namespace holdfast::checkers {

namespace {

/// Length first, so that no text inside a field can look like the next field.
void append_field(std::string& text, std::string_view field) {
  fmt::format_to(std::back_inserter(text), " {}:{}", field.size(), field);
}

std::string pattern_identity(const ReplyPattern& pattern) {
  const auto number = [](const std::optional<std::uint32_t>& offset) {
    return offset ? std::int64_t{*offset} : -1;
  };
  std::string text =
      fmt::format("{} {} {} {}", pattern.no_match, number(pattern.text.min_offset),
                  number(pattern.text.max_offset), fmt::join(pattern.text.options, " "));
  append_field(text, pattern.text.regex);
  return text;
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
    if (url.pattern) append_field(text, pattern_identity(*url.pattern));
    if (url.tls) {
      append_field(text, url.tls->name);
      if (url.tls->shown) append_field(text, (*url.tls->shown)->identity.certificate);
      text += url.tls->close == TlsClose::in_order ? " tls in order" : " tls";
    }
    for (const StatusRange& range : url.statuses)
      fmt::format_to(std::back_inserter(text), " {}-{}", range.first, range.last);
  }
  return text;
}

std::string dialogue_identity(const SmtpProbe& smtp) {
  std::string text = "smtp";
  append_field(text, smtp.helo_name);
  return text;
}

std::string dialogue_identity(const DnsProbe& dns) {
  std::string text = fmt::format("dns {}", dns.type);
  append_field(text, dns.name);
  return text;
}

std::string dialogue_identity(const UdpProbe& udp) {
  std::string text =
      fmt::format("udp {} {}-{}", udp.reply_required, udp.min_reply_length, udp.max_reply_length);
  append_field(text, udp.pattern);
  append_field(text, {reinterpret_cast<const char*>(udp.payload.data()), udp.payload.size()});
  return text;
}

std::string dialogue_identity(const PingProbe&) {
  return "ping";
}

std::string dialogue_identity(const ScriptProbe& script) {
  const core::Command& command = script.command;
  std::string text = fmt::format("script {} {}:{} {}", script.dynamic, command.user.uid,
                                 command.user.gid, command.limit.count());
  for (const std::string& word : command.argv) append_field(text, word);
  return text;
}

std::string dialogue_identity(const FileProbe& file) {
  std::string text = fmt::format("file {} {}", file.weight, file.reverse);
  append_field(text, file.file);
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
      "{} from {}:{}{}{} {}", probe.target.to_string(),
      probe.bind_address ? probe.bind_address->to_string() : "any", probe.bind_port,
      probe.bind_interface ? fmt::format(" by {}", *probe.bind_interface) : "",
      probe.mark != 0 ? fmt::format(" mark {}", probe.mark) : "",
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
    std::string_view operator()(const SmtpProbe&) const { return "SMTP_CHECK"; }
    std::string_view operator()(const DnsProbe&) const { return "DNS_CHECK"; }
    std::string_view operator()(const UdpProbe&) const { return "UDP_CHECK"; }
    std::string_view operator()(const PingProbe&) const { return "PING_CHECK"; }
    std::string_view operator()(const ScriptProbe&) const { return "MISC_CHECK"; }
    std::string_view operator()(const FileProbe&) const { return "FILE_CHECK"; }
  };
  return std::visit(Namer{}, dialogue);
}

std::string target_of(const ProbeSettings& probe) {
  struct Namer {
    const core::Endpoint& target;
    std::string operator()(const ScriptProbe& script) const {
      return script.command.argv.empty() ? std::string() : script.command.argv.front();
    }
    std::string operator()(const FileProbe& file) const { return file.file; }
    std::string operator()(const PingProbe&) const { return target.address.to_string(); }
    std::string of_port() const { return target.to_string(); }
    std::string operator()(const TcpProbe&) const { return of_port(); }
    std::string operator()(const HttpProbe&) const { return of_port(); }
    std::string operator()(const SmtpProbe&) const { return of_port(); }
    std::string operator()(const DnsProbe&) const { return of_port(); }
    std::string operator()(const UdpProbe&) const { return of_port(); }
  };
  return std::visit(Namer{probe.target}, probe.dialogue);
}

std::string name_of(const ProbeSettings& probe) {
  return fmt::format("{} {}", type_name(probe.dialogue), target_of(probe));
}

}  // namespace holdfast::checkers
