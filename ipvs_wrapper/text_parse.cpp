// The reading half of text.hpp: the words of a line become options, options become an entry.
#include "ipvs_wrapper/text.hpp"
#include "ipvs_wrapper/text_entry.hpp"
#include "ipvs_wrapper/text_line.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace holdfast::ipvs {
namespace {

constexpr std::uint32_t kMaxSigned = 0x7fffffff;
constexpr std::uint32_t kDefaultPersistence = 360;  // seconds; ipvsadm's default for a bare -p

// A line as an entry.
class LineParser : public TextLine {
 public:
  using TextLine::TextLine;

  core::Result<TextEntry> parse() {
    const TextCommand* command = command_of(first_word().text, kCommandsOfFiles);
    if (command == nullptr)
      return problem(first_word(), "expected -A (service) or -a (server), found '{}'",
                     first_word().text);
    return parse(*command);
  }

  core::Result<TextEntry> parse(const TextCommand& command) {
    entry_.is_server = command.is_server;
    while (has_more()) {
      if (auto error = option()) return *std::move(error);
    }
    if (auto error = finish()) return *std::move(error);
    return std::move(entry_);
  }

 private:
  enum class Takes : std::uint8_t { nothing, value, maybe_value };  ///< the last: -p, -p 300
  using Reader = Problem (LineParser::*)(const Word& option, const Word& value);
  struct Option {
    std::string_view short_name;
    std::string_view long_name;
    Takes takes;
    Reader read;
  };
  static std::span<const Option> options();

  Problem option() {
    Word word = next_word();
    std::optional<Word> attached;  // --name=value
    if (const auto equals = word.text.find('=');
        word.text.starts_with("--") && equals != std::string_view::npos) {
      attached = Word{word.text.substr(equals + 1), word.column + equals + 1};
      word.text = word.text.substr(0, equals);
    }
    const auto known = std::ranges::find_if(options(), [&](const Option& each) {
      return word.text == each.long_name ||
             (!each.short_name.empty() && word.text == each.short_name);
    });
    if (known == options().end()) return problem(word, "unknown option '{}'", word.text);
    if (known->takes == Takes::nothing) return (this->*known->read)(word, {});
    if (known->takes == Takes::maybe_value)
      return (this->*known->read)(word, attached ? *attached : value_that_may_follow());
    const auto given = value(word, attached);
    return given ? (this->*known->read)(word, *given) : given.error();
  }

  // ---- one for each option ----

  Problem second_command(const Word& option, const Word&) {
    return problem(option, "a line holds one command");
  }
  Problem tcp(const Word& option, const Word& value) {
    return address_key(Protocol::tcp, option, value);
  }
  Problem udp(const Word& option, const Word& value) {
    return address_key(Protocol::udp, option, value);
  }
  Problem sctp(const Word& option, const Word& value) {
    return address_key(Protocol::sctp, option, value);
  }
  Problem scheduler(const Word&, const Word& value) {
    return name_into(entry_.settings.scheduler, value);
  }
  Problem engine(const Word&, const Word& value) {
    return name_into(entry_.settings.persistence_engine, value);
  }
  Problem ipv6(const Word& option, const Word&) {
    entry_.ipv6 = option;
    return {};
  }
  Problem netmask(const Word&, const Word& value) {
    entry_.netmask = value;
    return {};
  }
  Problem scheduler_flags(const Word&, const Word& value) {
    entry_.flags = value;
    return {};
  }
  Problem one_packet(const Word&, const Word&) {
    entry_.settings.flags |= kOnePacket;
    return {};
  }
  template <Forwarding method>
  Problem forwards_by(const Word&, const Word&) {
    entry_.server.forwarding = method;
    return {};
  }
  template <TunnelChecksum checksum>
  Problem tunnel_checksum(const Word& option, const Word&) {
    entry_.tunnel_option = option;
    entry_.server.tunnel.checksum = checksum;
    return {};
  }
  template <auto Server::*member>
  Problem server_number(const Word&, const Word& value) {
    return number(value, 0, kMaxSigned, entry_.server.*member);
  }

