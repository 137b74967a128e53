// The messages of nf_tables (linux/netfilter/nf_tables.h) that the firewall sends and reads. libnl
// builds them, as those of links and addresses: libnftnl and libmnl would cost every process 24 KB
// of memory of its own. Pure: values in, bytes out.
#pragma once

#include "netlink_reflector/core/codec.hpp"
#include "netlink_reflector/core/firewall.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::netlink {

/// Of a table's user data: its comment (libnftnl: NFTNL_UDATA_TABLE_COMMENT).
inline constexpr std::uint8_t kCommentType = 0;

/// How a table of ours is known by: its comment. Two directors of one host have two.
[[nodiscard]] std::string firewall_mark(const std::string& run_dir);

/// A closed address as an element of its set.
struct ClosedElement {
  ClosedAddress closed;
  InterfaceIndex index{};  ///< With FirewallSettings::by_index, of a link-local address.
};

/// What is there by the name of a table that is to be made.
enum class Former : std::uint8_t { none, ours };
/// All in one transaction: what was there by this name is gone, and the table is as it should be.
/// With Former::none it is refused (EEXIST) where there is one nevertheless.
[[nodiscard]] Bytes rebuild_firewall(const FirewallSettings& settings, const std::string& mark,
                                     Former former, std::span<const ClosedElement> content);
/// Likewise one transaction, in a table that is there.
[[nodiscard]] Bytes change_firewall(const FirewallSettings& settings,
                                    std::span<const ClosedElement> added,
                                    std::span<const ClosedElement> removed);
[[nodiscard]] Bytes remove_firewall(const std::vector<std::string>& tables);

/// What the kernel answered to a transaction, from all its datagrams.
struct FirewallAnswer {
  int error = 0;         ///< errno; of several the first.
  std::string why;       ///< What the kernel says about it; mostly empty.
  bool is_told = false;  ///< It was about the transaction's last message, or an error, or the
                         ///< end of a list.
};
void read_firewall_answer(std::span<const std::uint8_t> datagram, FirewallAnswer& answer);

struct FirewallTable {
  std::string name;
  std::string comment;
};
/// Asks for all tables of the family inet. The answers have the question's number.
[[nodiscard]] Bytes ask_for_tables(std::uint32_t question);
struct TableList {
  std::uint32_t question = 0;  ///< Answers to others are passed over.
  std::vector<FirewallTable> tables;
  bool is_complete = false;     ///< Nothing more follows: all were told, or there is an error.
  bool is_interrupted = false;  ///< Others changed tables meanwhile: one may be left out.
  int error = 0;                ///< Not 0: which tables there are is not known.
};
void read_tables(std::span<const std::uint8_t> datagram, TableList& list);

/// Whether somebody else changed what is in `table`. `own_port`: whose changes do not count.
struct FirewallNews {
  bool is_touched = false;
  /// Who it was, when the kernel says so: "nft".
  std::string program;
};
void read_firewall_news(std::span<const std::uint8_t> datagram, const std::string& table,
                        std::uint32_t own_port, FirewallNews& news);

}  // namespace holdfast::netlink
