#include "config/words/route_leg.hpp"

#include <fmt/format.h>

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::int64_t kAny32 = 4'294'967'295;

constexpr Arg number() {
  return integer(0, kAny32);
}
// encap has option words of its own, which are kept as they are written.
void read_nothing_of_encap(int&, const Args&) {}

void read_leg_gateway(Leg& leg, const Args& args) {
  leg.via = gateway_of(args);
  if (args.size() == 1) leg.family = leg.via->family();
}
// `standard` has an address of the route's family.
void write_leg_gateway(const NextHop& leg, const NextHop& standard, Writer& out) {
  write_gateway(leg.via, standard.via->family(), out);
}
void keep_in_leg(Leg& leg, const Args& args) {
  leg.others.push_back(as_written(args));
}
void keep_leg_encap(Leg& leg, const Args& args) {
  keep_in_leg(leg, args);
  leg.broken = leg.broken || !check_encap(args);
}

constexpr Keyword kNextHopLine[] = {
    word("via", optional(choice("inet inet6")), of(ArgType::ip), reads<read_leg_gateway>,
         writes_against<write_leg_gateway>, doc("gateway")),
    word("dev", of(ArgType::interface), value<&NextHop::interface>, doc("outgoing interface")),
    word("weight", integer(1, 256), value<&NextHop::weight>, doc("share of the packets")),
    word("onlink", value<&NextHop::on_link>,
         doc("the gateway is on the link, whatever the addresses say")),
    word("encap", required_options(Block::encap_line), reads<keep_leg_encap>,
         doc("wrap packets on the way")),
    word("realms", text("realm, or two with /"), reads<keep_in_leg>, doc("realm for accounting")),
};

constexpr Keyword kEncapLine[] = {
    word("ip", reads<read_nothing_of_encap>, doc("in IPv4")),
    word("ip6", reads<read_nothing_of_encap>, doc("in IPv6")),
    word("mpls", text("label"), reads<read_nothing_of_encap>, doc("with MPLS labels")),
    word("ila", text("locator"),
         notice("Holdfast does not do 'encap ila' yet: packets of this route are not wrapped"),
         reads<read_nothing_of_encap>, doc("with identifier and locator (IPv6)")),
    word("id", number(), reads<read_nothing_of_encap>, doc("tunnel identifier")),
    word("dst", of(ArgType::ip), reads<read_nothing_of_encap>, doc("outer destination")),
    word("src", of(ArgType::ip), reads<read_nothing_of_encap>, doc("outer source")),
    word("tos", text("number or name"), reads<read_nothing_of_encap>, doc("outer type of service")),
    word("ttl", integer(0, 255), reads<read_nothing_of_encap>, doc("outer TTL")),
    word("tc", text("number or name"), reads<read_nothing_of_encap>, doc("outer traffic class")),
    word("hoplimit", integer(0, 255), reads<read_nothing_of_encap>, doc("outer hop limit")),
    word("flags", text("number"), reads<read_nothing_of_encap>, doc("flags of the tunnel")),
};

}  // namespace

std::optional<Leg> read_leg(const Args& args) {
  Leg leg;
  const auto words = args.context().tree.args(args.statement());
  if (!read_line(args.context(), Block::next_hop_line, words, leg) || leg.broken)
    return std::nullopt;
  if (leg.via || !leg.interface.empty()) return leg;
  args.context().reporter.warning(args.statement().range,
                                  "this 'nexthop' leads nowhere: this line is left out",
                                  "add 'via ADDRESS' or 'dev INTERFACE'");
  return std::nullopt;
}

bool check_encap(const Args& args) {
  int unused = 0;
  return read_line(args.context(), Block::encap_line, args.context().tree.args(args.statement()),
                   unused);
}

core::IpAddress gateway_of(const Args& args) {
  return args.value(args.size() - 1).address;
}

void write_gateway(const std::optional<core::IpAddress>& via, core::Family family, Writer& out) {
  if (!via) return;
  std::vector<std::string> words{via->to_string()};
  if (via->family() != family) words.insert(words.begin(), family_word(via->family()));
  out.statement("via", std::move(words));
}
std::string family_word(core::Family family) {
  return family == core::Family::v4 ? "inet" : "inet6";
}

std::span<const Keyword> next_hop_line() {
  return kNextHopLine;
}
std::span<const Keyword> encap_line() {
  return kEncapLine;
}

}  // namespace holdfast::config
