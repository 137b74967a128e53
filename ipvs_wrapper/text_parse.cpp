// The reading half of text.hpp: a line is cut into words, words become options, options become an
// entry.
#include "ipvs_wrapper/text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <initializer_list>
#include <utility>

namespace holdfast::ipvs {
namespace {

struct Word {
  std::string_view text;
  std::size_t column = 0;  // from 1
};

enum class Option {
  add_service,
  add_server,
  tcp,
  udp,
  sctp,
  protocol,
  mark,
  ipv6,
  scheduler,
  persistent,
  netmask,
  engine,
  one_packet,
  scheduler_flags,
  raw_flags,
  real_server,
  direct_route,
  masquerade,
  tunnel,
  forwarding,
  weight,
  upper_threshold,
  lower_threshold,
  tunnel_type,
  tunnel_port,
  tunnel_nocsum,
  tunnel_csum,
  tunnel_remcsum,
};

struct OptionName {
  std::string_view short_name;
  std::string_view long_name;
  Option option;
};

constexpr OptionName kOptions[] = {
    {"-A", "--add-service", Option::add_service},
    {"-a", "--add-server", Option::add_server},
    {"-t", "--tcp-service", Option::tcp},
    {"-u", "--udp-service", Option::udp},
    {"", "--sctp-service", Option::sctp},
    {"", "--protocol", Option::protocol},
    {"-f", "--fwmark-service", Option::mark},
    {"-6", "--ipv6", Option::ipv6},
    {"-s", "--scheduler", Option::scheduler},
    {"-p", "--persistent", Option::persistent},
    {"-M", "--netmask", Option::netmask},
    {"", "--pe", Option::engine},
    {"-o", "--ops", Option::one_packet},
    {"-b", "--sched-flags", Option::scheduler_flags},
    {"", "--flags", Option::raw_flags},
    {"-r", "--real-server", Option::real_server},
    {"-g", "--gatewaying", Option::direct_route},
    {"-m", "--masquerading", Option::masquerade},
    {"-i", "--ipip", Option::tunnel},
    {"", "--forwarding", Option::forwarding},
    {"-w", "--weight", Option::weight},
    {"-x", "--u-threshold", Option::upper_threshold},
    {"-y", "--l-threshold", Option::lower_threshold},
    {"", "--tun-type", Option::tunnel_type},
    {"", "--tun-port", Option::tunnel_port},
    {"", "--tun-nocsum", Option::tunnel_nocsum},
    {"", "--tun-csum", Option::tunnel_csum},
    {"", "--tun-remcsum", Option::tunnel_remcsum},
};

constexpr std::string_view kBlanks = " \t\r\f\v";
constexpr std::uint32_t kMaxSigned = 0x7fffffff;
constexpr std::uint32_t kDefaultPersistence = 360;  // seconds; ipvsadm's default for a bare -p

std::vector<Word> words_of(std::string_view line) {
  std::vector<Word> words;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(kBlanks, at)) != std::string_view::npos) {
    const auto end = std::min(line.find_first_of(kBlanks, at), line.size());
    words.push_back({line.substr(at, end - at), at + 1});
    at = end;
  }
  if (!words.empty() && words.front().text == "ipvsadm") words.erase(words.begin());
  return words;
}

// What a line says, before it is checked as a whole.
struct Entry {
  bool is_server = false;
  std::optional<ServiceKey> key;
  std::optional<core::Endpoint> endpoint;
  Settings settings;
  Server server;
  std::optional<Word> netmask;  // read once the family is known
  std::optional<Word> flags;    // read once the scheduler is known
  std::optional<Word> ipv6;
  std::optional<Word> tunnel_option;
};

// One line. Every member function returns nullopt or the problem.
class LineParser {
 public:
  using Problem = std::optional<core::Error>;

  LineParser(std::string_view line, std::size_t number)
      : words_(words_of(line)), number_(number), end_column_(line.size() + 1) {}

  [[nodiscard]] bool is_empty() const {
    return words_.empty() || words_.front().text.front() == '#';
  }