  Problem set_key(const Word& name, ServiceKey key) {
    if (entry_.key) return problem(name, "the line names two services");
    entry_.key = std::move(key);
    return {};
  }

  Problem address_key(Protocol protocol, const Word& name, const Word& word) {
    const auto parsed = endpoint_value(word);
    if (!parsed) return parsed.error();
    return set_key(name, AddressKey{protocol, *parsed});
  }

  Problem any_protocol(const Word& name, const Word& word) {
    std::uint16_t protocol = 0;
    if (auto error = number(word, 0, 65535, protocol)) return error;
    const auto address = value(name, std::nullopt);
    if (!address) return address.error();
    return address_key(static_cast<Protocol>(protocol), name, *address);
  }

  Problem mark(const Word& name, const Word& word) {
    MarkKey key;
    if (auto error = number(word, 1, 0xffffffff, key.mark)) return error;
    return set_key(name, key);
  }

  Problem name_into(std::string& out, const Word& word) const {
    if (word.text.empty() || word.text.size() > 15)
      return problem(word, "'{}' is not a name of 1 to 15 characters", word.text);
    out = word.text;
    return {};
  }

  Problem persistence(const Word&, const Word& value) {
    std::uint32_t seconds = kDefaultPersistence;
    if (!value.text.empty()) {
      if (auto error = number(value, 1, kMaxSigned, seconds)) return error;
    }
    entry_.settings.persistence = Persistence{std::chrono::seconds(seconds), 0};
    return {};
  }

  Problem endpoint(const Word&, const Word& word) {
    const auto parsed = endpoint_value(word);
    if (!parsed) return parsed.error();
    entry_.endpoint = *parsed;
    return {};
  }

  Problem raw_flags(const Word&, const Word& word) {
    std::uint32_t flags = 0;
    if (auto error = number(word, 0, 0xffffffff, flags)) return error;
    entry_.settings.flags |= flags;
    return {};
  }

  Problem forwarding(const Word&, const Word& word) {
    if (word.text == "local") {
      entry_.server.forwarding = Forwarding::local;
    } else if (word.text == "bypass") {
      entry_.server.forwarding = Forwarding::bypass;
    } else {
      return number(word, 0, 7, entry_.server.forwarding);
    }
    return {};
  }

  Problem tunnel_type(const Word& name, const Word& word) {
    entry_.tunnel_option = name;
    auto& type = entry_.server.tunnel.type;
    if (word.text == "ipip") {
      type = TunnelType::ipip;
    } else if (word.text == "gue") {
      type = TunnelType::gue;
    } else if (word.text == "gre") {
      type = TunnelType::gre;
    } else {
      return problem(word, "unknown tunnel type '{}' (ipip, gue or gre)", word.text);
    }
    return {};
  }

  Problem tunnel_port(const Word& name, const Word& word) {
    entry_.tunnel_option = name;
    return number(word, 1, 65535, entry_.server.tunnel.port);
  }

  Problem finish() {
    const Word end = end_of_line();
    if (!entry_.key)
      return problem(end, "the line names no service (-t, -u, --sctp-service or -f)");
    if (entry_.ipv6) {
      auto* mark = std::get_if<MarkKey>(&*entry_.key);
      if (mark == nullptr)
        return problem(*entry_.ipv6, "'{}' goes with -f only", entry_.ipv6->text);
      mark->family = core::Family::v6;
    }
    if (entry_.is_server && !entry_.endpoint) return problem(end, "the line names no server (-r)");
    if (entry_.tunnel_option && entry_.server.forwarding != Forwarding::tunnel)
      return problem(*entry_.tunnel_option, "'{}' goes with -i only", entry_.tunnel_option->text);
    const auto& tunnel = entry_.server.tunnel;
    if (tunnel.type == TunnelType::gue && tunnel.port == 0)
      return problem(end, "a gue tunnel needs --tun-port");
    if (entry_.server.lower_threshold > entry_.server.upper_threshold)
      return problem(end, "the lower threshold (-y) is above the upper one (-x)");
    if (auto error = finish_netmask()) return error;
    return finish_flags();
  }

