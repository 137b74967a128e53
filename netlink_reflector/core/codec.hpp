// rtnetlink messages: bytes in, values out, and back. Pure memory; the sockets are elsewhere.
// Called by the reflector's shell and by tests. linux/rtnetlink.h, linux/if_link.h,
// linux/if_addr.h.
#pragma once

#include "netlink_reflector/core/devices.hpp"
#include "netlink_reflector/core/plan.hpp"
#include "netlink_reflector/core/routing.hpp"
#include "netlink_reflector/core/table.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::netlink {

using Bytes = std::vector<std::uint8_t>;

/// Asks for every link, without statistics.
[[nodiscard]] Bytes encode_dump_links(std::uint32_t sequence);
/// Asks for every address of both families.
[[nodiscard]] Bytes encode_dump_addresses(std::uint32_t sequence);
/// Appends one request to a datagram; the kernel answers each with its sequence number.
void append_step(const Step& step, std::uint32_t sequence, Bytes& datagram);

/// Asks for the routes, or the rules, of one family that `protocol` set. A kernel before 4.20 gives
/// all.
[[nodiscard]] Bytes encode_dump_routing(RoutingKind kind, core::Family family,
                                        std::uint8_t protocol, std::uint32_t sequence);
enum class RoutingChange : std::uint8_t { add, remove };
void append_routing(RoutingChange change, const RoutingEntry& entry, Placing placing,
                    std::uint32_t sequence, Bytes& datagram);

/// Makes a device; it is down. `parent`: the number of the interface below.
void append_device(const DesiredDevice& device, InterfaceIndex parent, std::uint32_t sequence,
                   Bytes& datagram);
/// Gives a device that is there its mode, MAC address and link group and takes it up; `alias`
/// empty: stays as it is.
void append_device_up(const DesiredDevice& device, const Link& link, std::string_view alias,
                      std::uint32_t sequence, Bytes& datagram);
void append_device_end(InterfaceIndex index, std::uint32_t sequence, Bytes& datagram);
/// Puts a device into a link group.
void append_device_group(InterfaceIndex index, std::uint32_t group, std::uint32_t sequence,
                         Bytes& datagram);
/// Deletes all interfaces of a link group: for the kernel one piece of work.
void append_group_end(std::uint32_t group, std::uint32_t sequence, Bytes& datagram);

/// The kernel says that a link or an address is there (or has other attributes), or that it is
/// gone.
struct LinkReport {
  Link link;
  bool gone = false;
};
struct AddressReport {
  Address address;
  bool gone = false;
};
struct RoutingReport {
  RoutingEntry entry;
  bool gone = false;
};
/// The answer to one request. system_errno 0: done.
struct Answer {
  int system_errno = 0;
  /// The kernel's own words, often empty. NLMSGERR_ATTR_MSG.
  std::string text;
};
/// The last message of a dump.
struct DumpDone {
  int system_errno = 0;
};
/// Something that we do not keep.
struct Unknown {};
using Payload = std::variant<Unknown, LinkReport, AddressReport, RoutingReport, Answer, DumpDone>;

struct Message {
  std::uint32_t sequence = 0;
  /// NLM_F_DUMP_INTR: the tables changed during the dump, it may have holes.
  bool interrupted = false;
  Payload payload;
};

/// Calls `take` for every message in a datagram. False: the rest of it is malformed and was
/// skipped.
bool decode_datagram(std::span<const std::uint8_t> datagram,
                     const std::function<void(const Message&)>& take);

}  // namespace holdfast::netlink
