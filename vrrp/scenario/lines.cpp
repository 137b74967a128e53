#include "vrrp/scenario/lines.hpp"

#include "vrrp/core/ah.hpp"
#include "vrrp/scenario/field_io.hpp"

#include <set>

namespace holdfast::vrrp::scenario {
namespace {

/// By the alternative's index in Event.
constexpr std::array<std::string_view, 21> kVerbs{
    "startup",   "tick",      "advert",       "rejected", "sent",         "refused", "unannounced",
    "interface", "addresses", "repaired",     "shutdown", "shutdown-now", "paused",  "resume",
    "reload",    "script",    "script-ended", "recall",   "clock",        "tracked", "steered"};
static_assert(kVerbs.size() == std::variant_size_v<Event>, "every event has its verb");

/// Encoded in one byte on the wire.
constexpr std::size_t kMostAdvertised = 255;
/// No hour of a director has so long a line, and no packet such a size.
constexpr std::size_t kMostPayload = 65535;
/// Behind the bytes of a packet that begin with an authentication header: a field of its IP header.
constexpr std::string_view kAhWord = "ah=";

template <std::size_t Index = 0>
Event read_alternative(std::size_t index, std::span<const std::string> words) {
  if constexpr (Index < std::variant_size_v<Event>) {
    if (index == Index) return FieldReader::read<std::variant_alternative_t<Index, Event>>(words);
    return read_alternative<Index + 1>(index, words);
  } else {
    throw FormatError("there is no such event");
  }
}

struct NamedInterface {
  std::string name;
  InterfaceStatus status;
};
void describe(auto& archive, Either<NamedInterface> auto& value) {
  auto& [name, status] = value;
  archive("name", name);
  describe(archive, status);
}

struct LifeFlags {
  bool running = false;
  bool stopping = false;
  bool stopped = false;
  Duration utc_ahead{};
};
void describe(auto& archive, Either<LifeFlags> auto& value) {
  auto& [running, stopping, stopped, utc_ahead] = value;
  archive("running", running);
  archive("stopping", stopping);
  archive("stopped", stopped);
  archive("utc_ahead", utc_ahead);
}

struct WakeFields {
  Duration uncounted{};
};
void describe(auto& archive, Either<WakeFields> auto& value) {
  auto& [uncounted] = value;
  archive("uncounted", uncounted);
}

void check(bool holds, std::string_view sentence) {
  if (!holds) throw FormatError(std::string(sentence));
}

bool all_of_family(const AddressList& addresses, core::Family family) {
  return std::all_of(addresses.begin(), addresses.end(), [family](const VirtualAddress& each) {
    return each.prefix.address.family() == family;
  });
}

}  // namespace

std::string event_text(const Event& event) {
  return std::string(kVerbs.at(event.index())) +
         std::visit([](const auto& known) { return FieldWriter::text_of(known); }, event);
}

Event read_event(std::span<const std::string> words) {
  check(!words.empty(), "an event is missing");
  const auto verb = std::find(kVerbs.begin(), kVerbs.end(), words.front());
  if (verb == kVerbs.end())
    throw FormatError(fmt::format("there is no event '{}'", one_line(words.front())));
  return read_alternative(static_cast<std::size_t>(verb - kVerbs.begin()), words.subspan(1));
}

std::string instance_line(const InstanceSettings& settings) {
  return "instance" + FieldWriter::text_of(settings);
}

// What the configuration's own checks promise to the core.
InstanceSettings read_instance(std::span<const std::string> words) {
  auto settings = FieldReader::read<InstanceSettings>(words);
  check(settings.vrid != 0, "vrid: 1 to 255");
  check(settings.priority != 0, "priority: 1 to 255");
  check(settings.advert_interval > Duration::zero(), "advert_interval: more than nothing");
  check(settings.retry_after > Duration::zero(), "retry_after: more than nothing");
  check(settings.addresses.size() <= kMostAdvertised, "addresses: at most 255");
  const bool is_v4 = settings.family == core::Family::v4;
  check(settings.version == 3 || (settings.version == 2 && is_v4), "version: 2 or 3; 3 with IPv6");
  check(all_of_family(settings.addresses, settings.family), "addresses: all of the family");
  check(!settings.has_header() || (settings.version == 2 && !settings.signing),
        "authentication.type: a header only in version 2, and without signing");
  check(!settings.signing || settings.signing->key(settings.signing->active_key) != nullptr,
        "signing.active_key: one of the keys");
  const auto fits = [&](const IpAddress& address) { return address.family() == settings.family; };
  check(!settings.source_address || fits(*settings.source_address), "source_address: the family");
  check(!settings.group || fits(*settings.group), "group: of the family");
  if (!settings.unicast) return settings;
  for (const UnicastPeer& peer : settings.unicast->peers)
    check(fits(peer.address), "unicast.peers: of the family");
  return settings;
}

std::string packet_text(const Received& packet, std::span<const std::uint8_t> payload) {
  std::string text =
      fmt::format("packet {} {} {} {} {}", quote(packet.interface), packet.source.to_string(),
                  packet.destination.to_string(), packet.hop_limit,
                  payload.empty() ? "-" : to_hex(payload.data(), payload.size()));
  if (packet.protocol == kIpProtocolAh)
    text += fmt::format(" {}{}", kAhWord, packet.identification);
  return text;
}

Received PacketLine::received() const {
  return {.interface = interface,
          .family = source.family(),
          .source = source,
          .destination = destination,
          .hop_limit = hop_limit,
          .payload = payload,
          .protocol = protocol,
          .identification = identification};
}

PacketLine read_packet(std::span<const std::string> words) {
  check(words.size() == 5 || words.size() == 6,
        "a packet has interface, source, destination, hop limit and bytes");
  PacketLine packet;
  packet.interface = words[0];
  from_text(words[1], packet.source);
  from_text(words[2], packet.destination);
  from_text(words[3], packet.hop_limit);
  if (words[4] != "-") packet.payload = from_hex(words[4]);
  check(packet.payload.size() <= kMostPayload, "no packet is so long");
  if (words.size() == 5) return packet;
  check(words[5].starts_with(kAhWord) && packet.source.is_v4() && packet.destination.is_v4(),
        "behind the bytes of a packet stands ah=IDENTIFICATION, over IPv4, or nothing");
  packet.protocol = kIpProtocolAh;
  from_text(std::string_view(words[5]).substr(kAhWord.size()), packet.identification);
  return packet;
}

std::string time_text(Instant at) {
  const std::int64_t micros = at.time_since_epoch().count();
  return fmt::format("{}.{:06}", micros / 1'000'000, micros % 1'000'000);
}

std::string wake_text(Duration uncounted) {
  return "wake" + FieldWriter::text_of(WakeFields{uncounted});
}

Duration read_wake(std::span<const std::string> words) {
  return FieldReader::read<WakeFields>(words).uncounted;
}

std::string_view name_of(const Action& action) {
  return std::visit(
      [](const auto& known) -> std::string_view {
        if constexpr (requires { known.router; }) {
          return known.router->name;
        } else {
          return {};
        }
      },
      action);
}

std::string decision_line(const Action& action) {
  return fmt::format("{} {} {}", kDecision, quote(name_of(action)), one_line(to_string(action)));
}

std::vector<std::string> life_lines(const RouterSituation& situation) {
  std::vector<std::string> lines;
  lines.push_back("life" + FieldWriter::text_of(LifeFlags{situation.running, situation.stopping,
                                                          situation.stopped, situation.utc_ahead}));
  for (const auto& [name, status] : situation.interfaces)
    lines.push_back("interface" + FieldWriter::text_of(NamedInterface{name, status}));
  for (const InstanceSituation& each : situation.instances) {
    lines.push_back(instance_line(each.settings));
    lines.push_back("situation" + FieldWriter::text_of(each.situation));
  }
  return lines;
}

RouterSituation read_life(std::span<const std::string> words) {
  const auto flags = FieldReader::read<LifeFlags>(words);
  RouterSituation life;
  life.running = flags.running;
  life.stopping = flags.stopping;
  life.stopped = flags.stopped;
  life.utc_ahead = flags.utc_ahead;
  return life;
}

bool read_life_detail(std::span<const std::string> words, RouterSituation& life) {
  const std::string& verb = words.front();
  const auto fields = words.subspan(1);
  if (verb == "interface") {
    const auto interface = FieldReader::read<NamedInterface>(fields);
    life.interfaces[interface.name] = interface.status;
  } else if (verb == "instance") {
    life.instances.push_back({read_instance(fields), {}});
  } else if (verb == "situation") {
    check(!life.instances.empty(), "a situation stands below its instance");
    life.instances.back().situation = FieldReader::read<Situation>(fields);
  } else {
    return false;
  }
  return true;
}

void check_unique(const std::vector<InstanceSettings>& instances) {
  std::set<RouterKey> keys;
  for (const InstanceSettings& each : instances) {
    if (!keys.insert(each.key()).second)
      throw FormatError(fmt::format("two instances are {}", to_string(each.key())));
  }
}

}  // namespace holdfast::vrrp::scenario