  core::Result<Entry> parse() {
    if (words_[0].text == "-A" || words_[0].text == "--add-service") {
      entry_.is_server = false;
    } else if (words_[0].text == "-a" || words_[0].text == "--add-server") {
      entry_.is_server = true;
    } else {
      return problem(words_[0], "expected -A (service) or -a (server), found '{}'", words_[0].text);
    }
    next_ = 1;
    while (next_ < words_.size()) {
      if (auto error = option()) return *std::move(error);
    }
    if (auto error = finish()) return *std::move(error);
    return std::move(entry_);
  }

  template <class... Args>
  [[nodiscard]] core::Error problem(const Word& word, fmt::format_string<Args...> text,
                                    Args&&... args) const {
    return core::fail("line {}, column {}: {}", number_, word.column,
                      fmt::format(text, std::forward<Args>(args)...));
  }
  [[nodiscard]] const Word& first_word() const { return words_.front(); }

 private:
  Problem option() {
    Word word = words_[next_++];
    std::optional<Word> attached;  // --name=value
    if (const auto equals = word.text.find('=');
        word.text.starts_with("--") && equals != std::string_view::npos) {
      attached = Word{word.text.substr(equals + 1), word.column + equals + 1};
      word.text = word.text.substr(0, equals);
    }
    for (const auto& known : kOptions) {
      if (word.text == known.long_name ||
          (!known.short_name.empty() && word.text == known.short_name))
        return apply(known.option, word, attached);
    }
    return problem(word, "unknown option '{}'", word.text);
  }

  // The option's value: attached, or the next word.
  core::Result<Word> value(const Word& option, const std::optional<Word>& attached) {
    if (attached) return *attached;
    if (next_ == words_.size())
      return problem(Word{{}, end_column_}, "option '{}' needs a value", option.text);
    return words_[next_++];
  }

  Problem apply(Option option, const Word& word, const std::optional<Word>& attached) {
    switch (option) {
      case Option::add_service:
      case Option::add_server:
        return problem(word, "a line holds one command");
      case Option::ipv6:
        entry_.ipv6 = word;
        return {};
      case Option::one_packet:
        entry_.settings.flags |= kOnePacket;
        return {};
      case Option::direct_route:
        entry_.server.forwarding = Forwarding::direct_route;
        return {};
      case Option::masquerade:
        entry_.server.forwarding = Forwarding::masquerade;
        return {};
      case Option::tunnel:
        entry_.server.forwarding = Forwarding::tunnel;
        return {};
      case Option::tunnel_nocsum:
        return checksum(word, TunnelChecksum::none);
      case Option::tunnel_csum:
        return checksum(word, TunnelChecksum::checksum);
      case Option::tunnel_remcsum:
        return checksum(word, TunnelChecksum::remote_offload);
      case Option::persistent:
        return persistence(attached);
      case Option::tcp:
      case Option::udp:
      case Option::sctp:
      case Option::protocol:
      case Option::mark:
      case Option::scheduler:
      case Option::netmask:
      case Option::engine:
      case Option::scheduler_flags:
      case Option::raw_flags:
      case Option::real_server:
      case Option::forwarding:
      case Option::weight:
      case Option::upper_threshold:
      case Option::lower_threshold:
      case Option::tunnel_type:
      case Option::tunnel_port:
        break;
    }
    const auto found = value(word, attached);
    if (!found) return found.error();
    return apply_value(option, word, *found);
  }

