// The reading half of json.hpp. Every reader takes the path of its value for the error text.
#include "ipvs_wrapper/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace holdfast::ipvs {
namespace {

namespace json = boost::json;

constexpr std::uint32_t kMaxSigned = 0x7fffffff;

struct Range {
  std::uint32_t low = 0;
  std::uint32_t high = kMaxSigned;
};

// Reads members of one object and keeps the first problem; after one, everything reads as its
// default.
class ObjectReader {
 public:
  ObjectReader(const json::value* value, std::string path) : path_(std::move(path)) {
    if (value == nullptr || !value->is_object())
      fail("", "must be an object");
    else
      object_ = &value->get_object();
  }

  void fail(std::string_view member, std::string_view problem) {
    if (error_) return;
    const auto where = member.empty() ? path_ : path_of(member);
    error_ = core::fail("{}: {}", where.empty() ? "the table" : where, problem);
  }

  /// nullptr when the member is absent or null.
  [[nodiscard]] const json::value* find(std::string_view member) const {
    if (object_ == nullptr) return nullptr;
    const auto* value = object_->if_contains(member);
    return value != nullptr && !value->is_null() ? value : nullptr;
  }

  std::uint32_t number(std::string_view member, Range range, std::uint32_t otherwise) {
    const auto* value = find(member);
    return value == nullptr ? otherwise : number_value(*value, member, range);
  }

  std::uint32_t number_value(const json::value& value, std::string_view member, Range range) {
    boost::system::error_code error;
    const auto number = value.is_number() ? value.to_number<std::uint32_t>(error) : 0;
    if (value.is_number() && !error && number >= range.low && number <= range.high) return number;
    fail(member, fmt::format("must be a number from {} to {}", range.low, range.high));
    return range.low;
  }

  std::string text(std::string_view member, std::string_view otherwise) {
    const auto* value = find(member);
    if (value == nullptr) return std::string(otherwise);
    if (value->is_string()) return std::string(std::string_view(value->get_string()));
    fail(member, "must be a text");
    return {};
  }

  core::IpAddress address(std::string_view member) {
    const auto parsed = core::IpAddress::parse(text(member, ""));
    if (!parsed) fail(member, "must be an IP address");
    return parsed.value_or(core::IpAddress{});
  }

  /// Empty when absent.
  const json::array& list(std::string_view member) {
    static const json::array nothing;
    const auto* value = find(member);
    if (value == nullptr) return nothing;
    if (value->is_array()) return value->get_array();
    fail(member, "must be a list");
    return nothing;
  }

  [[nodiscard]] std::string path_of(std::string_view member) const {
    return path_.empty() ? std::string(member) : fmt::format("{}.{}", path_, member);
  }
  [[nodiscard]] const std::optional<core::Error>& error() const { return error_; }
  void adopt(const ObjectReader& inner) {
    if (!error_) error_ = inner.error_;
  }

 private:
  std::string path_;
  const json::object* object_ = nullptr;
  std::optional<core::Error> error_;
};

// "FWD 5", "IP 47": a word and a number.
std::optional<std::uint32_t> numbered(std::string_view text, std::string_view word,
                                      std::uint32_t high) {
  if (!text.starts_with(word)) return std::nullopt;
  text.remove_prefix(word.size());
  std::uint32_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || rest != text.data() + text.size() || number > high)
    return std::nullopt;
  return number;
}

Protocol protocol_of(ObjectReader& reader) {
  const auto text = reader.text("protocol", "");
  for (const auto protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp}) {
    if (text == to_string(protocol)) return protocol;
  }
  if (const auto number = numbered(text, "IP ", 65535)) return static_cast<Protocol>(*number);
  reader.fail("protocol", "must be TCP, UDP, SCTP or \"IP <number>\"");
  return Protocol::tcp;
}

ServiceKey key_of(ObjectReader& reader) {
  if (reader.find("mark") == nullptr) {
    const auto protocol = protocol_of(reader);
    const auto address = reader.address("address");
    return AddressKey{protocol,
                      {address, static_cast<std::uint16_t>(reader.number("port", {0, 65535}, 0))}};
  }
  MarkKey key{reader.number("mark", {1, 0xffffffff}, 0), core::Family::v4};
  const auto family = reader.text("family", "ipv4");
  if (family == "ipv6")
    key.family = core::Family::v6;
  else if (family != "ipv4")
    reader.fail("family", "must be ipv4 or ipv6");
  return key;
}

std::uint32_t flags_of(ObjectReader& reader) {
  std::uint32_t flags = 0;
  for (const auto& flag : reader.list("flags")) {
    if (flag.is_number()) {
      flags |= reader.number_value(flag, "flags", {0, 0xffffffff});
      continue;
    }
    std::uint32_t bit = 0;
    for (const auto& [known, name] : kFlagNames) {
      if (flag.is_string() && std::string_view(flag.get_string()) == name) bit = known;
    }
    if (bit == 0) reader.fail("flags", "must be one-packet, flag-1, flag-2, flag-3 or a number");
    flags |= bit;
  }
  return flags;
}

