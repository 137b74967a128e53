#include "vrrp/io/vrid_filter.hpp"

#include "vrrp/core/ah.hpp"

namespace holdfast::vrrp {
namespace {

constexpr std::uint32_t kAcceptAll = 0xffffffff;
/// Jumps reach 255 instructions; each range of VRIDs needs two.
constexpr std::size_t kMaxRanges = 120;

struct Range {
  std::uint8_t first;
  std::uint8_t last;
};

std::vector<Range> ranges_of(const std::set<std::uint8_t>& vrids) {
  std::vector<Range> ranges;
  for (const std::uint8_t vrid : vrids) {
    if (!ranges.empty() && ranges.back().last + 1 == vrid) {
      ranges.back().last = vrid;
    } else {
      ranges.push_back({vrid, vrid});
    }
  }
  return ranges;
}

sock_filter statement(int code, std::uint32_t k) {
  return {static_cast<std::uint16_t>(code), 0, 0, k};
}

sock_filter jump(int code, std::uint32_t k, std::size_t if_true, std::size_t if_false) {
  return {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(if_true),
          static_cast<std::uint8_t>(if_false), k};
}

}  // namespace

std::vector<sock_filter> vrid_filter(core::Family family, const std::set<std::uint8_t>& vrids,
                                     Carrier carrier) {
  if (vrids.empty()) return {statement(BPF_RET | BPF_K, 0)};
  const std::uint32_t offset = carrier == Carrier::ah ? kAhBytes : 0;
  std::vector<sock_filter> program{
      family == core::Family::v4 ? statement(BPF_LDX | BPF_B | BPF_MSH, 0)  // X = IP header length
                                 : statement(BPF_LDX | BPF_W | BPF_IMM, 0)};  // there is none
  if (carrier == Carrier::ah) {
    program.insert(program.end(), {statement(BPF_LD | BPF_B | BPF_IND, 0),  // A = next header
                                   jump(BPF_JMP | BPF_JEQ | BPF_K, kIpProtocolVrrp, 1, 0),
                                   statement(BPF_RET | BPF_K, 0)});
  }
  const std::vector<Range> ranges = ranges_of(vrids);
  if (ranges.size() > kMaxRanges) {
    program.push_back(statement(BPF_RET | BPF_K, kAcceptAll));
    return program;
  }
  program.insert(program.end(),
                 {
                     statement(BPF_LD | BPF_W | BPF_LEN, 0),   // A = length of the packet
                     statement(BPF_ALU | BPF_SUB | BPF_X, 0),  // A = what follows the header
                     jump(BPF_JMP | BPF_JGE | BPF_K, offset + 2, 1, 0),  // has a VRID?
                     statement(BPF_RET | BPF_K, kAcceptAll),             // no: let it be counted
                     statement(BPF_LD | BPF_B | BPF_IND, offset + 1),    // A = VRID
                 });
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const std::size_t left =
        2 * (ranges.size() - 1 - i);  // instructions after this pair and before "drop"
    program.push_back(jump(BPF_JMP | BPF_JGE | BPF_K, ranges[i].first, 0,
                           left + 1));  // below: drop, all later ones are higher
    program.push_back(
        jump(BPF_JMP | BPF_JGT | BPF_K, ranges[i].last, 0, left + 1));  // not above: accept
  }
  program.push_back(statement(BPF_RET | BPF_K, 0));
  program.push_back(statement(BPF_RET | BPF_K, kAcceptAll));
  return program;
}

}  // namespace holdfast::vrrp
