#include "tests/unit/ipvs_wrapper/random_table.hpp"

#include "core/assertion.hpp"
#include "ipvs_wrapper/text.hpp"

#include <fmt/format.h>

namespace holdfast::ipvs::test {
namespace {

std::uint32_t draw(core::Rng& rng, std::uint32_t bound) {
  return static_cast<std::uint32_t>(rng.below(std::uint64_t{bound}));
}

core::Endpoint random_endpoint(core::Rng& rng, core::Family family, int net) {
  const auto host = 1 + draw(rng, 6);
  const auto port = 80 + draw(rng, 2);
  return endpoint(family == core::Family::v4
                      ? fmt::format("10.0.{}.{}:{}", net, host, port)
                      : fmt::format("[2001:db8:{}::{}]:{}", net, host, port));
}

ServiceKey random_key(core::Rng& rng) {
  const auto family = rng.chance(70) ? core::Family::v4 : core::Family::v6;
  if (rng.chance(20)) return MarkKey{1 + draw(rng, 3), family};
  constexpr Protocol protocols[] = {Protocol::tcp, Protocol::udp, Protocol::sctp};
  return AddressKey{protocols[draw(rng, 3)], random_endpoint(rng, family, 1)};
}

Settings random_settings(core::Rng& rng, core::Family family) {
  constexpr std::string_view schedulers[] = {"rr", "wrr", "wlc", "sh", "mh", "none"};
  Settings settings;
  settings.scheduler = schedulers[draw(rng, 6)];
  const bool hashed = settings.scheduler == "sh" || settings.scheduler == "mh";
  if (hashed) settings.flags = draw(rng, 4) * kSchedulerFlag1;
  if (rng.chance(30)) {
    const auto length = family == core::Family::v4 ? 8 + draw(rng, 25) : 1 + draw(rng, 128);
    settings.persistence =
        Persistence{std::chrono::seconds(1 + draw(rng, 3600)),
                    netmask_of_prefix(family, static_cast<std::uint8_t>(length))};
  }
  return settings;
}

Server random_server(core::Rng& rng) {
  constexpr Forwarding forwardings[] = {Forwarding::masquerade, Forwarding::direct_route,
                                        Forwarding::tunnel};
  Server server;
  server.forwarding = forwardings[draw(rng, 3)];
  server.weight = rng.chance(25) ? 0 : 1 + draw(rng, 4);
  if (rng.chance(20)) {
    server.upper_threshold = 1 + draw(rng, 1000);
    server.lower_threshold = draw(rng, server.upper_threshold + 1);
  }
  if (server.forwarding == Forwarding::tunnel && rng.chance(60)) {
    const bool gue = rng.chance(50);
    server.tunnel.type = gue ? TunnelType::gue : TunnelType::gre;
    server.tunnel.port = gue ? static_cast<std::uint16_t>(1 + draw(rng, 65535)) : std::uint16_t{0};
    server.tunnel.checksum = rng.chance(50) ? TunnelChecksum::none : TunnelChecksum::checksum;
  }
  return server;
}

}  // namespace

core::Endpoint endpoint(std::string_view text) {
  const auto table = parse_text(fmt::format("-A -t {}", text));
  HOLDFAST_ASSERT(table, "a literal of a test is an endpoint");
  return std::get<AddressKey>(table->services.begin()->first).endpoint;
}

ServiceKey tcp(std::string_view text) {
  return AddressKey{Protocol::tcp, endpoint(text)};
}

Table random_table(core::Rng& rng, std::size_t services, std::size_t servers) {
  Table table;
  const auto count = rng.below(services + 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto key = random_key(rng);
    Service service{random_settings(rng, family_of(key)), {}};
    const auto pool = rng.below(servers + 1);
    for (std::uint64_t j = 0; j < pool; ++j)
      service.servers.insert_or_assign(random_endpoint(rng, family_of(key), 2), random_server(rng));
    table.services.insert_or_assign(key, std::move(service));
  }
  return table;
}

}  // namespace holdfast::ipvs::test