std::optional<Persistence> persistence_of(ObjectReader& outer, core::Family family) {
  const auto* value = outer.find("persistence");
  if (value == nullptr) return std::nullopt;
  ObjectReader reader(value, outer.path_of("persistence"));
  Persistence out{std::chrono::seconds(reader.number("timeout_s", {1, kMaxSigned}, 360)),
                  full_netmask(family)};
  if (family == core::Family::v6) {
    out.netmask = reader.number("prefix_length", {1, 128}, 128);
  } else if (reader.find("netmask") != nullptr) {
    const auto mask = reader.address("netmask");
    if (!mask.is_v4()) reader.fail("netmask", "must be an IPv4 netmask");
    out.netmask = 0;
    for (const auto byte : mask.bytes()) out.netmask = out.netmask << 8 | byte;
  }
  outer.adopt(reader);
  return out;
}

Forwarding forwarding_of(ObjectReader& reader) {
  const auto text = reader.text("forwarding", "DR");
  for (const auto forwarding : {Forwarding::masquerade, Forwarding::local, Forwarding::tunnel,
                                Forwarding::direct_route, Forwarding::bypass}) {
    if (text == to_string(forwarding)) return forwarding;
  }
  if (const auto number = numbered(text, "FWD ", 7)) return static_cast<Forwarding>(*number);
  reader.fail("forwarding", "must be NAT, DR, TUN, LOCAL or BYPASS");
  return Forwarding::direct_route;
}

template <class Enum>
Enum one_of(ObjectReader& reader, std::string_view member,
            std::initializer_list<std::pair<std::string_view, Enum>> choices) {
  const auto text = reader.text(member, choices.begin()->first);
  std::string words;
  for (const auto& [word, choice] : choices) {
    if (text == word) return choice;
    words += words.empty() ? "" : ", ";
    words += word;
  }
  reader.fail(member, "must be one of " + words);
  return choices.begin()->second;
}

Tunnel tunnel_of(ObjectReader& outer) {
  const auto* value = outer.find("tunnel");
  if (value == nullptr) return {};
  ObjectReader reader(value, outer.path_of("tunnel"));
  Tunnel out;
  out.type = one_of<TunnelType>(
      reader, "type",
      {{"ipip", TunnelType::ipip}, {"gue", TunnelType::gue}, {"gre", TunnelType::gre}});
  out.port = static_cast<std::uint16_t>(reader.number("port", {0, 65535}, 0));
  out.checksum = one_of<TunnelChecksum>(reader, "checksum",
                                        {{"none", TunnelChecksum::none},
                                         {"checksum", TunnelChecksum::checksum},
                                         {"remote-offload", TunnelChecksum::remote_offload}});
  if (out.type == TunnelType::gue && out.port == 0) reader.fail("port", "must be given for gue");
  outer.adopt(reader);
  return out;
}

void read_server(ObjectReader& reader, Service& service) {
  const auto address = reader.address("address");
  const core::Endpoint endpoint{address,
                                static_cast<std::uint16_t>(reader.number("port", {0, 65535}, 0))};
  Server server;
  server.forwarding = forwarding_of(reader);
  server.weight = reader.number("weight", {}, 1);
  server.upper_threshold = reader.number("upper_threshold", {}, 0);
  server.lower_threshold = reader.number("lower_threshold", {0, server.upper_threshold}, 0);
  if (server.forwarding == Forwarding::tunnel)
    server.tunnel = tunnel_of(reader);
  else if (reader.find("tunnel") != nullptr)
    reader.fail("tunnel", "goes with forwarding TUN only");
  if (!service.servers.emplace(endpoint, server).second)
    reader.fail("", "names a server a second time");
}

std::string name_of(ObjectReader& reader, std::string_view member, std::string_view otherwise) {
  auto name = reader.text(member, otherwise);
  if (name.size() > 15) reader.fail(member, "must be at most 15 characters");
  return name;
}

void read_service(ObjectReader& reader, Table& table) {
  const auto key = key_of(reader);
  Service service;
  service.settings.scheduler = name_of(reader, "scheduler", "wlc");
  if (service.settings.scheduler.empty()) reader.fail("scheduler", "must not be empty");
  service.settings.flags = flags_of(reader);
  service.settings.persistence = persistence_of(reader, family_of(key));
  service.settings.persistence_engine = name_of(reader, "persistence_engine", "");
  std::size_t index = 0;
  for (const auto& value : reader.list("servers")) {
    ObjectReader inner(&value, fmt::format("{}[{}]", reader.path_of("servers"), index++));
    read_server(inner, service);
    reader.adopt(inner);
  }
  if (!table.services.emplace(key, std::move(service)).second)
    reader.fail("", "names a service a second time");
}

}  // namespace

core::Result<Table> table_from_json(const json::value& value) {
  Table table;
  ObjectReader top(&value, "");
  std::size_t index = 0;
  for (const auto& service : top.list("services")) {
    ObjectReader inner(&service, fmt::format("services[{}]", index++));
    read_service(inner, table);
    top.adopt(inner);
  }
  if (top.error()) return *top.error();
  return table;
}

core::Result<Table> parse_json(std::string_view text) {
  boost::system::error_code error;
  const auto value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) return core::fail("the table is not JSON: {}", error.message());
  return table_from_json(value);
}

}  // namespace holdfast::ipvs
