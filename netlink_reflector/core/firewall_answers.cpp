// What the kernel says about nf_tables: answers, lists, news.
#include "core/assertion.hpp"
#include "core/freed.hpp"
#include "netlink_reflector/core/firewall_codec.hpp"

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <memory>
#include <string_view>

namespace holdfast::netlink {
namespace {

/// Calls `with(header, attributes)` for each message.
template <class With>
void for_each_message(std::span<const std::uint8_t> datagram, With with) {
  // libnl's walk takes pointers to non-const only for historical reasons.
  auto* header = const_cast<nlmsghdr*>(reinterpret_cast<const nlmsghdr*>(datagram.data()));
  int left = static_cast<int>(datagram.size());
  for (; nlmsg_ok(header, left); header = nlmsg_next(header, &left)) with(*header);
}

std::string text_of(const nlattr* attribute) {
  if (attribute == nullptr) return {};
  const std::string_view raw(static_cast<const char*>(nla_data(attribute)),
                             static_cast<std::size_t>(nla_len(attribute)));
  return std::string(raw.substr(0, raw.find('\0')));
}

std::string attribute_text(nlmsghdr& header, int type) {
  return text_of(nlmsg_find_attr(&header, sizeof(nfgenmsg), type));
}

std::string comment_of(const nlattr* data) {
  if (data == nullptr) return {};
  std::span<const std::uint8_t> rest(static_cast<const std::uint8_t*>(nla_data(data)),
                                     static_cast<std::size_t>(nla_len(data)));
  while (rest.size() >= 2 && rest.size() >= std::size_t{2} + rest[1]) {
    const auto value = rest.subspan(2, rest[1]);
    if (rest[0] == kCommentType) {
      const std::string text(value.begin(), value.end());
      return text.substr(0, text.find('\0'));
    }
    rest = rest.subspan(2 + value.size());
  }
  return {};
}

bool is_nftables(const nlmsghdr& header) {
  return header.nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES &&
         header.nlmsg_len >= NLMSG_LENGTH(sizeof(nfgenmsg));
}

std::uint8_t family_of(nlmsghdr& header) {
  return static_cast<const nfgenmsg*>(nlmsg_data(&header))->nfgen_family;
}

// The end of a list may say, too, that it could not be told to its end.
int error_of(nlmsghdr& header) {
  if (header.nlmsg_len < NLMSG_LENGTH(sizeof(int))) return 0;
  return -*static_cast<const int*>(nlmsg_data(&header));
}

bool is_last(const nlmsghdr& header) {
  return header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR;
}

}  // namespace

void read_firewall_answer(std::span<const std::uint8_t> datagram, FirewallAnswer& answer) {
  for_each_message(datagram, [&](nlmsghdr& header) {
    if (!is_last(header)) return;
    answer.is_told = true;
    if (answer.error == 0) answer.error = error_of(header);
  });
}

Bytes ask_for_tables(std::uint32_t question) {
  const std::unique_ptr<nl_msg, core::Freed<nlmsg_free>> message(nlmsg_alloc_size(256));
  HOLDFAST_ASSERT(message != nullptr, "out of memory");
  nfgenmsg head{};
  head.nfgen_family = NFPROTO_INET;
  head.version = NFNETLINK_V0;
  const int type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE;
  HOLDFAST_ASSERT(
      nlmsg_put(message.get(), 0, question, type, 0, NLM_F_REQUEST | NLM_F_DUMP) != nullptr &&
          nlmsg_append(message.get(), &head, sizeof head, NLMSG_ALIGNTO) == 0,
      "a fresh message has room for its headers");
  const auto* from = reinterpret_cast<const std::uint8_t*>(nlmsg_hdr(message.get()));
  return {from, from + nlmsg_hdr(message.get())->nlmsg_len};
}

void read_tables(std::span<const std::uint8_t> datagram, TableList& list) {
  for_each_message(datagram, [&](nlmsghdr& header) {
    if (header.nlmsg_seq != list.question) return;
    if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) list.is_interrupted = true;
    if (is_last(header)) {
      list.is_complete = true;
      list.error = error_of(header);
      return;
    }
    if (!is_nftables(header) || (header.nlmsg_type & 0xff) != NFT_MSG_NEWTABLE) return;
    if (family_of(header) != NFPROTO_INET) return;
    list.tables.push_back(
        {attribute_text(header, NFTA_TABLE_NAME),
         comment_of(nlmsg_find_attr(&header, sizeof(nfgenmsg), NFTA_TABLE_USERDATA))});
  });
}

void read_firewall_news(std::span<const std::uint8_t> datagram, const std::string& table,
                        std::uint32_t own_port, FirewallNews& news) {
  for_each_message(datagram, [&](nlmsghdr& header) {
    if (!is_nftables(header) || header.nlmsg_pid == own_port) return;
    const int type = header.nlmsg_type & 0xff;
    // Ends every transaction, and says whose it was.
    if (type == NFT_MSG_NEWGEN) {
      if (news.is_touched && news.program.empty())
        news.program = attribute_text(header, NFTA_GEN_PROC_NAME);
      return;
    }
    if (family_of(header) != NFPROTO_INET) return;
    // The name of the table is attribute 1 of a table, a chain, a rule, a set, a list of elements.
    static_assert(NFTA_TABLE_NAME == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1 &&
                  NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1);
    switch (type) {
      case NFT_MSG_NEWTABLE:
      case NFT_MSG_DELTABLE:
      case NFT_MSG_NEWCHAIN:
      case NFT_MSG_DELCHAIN:
      case NFT_MSG_NEWRULE:
      case NFT_MSG_DELRULE:
      case NFT_MSG_NEWSET:
      case NFT_MSG_DELSET:
      case NFT_MSG_NEWSETELEM:
      case NFT_MSG_DELSETELEM:
        if (attribute_text(header, NFTA_TABLE_NAME) == table) news.is_touched = true;
        return;
      default:  // of the kernel's numbers, not ours
        return;
    }
  });
}

}  // namespace holdfast::netlink