  Problem finish_netmask() {
    auto& persistence = entry_.settings.persistence;
    const auto family = family_of(*entry_.key);
    if (persistence) persistence->netmask = full_netmask(family);
    if (!entry_.netmask) return {};
    if (!persistence) return problem(*entry_.netmask, "a netmask (-M) needs persistence (-p)");
    if (family == core::Family::v6) return number(*entry_.netmask, 1, 128, persistence->netmask);
    const auto mask = core::IpAddress::parse(entry_.netmask->text);
    if (!mask || !mask->is_v4())
      return problem(*entry_.netmask, "'{}' is not an IPv4 netmask", entry_.netmask->text);
    persistence->netmask = 0;
    for (const auto byte : mask->bytes()) persistence->netmask = persistence->netmask << 8 | byte;
    return {};
  }

  Problem finish_flags() {
    if (!entry_.flags) return {};
    auto rest = *entry_.flags;
    while (!rest.text.empty()) {
      const auto comma = std::min(rest.text.find(','), rest.text.size());
      const Word name{rest.text.substr(0, comma), rest.column};
      const auto bit = flag_bit(name.text);
      if (bit == 0) {
        return problem(name, "'{}' is not a flag of the scheduler {}", name.text,
                       entry_.settings.scheduler);
      }
      entry_.settings.flags |= bit;
      const auto used = std::min(comma + 1, rest.text.size());
      rest = Word{rest.text.substr(used), rest.column + used};
    }
    return {};
  }

  [[nodiscard]] std::uint32_t flag_bit(std::string_view name) const {
    const auto& scheduler = entry_.settings.scheduler;
    const bool hashed = scheduler == "sh" || scheduler == "mh";
    if (name == "flag-1" || (hashed && name == scheduler + "-fallback")) return kSchedulerFlag1;
    if (name == "flag-2" || (hashed && name == scheduler + "-port")) return kSchedulerFlag2;
    return name == "flag-3" ? kSchedulerFlag3 : 0;
  }