  Problem apply_value(Option option, const Word& name, const Word& word) {
    switch (option) {
      case Option::tcp:
        return address_key(Protocol::tcp, name, word);
      case Option::udp:
        return address_key(Protocol::udp, name, word);
      case Option::sctp:
        return address_key(Protocol::sctp, name, word);
      case Option::protocol:
        return any_protocol(name, word);
      case Option::mark:
        return mark(name, word);
      case Option::scheduler:
        return name_into(entry_.settings.scheduler, word);
      case Option::engine:
        return name_into(entry_.settings.persistence_engine, word);
      case Option::netmask:
        entry_.netmask = word;
        return {};
      case Option::scheduler_flags:
        entry_.flags = word;
        return {};
      case Option::raw_flags:
        return raw_flags(word);
      case Option::real_server:
        return endpoint(word);
      case Option::forwarding:
        return forwarding(word);
      case Option::weight:
        return number(word, 0, kMaxSigned, entry_.server.weight);
      case Option::upper_threshold:
        return number(word, 0, kMaxSigned, entry_.server.upper_threshold);
      case Option::lower_threshold:
        return number(word, 0, kMaxSigned, entry_.server.lower_threshold);
      case Option::tunnel_type:
        return tunnel_type(name, word);
      case Option::tunnel_port:
        return tunnel_port(name, word);
      case Option::add_service:
      case Option::add_server:
      case Option::ipv6:
      case Option::one_packet:
      case Option::direct_route:
      case Option::masquerade:
      case Option::tunnel:
      case Option::tunnel_nocsum:
      case Option::tunnel_csum:
      case Option::tunnel_remcsum:
      case Option::persistent:
        break;
    }
    return {};  // those without a value were handled in apply()
  }

  template <class Number>
  Problem number(const Word& word, std::uint32_t low, std::uint32_t high, Number& out) const {
    std::uint32_t parsed = 0;
    const auto* end = word.text.data() + word.text.size();
    const auto [rest, error] = std::from_chars(word.text.data(), end, parsed);
    if (error != std::errc{} || rest != end || parsed < low || parsed > high)
      return problem(word, "expected a number from {} to {}, found '{}'", low, high, word.text);
    out = static_cast<Number>(parsed);
    return {};
  }

  core::Result<core::Endpoint> endpoint_value(const Word& word) const {
    auto host = word.text;
    std::optional<Word> port;
    if (host.starts_with('[')) {
      const auto close = host.find(']');
      if (close == std::string_view::npos)
        return problem(word, "'[' without ']' in '{}'", word.text);
      if (close + 1 < host.size()) {
        if (host[close + 1] != ':')
          return problem(word, "expected ':' after ']' in '{}'", word.text);
        port = Word{host.substr(close + 2), word.column + close + 2};
      }
      host = host.substr(1, close - 1);
    } else if (const auto colon = host.rfind(':');
               colon != std::string_view::npos && colon == host.find(':')) {
      port = Word{host.substr(colon + 1), word.column + colon + 1};
      host = host.substr(0, colon);
    }
    const auto address = core::IpAddress::parse(host);
    if (!address) return problem(word, "'{}' is not an IP address", host);
    core::Endpoint parsed{*address, 0};
    if (port) {
      if (auto error = number(*port, 0, 65535, parsed.port)) return *std::move(error);
    }
    return parsed;
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

  // The value is optional: "-p -M 24" and "-p" at the end mean the default.
  Problem persistence(const std::optional<Word>& attached) {
    std::uint32_t seconds = kDefaultPersistence;
    auto given = attached;
    if (!given && next_ < words_.size() && words_[next_].text.front() != '-')
      given = words_[next_++];
    if (given) {
      if (auto error = number(*given, 1, kMaxSigned, seconds)) return error;
    }
    entry_.settings.persistence = Persistence{std::chrono::seconds(seconds), 0};
    return {};
  }

  Problem endpoint(const Word& word) {
    const auto parsed = endpoint_value(word);
    if (!parsed) return parsed.error();
    entry_.endpoint = *parsed;
    return {};
  }

  Problem raw_flags(const Word& word) {
    std::uint32_t flags = 0;
    if (auto error = number(word, 0, 0xffffffff, flags)) return error;
    entry_.settings.flags |= flags;
    return {};
  }

  Problem forwarding(const Word& word) {
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

  Problem checksum(const Word& word, TunnelChecksum checksum) {
    entry_.tunnel_option = word;
    entry_.server.tunnel.checksum = checksum;
    return {};
  }

  Problem finish() {
    const Word end{{}, end_column_};
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

  std::vector<Word> words_;
  std::size_t number_;
  std::size_t end_column_;
  std::size_t next_ = 0;
  Entry entry_;
};

std::optional<core::Error> add_to(Table& table, Entry entry, const LineParser& line) {
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

}  // namespace

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
