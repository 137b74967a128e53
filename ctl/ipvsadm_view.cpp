#include "ctl/ipvsadm_view.hpp"

#include "ipvs_wrapper/text.hpp"

#include <fmt/format.h>

#include <array>

namespace holdfast::ctl {
namespace {

constexpr std::uint64_t kThousand = 1'000;
constexpr std::uint64_t kMillion = kThousand * kThousand;
constexpr std::uint64_t kBillion = kThousand * kMillion;

/// Eight digits and then a letter, as ipvsadm without --exact.
std::string large(std::uint64_t number) {
  if (number < 100 * kMillion) return fmt::format("{:8} ", number);
  if (number < kBillion) return fmt::format("{:8}K", number / kThousand);
  if (number < 100 * kBillion) return fmt::format("{:8}M", number / kMillion);
  if (number < 100 * kThousand * kBillion) return fmt::format("{:8}G", number / kBillion);
  return fmt::format("{:8}T", number / (kThousand * kBillion));
}

std::string numbers(const std::array<std::uint64_t, 5>& all) {
  std::string text;
  for (const std::uint64_t one : all)
    text += " " + large(one).substr(0, 8 + (one >= 100 * kMillion));
  return text;
}

std::string numbers(const ipvs::Stats& stats, IpvsView view) {
  if (view == IpvsView::rate) {
    return numbers({stats.connections_per_second, stats.packets_in_per_second,
                    stats.packets_out_per_second, stats.bytes_in_per_second,
                    stats.bytes_out_per_second});
  }
  return numbers(
      {stats.connections, stats.packets_in, stats.packets_out, stats.bytes_in, stats.bytes_out});
}

bool counts(IpvsView view) {
  return view == IpvsView::stats || view == IpvsView::rate;
}

std::string_view forward_name(ipvs::Forwarding forwarding) {
  switch (forwarding) {
    case ipvs::Forwarding::masquerade:
      return "Masq";
    case ipvs::Forwarding::local:
      return "Local";
    case ipvs::Forwarding::tunnel:
      return "Tunnel";
    case ipvs::Forwarding::direct_route:
    case ipvs::Forwarding::bypass:
      break;
  }
  return "Route";
}

std::string name_of(const ipvs::AddressKey& key) {
  std::string_view protocol = "?";
  if (key.protocol == ipvs::Protocol::tcp) protocol = "TCP";
  if (key.protocol == ipvs::Protocol::udp) protocol = "UDP";
  if (key.protocol == ipvs::Protocol::sctp) protocol = "SCTP";
  return fmt::format("{:<4} {}", protocol, key.endpoint.to_string());
}
std::string name_of(const ipvs::MarkKey& key) {
  return fmt::format("FWM  {}{}", key.mark, key.family == core::Family::v6 ? " IPv6" : "");
}

/// The words of `-S` behind the scheduler: flags in brackets, "persistent 360 mask …", "pe", "ops".
std::string settings_text(const ipvs::ServiceKey& key, const ipvs::Settings& settings) {
  std::string text = settings.scheduler;
  const std::string saved = ipvs::service_line('A', key, settings);
  const auto behind = [&](std::string_view option) {
    const std::size_t at = saved.find(fmt::format(" {} ", option));
    if (at == std::string::npos) return std::string();
    const std::size_t begin = at + option.size() + 2;
    return saved.substr(begin, saved.find(' ', begin) - begin);
  };
  if (const std::string flags = behind("-b"); !flags.empty()) text += fmt::format(" ({})", flags);
  if (settings.persistence) {
    text += fmt::format(" persistent {}", settings.persistence->timeout.count());
    if (const std::string mask = behind("-M"); !mask.empty()) text += " mask " + mask;
  }
  if (!settings.persistence_engine.empty()) text += " pe " + settings.persistence_engine;
  if ((settings.flags & ipvs::kOnePacket) != 0) text += " ops";
  return text;
}

std::string server_line(const core::Endpoint& endpoint, const ipvs::Server& server,
                        const ipvs::ServerCounters& counters, IpvsView view) {
  const std::string begin = fmt::format("  -> {:<28}", endpoint.to_string());
  if (counts(view)) return begin + numbers(counters.stats, view) + "\n";
  if (view == IpvsView::thresholds) {
    return fmt::format("{} {:<10} {:<10} {:<10} {:<10}\n", begin, server.upper_threshold,
                       server.lower_threshold, counters.active_connections,
                       counters.inactive_connections);
  }
  return fmt::format("{} {:<7} {:<6} {:<10} {:<10}\n", begin, forward_name(server.forwarding),
                     server.weight, counters.active_connections, counters.inactive_connections);
}

}  // namespace

std::string ipvs_head(std::string_view version, std::uint32_t table_size) {
  return fmt::format("IP Virtual Server version {} (size={})\n", version, table_size);
}

std::string ipvs_titles(IpvsView view) {
  switch (view) {
    case IpvsView::weights:
      return "Prot LocalAddress:Port Scheduler Flags\n"
             "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n";
    case IpvsView::stats:
      return "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n"
             "  -> RemoteAddress:Port\n";
    case IpvsView::rate:
      return "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n"
             "  -> RemoteAddress:Port\n";
    case IpvsView::thresholds:
      return "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n"
             "  -> RemoteAddress:Port\n";
  }
  return {};
}

std::string ipvs_lines(const ipvs::ServiceKey& key, const ipvs::Service& service,
                       const ipvs::ServiceCounters& counters, IpvsView view) {
  const std::string name = std::visit([](const auto& one) { return name_of(one); }, key);
  std::string text = counts(view)
                         ? fmt::format("{:<33}{}\n", name, numbers(counters.stats, view))
                         : fmt::format("{} {}\n", name, settings_text(key, service.settings));
  for (const auto& [endpoint, server] : service.servers) {
    const auto known = counters.servers.find(endpoint);
    text +=
        server_line(endpoint, server,
                    known == counters.servers.end() ? ipvs::ServerCounters{} : known->second, view);
  }
  return text;
}

}  // namespace holdfast::ctl