  TextEntry entry_;
};

std::span<const LineParser::Option> LineParser::options() {
  static constexpr Option kAll[] = {
      {"-A", "--add-service", Takes::nothing, &LineParser::second_command},
      {"-a", "--add-server", Takes::nothing, &LineParser::second_command},
      {"-t", "--tcp-service", Takes::value, &LineParser::tcp},
      {"-u", "--udp-service", Takes::value, &LineParser::udp},
      {"", "--sctp-service", Takes::value, &LineParser::sctp},
      {"", "--protocol", Takes::value, &LineParser::any_protocol},
      {"-f", "--fwmark-service", Takes::value, &LineParser::mark},
      {"-6", "--ipv6", Takes::nothing, &LineParser::ipv6},
      {"-s", "--scheduler", Takes::value, &LineParser::scheduler},
      {"-p", "--persistent", Takes::maybe_value, &LineParser::persistence},
      {"-M", "--netmask", Takes::value, &LineParser::netmask},
      {"", "--pe", Takes::value, &LineParser::engine},
      {"-o", "--ops", Takes::nothing, &LineParser::one_packet},
      {"-b", "--sched-flags", Takes::value, &LineParser::scheduler_flags},
      {"", "--flags", Takes::value, &LineParser::raw_flags},
      {"-r", "--real-server", Takes::value, &LineParser::endpoint},
      {"-g", "--gatewaying", Takes::nothing, &LineParser::forwards_by<Forwarding::direct_route>},
      {"-m", "--masquerading", Takes::nothing, &LineParser::forwards_by<Forwarding::masquerade>},
      {"-i", "--ipip", Takes::nothing, &LineParser::forwards_by<Forwarding::tunnel>},
      {"", "--forwarding", Takes::value, &LineParser::forwarding},
      {"-w", "--weight", Takes::value, &LineParser::server_number<&Server::weight>},
      {"-x", "--u-threshold", Takes::value, &LineParser::server_number<&Server::upper_threshold>},
      {"-y", "--l-threshold", Takes::value, &LineParser::server_number<&Server::lower_threshold>},
      {"", "--tun-type", Takes::value, &LineParser::tunnel_type},
      {"", "--tun-port", Takes::value, &LineParser::tunnel_port},
      {"", "--tun-nocsum", Takes::nothing, &LineParser::tunnel_checksum<TunnelChecksum::none>},
      {"", "--tun-csum", Takes::nothing, &LineParser::tunnel_checksum<TunnelChecksum::checksum>},
      {"", "--tun-remcsum", Takes::nothing,
       &LineParser::tunnel_checksum<TunnelChecksum::remote_offload>},
  };
  return kAll;
}

std::optional<core::Error> add_to(Table& table, TextEntry entry, const LineParser& line) {
  const auto found = table.services.find(*entry.key);
  if (!entry.is_server) {
    if (found != table.services.end())
      return line.problem(line.first_word(), "{} is there already", to_string(*entry.key));
    table.services.emplace(*entry.key, Service{std::move(entry.settings), {}});
    return {};
  }
  if (found == table.services.end())
    return line.problem(line.first_word(), "{} has not been added before its server",
                        to_string(*entry.key));
  if (!found->second.servers.emplace(*entry.endpoint, entry.server).second) {
    return line.problem(line.first_word(), "{} has the server {} already", to_string(*entry.key),
                        entry.endpoint->to_string());
  }
  return {};
}

void complete_port(TextEntry& entry) {
  const auto* key = std::get_if<AddressKey>(&*entry.key);
  const bool keeps_port = entry.server.forwarding != Forwarding::masquerade;
  if (key != nullptr && (entry.endpoint->port == 0 || keeps_port))
    entry.endpoint->port = key->endpoint.port;
}

}  // namespace

core::Result<Step> parse_command(std::string_view text) {
  LineParser line(text, 1);
  if (line.is_empty()) return core::fail("there is no command");
  const TextCommand* command = command_of(line.first_word().text, std::size(kCommands));
  if (command == nullptr) {
    return line.problem(line.first_word(), "expected one of -A -E -D -a -e -d, found '{}'",
                        line.first_word().text);
  }
  auto entry = line.parse(*command);
  if (!entry) return entry.error();
  // A deletion names the server only: its method, and with it its port, is not known here.
  if (command->short_name == "-D") return Step{DeleteService{*entry->key}};
  if (command->short_name == "-d") {
    if (entry->endpoint->port == 0) complete_port(*entry);
    return Step{DeleteServer{*entry->key, *entry->endpoint}};
  }
  if (!command->is_server) {
    if (command->short_name == "-A") return Step{AddService{*entry->key, entry->settings}};
    return Step{EditService{*entry->key, entry->settings}};
  }
  complete_port(*entry);
  if (command->short_name == "-a")
    return Step{AddServer{*entry->key, *entry->endpoint, entry->server}};
  return Step{EditServer{*entry->key, *entry->endpoint, entry->server}};
}

core::Result<Table> parse_text(std::string_view text) {
  Table table;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    LineParser line(text.substr(0, end), number);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.is_empty()) continue;
    auto entry = line.parse();
    if (!entry) return entry.error();
    if (auto error = add_to(table, std::move(*entry), line)) return *std::move(error);
  }
  return table;
}

}  // namespace holdfast::ipvs
