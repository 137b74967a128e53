// BFD sessions, and the groups that are nothing but names.
#include "config/words/notices.hpp"
#include "config/words/tracking.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::int64_t kWeight = 253;
constexpr std::int64_t kLongestBfd = 4'294'967;  // ms; RFC 5880 §4.1: 32 bits of µs
constexpr std::size_t kLongestBfdName = 31;      // keepalived's limit

// `vrrp` and `checker` each exclude the other, unless both are written.
struct BfdDraft : BfdInstance {
  using Object = BfdInstance;

  explicit BfdDraft(BfdInstance made) : BfdInstance(std::move(made)) {}

  bool has_neighbor = false;
  bool names_vrrp = false;
  bool names_checker = false;
};

void set_neighbor(BfdDraft& draft, const Args& args) {
  draft.neighbor = args.value(0).address;
  draft.has_neighbor = true;
}
void write_neighbor(const BfdInstance& bfd, Writer& out) {
  out.address("neighbor_ip", bfd.neighbor);
}
void set_vrrp(BfdDraft& draft, const Args&) {
  draft.names_vrrp = true;
}
void write_vrrp(const BfdInstance& bfd, Writer& out) {
  out.flag("vrrp", !bfd.checker);
}
void set_checker(BfdDraft& draft, const Args&) {
  draft.names_checker = true;
}
void write_checker(const BfdInstance& bfd, Writer& out) {
  out.flag("checker", !bfd.vrrp);
}

void add_interface(GarpGroup& group, const Args& args) {
  std::vector<std::string>& all = group.interfaces;
  if (std::find(all.begin(), all.end(), args.text(0)) == all.end()) all.push_back(args.text(0));
}

constexpr Keyword kBfd[] = {
    word("neighbor_ip", of(ArgType::ip), kRequired, reads<set_neighbor>, writes<write_neighbor>,
         doc("the other end")),
    word("neighbour_ip", of(ArgType::ip), alias_of("neighbor_ip")),
    word("source_ip", of(ArgType::ip), value<&BfdInstance::source>, doc("our own address")),
    word("min_rx", milliseconds(1, kLongestBfd), fallback("10"), value<&BfdInstance::min_rx>,
         doc("packets are wanted this often, milliseconds")),
    word("min_tx", milliseconds(1, kLongestBfd), fallback("10"), value<&BfdInstance::min_tx>,
         doc("packets are sent this often, milliseconds")),
    word("idle_tx", milliseconds(1000, kLongestBfd), fallback("1000"), value<&BfdInstance::idle_tx>,
         doc("packets are sent this often while the session is down, milliseconds")),
    word("multiplier", integer(1, 255), fallback("5"), value<&BfdInstance::multiplier>,
         doc("packets missed before the session is down")),
    word("passive", value<&BfdInstance::passive>, doc("wait for the other end to begin")),
    word("ttl", integer(1, 255), fallback("255, for IPv6 64"), value<&BfdInstance::ttl>,
         doc("TTL or hop limit of our packets")),
    word("hoplimit", integer(1, 255), alias_of("ttl")),
    word("max_hops", integer(-1, 255), fallback("0"), value<&BfdInstance::max_hops>,
         doc("routers between the ends at most; -1: any number")),
    word("multihop", boolean(), fallback("false"), value<&BfdInstance::multihop>,
         doc("the session of RFC 5883, port 4784")),
    word("weight", integer(-kWeight, kWeight), reversed(), fallback("0"), kWeightOf<BfdInstance>,
         doc("0: fault while down; positive: added while up; negative: subtracted while down")),
    word("vrrp", reads<set_vrrp>, writes<write_vrrp>,
         doc("only instances hear of it (and checkers)")),
    word("checker", reads<set_checker>, writes<write_checker>,
         doc("only checkers hear of it (and instances)")),
};

constexpr Keyword kGarpGroup[] = {
    word("garp_interval", seconds(0, 86'400), fallback("0"), value<&GarpGroup::garp_interval>,
         doc("least time between two gratuitous ARPs of the group, seconds")),
    word("gna_interval", seconds(0, 86'400), fallback("0"), value<&GarpGroup::gna_interval>,
         doc("least time between two unsolicited neighbour advertisements of the group, seconds")),
    word("interface", of(ArgType::interface), kRepeatable, reads<add_interface>,
         doc("one interface of the group")),
    word("interfaces", opens(Block::name_list), kRepeatable, value<&GarpGroup::interfaces>,
         doc("interfaces of the group")),
};

constexpr Keyword kTrackGroup[] = {
    word("group", opens(Block::name_list), kRepeatable, value<&TrackGroup::instances>,
         doc("the vrrp_instances of the group")),
};

constexpr Table kTables[] = {
    {Block::bfd_instance, kBfd},
    {Block::garp_group, kGarpGroup},
    {Block::track_group, kTrackGroup},
};

}  // namespace

std::span<const Table> rows::bfd() {
  return kTables;
}

void build_bfd_instance(const Args& args) {
  BfdDraft draft(named<BfdInstance>(args));
  read_body(args, draft);
  BfdInstance& bfd = draft;
  if (bfd.name.size() > kLongestBfdName) {
    args.context().reporter.error(
        args.value(0).range,
        fmt::format("the name of a bfd_instance has at most {} letters", kLongestBfdName));
    return;
  }
  if (!draft.has_neighbor)
    return report_useless(args, "neighbor_ip", "add the other end's address");
  if (bfd.source && bfd.source->family() != bfd.neighbor.family()) {
    args.context().reporter.warning(args.statement().range,
                                    "source_ip and neighbor_ip are of different families: "
                                    "source_ip is left out");
    bfd.source.reset();
  }
  const bool both = draft.names_vrrp == draft.names_checker;
  bfd.vrrp = both || draft.names_vrrp;
  bfd.checker = both || draft.names_checker;
  args.context().model.bfd_instances.push_back(std::move(bfd));
}

void build_garp_group(const Args& args) {
  GarpGroup group;
  group.location = args.location();
  read_body(args, group);
  args.context().model.garp_groups.push_back(std::move(group));
}

void build_track_group(const Args& args) {
  auto group = named<TrackGroup>(args);
  read_body(args, group);
  args.context().model.track_groups.push_back(std::move(group));
}

Node document_of(const BfdInstance& bfd, Detail detail) {
  return block_of("bfd_instance", {bfd.name}, bfd, {}, detail);
}

Node document_of(const TrackGroup& group) {
  return block_of("track_group", {group.name}, group, {}, Detail::changed);
}

Node document_of(const GarpGroup& group) {
  return block_of("garp_group", {}, group, {}, Detail::changed);
}

}  // namespace holdfast::config
