#include "netlink_reflector/core/firewall_codec.hpp"

#include "core/assertion.hpp"
#include "core/freed.hpp"

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <linux/if.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <memory>
#include <netinet/icmp6.h>
#include <string_view>

namespace holdfast::netlink {
namespace {

/// Elements in one message: their list is one attribute, which has 64 KiB.
constexpr std::size_t kMostElements = 500;
constexpr std::size_t kMessageBytes = std::size_t{64} << 10;

// What `nft list` calls the types of keys. Numbers of its own, which no header of the kernel has.
constexpr std::uint32_t kTypeIpv4 = 7;
constexpr std::uint32_t kTypeIpv6 = 8;
constexpr std::uint32_t kTypeIndex = 20;
constexpr std::uint32_t kTypeName = 41;
constexpr std::uint32_t joined(std::uint32_t one, std::uint32_t other) {
  return one << 6 | other;
}

constexpr const char* kSet4 = "closed4";
constexpr const char* kSet6 = "closed6";
constexpr const char* kSetLinks = "closed6_links";

/// One transaction: messages between a begin and an end.
class Batch {
 public:
  Batch() { envelope(NFNL_MSG_BATCH_BEGIN); }

  /// `fill` writes the attributes.
  template <class Fill>
  void add(int type, int flags, Fill fill) {
    begin(NFNL_SUBSYS_NFTABLES << 8 | type, NLM_F_REQUEST | flags, NFPROTO_INET, 0);
    fill(*this);
    last_ = bytes_.size();
    append();
  }
  /// The last message is answered in any case.
  [[nodiscard]] Bytes finish() {
    if (last_ != 0) {
      nlmsghdr header{};
      std::memcpy(&header, bytes_.data() + last_, sizeof header);
      header.nlmsg_flags |= NLM_F_ACK;
      std::memcpy(bytes_.data() + last_, &header, sizeof header);
    }
    envelope(NFNL_MSG_BATCH_END);
    return std::move(bytes_);
  }

  void text(int type, std::string_view value) {
    check(nla_put_string(message_.get(), type, std::string(value).c_str()));
  }
  /// nf_tables has all its numbers in network order.
  void number(int type, std::uint32_t value) {
    check(nla_put_u32(message_.get(), type, htonl(value)));
  }
  void bytes(int type, std::span<const std::uint8_t> value) {
    check(nla_put(message_.get(), type, static_cast<int>(value.size()), value.data()));
  }
  template <class Fill>
  void nest(int type, Fill fill) {
    nlattr* start = nla_nest_start(message_.get(), type | NLA_F_NESTED);
    HOLDFAST_ASSERT(start != nullptr, "there is room for any message of ours");
    fill();
    nla_nest_end(message_.get(), start);
  }

 private:
  static void check(int error) {
    HOLDFAST_ASSERT(error == 0, "there is room for any message of ours");
  }
  void begin(int type, int flags, std::uint8_t family, std::uint16_t resource) {
    message_.reset(nlmsg_alloc_size(kMessageBytes));
    HOLDFAST_ASSERT(message_ != nullptr, "out of memory");
    HOLDFAST_ASSERT(nlmsg_put(message_.get(), 0, ++sequence_, type, 0, flags) != nullptr,
                    "a fresh message has room for its header");
    nfgenmsg head{};
    head.nfgen_family = family;
    head.version = NFNETLINK_V0;
    head.res_id = htons(resource);
    check(nlmsg_append(message_.get(), &head, sizeof head, NLMSG_ALIGNTO));
  }
  void append() {
    const auto* from = reinterpret_cast<const std::uint8_t*>(nlmsg_hdr(message_.get()));
    bytes_.insert(bytes_.end(), from, from + nlmsg_hdr(message_.get())->nlmsg_len);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }
  void envelope(int type) {
    begin(type, NLM_F_REQUEST, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    append();
  }

  std::unique_ptr<nl_msg, core::Freed<nlmsg_free>> message_;
  Bytes bytes_;
  std::size_t last_ = 0;
  std::uint32_t sequence_ = 0;
};

// ---- rules ----

/// One rule, written expression by expression.
class Rule {
 public:
  Rule(Batch& batch, const FirewallSettings& settings) : batch_(batch), settings_(settings) {}

  void meta(std::uint32_t key, std::uint32_t target = NFT_REG32_00) {
    expression("meta", [&] {
      batch_.number(NFTA_META_DREG, target);
      batch_.number(NFTA_META_KEY, key);
    });
  }
  void is_equal(std::uint8_t value) {
    expression("cmp", [&] {
      batch_.number(NFTA_CMP_SREG, NFT_REG32_00);
      batch_.number(NFTA_CMP_OP, NFT_CMP_EQ);
      batch_.nest(NFTA_CMP_DATA, [&] { batch_.bytes(NFTA_DATA_VALUE, {&value, 1}); });
    });
  }
  void load(std::uint32_t base, std::uint32_t offset, std::uint32_t length) {
    expression("payload", [&] {
      batch_.number(NFTA_PAYLOAD_DREG, NFT_REG32_00);
      batch_.number(NFTA_PAYLOAD_BASE, base);
      batch_.number(NFTA_PAYLOAD_OFFSET, offset);
      batch_.number(NFTA_PAYLOAD_LEN, length);
    });
  }
  void is_in(const char* set) {
    expression("lookup", [&] {
      batch_.text(NFTA_LOOKUP_SET, set);
      batch_.number(NFTA_LOOKUP_SREG, NFT_REG32_00);
    });
  }
  void decide(std::uint32_t verdict) {
    if (settings_.counters) expression("counter", [] {});
    expression("immediate", [&] {
      batch_.number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
      batch_.nest(NFTA_IMMEDIATE_DATA, [&] {
        batch_.nest(NFTA_DATA_VERDICT, [&] { batch_.number(NFTA_VERDICT_CODE, verdict); });
      });
    });
  }

 private:
  template <class Fill>
  void expression(const char* name, Fill fill) {
    batch_.nest(NFTA_LIST_ELEM, [&] {
      batch_.text(NFTA_EXPR_NAME, name);
      batch_.nest(NFTA_EXPR_DATA, fill);
    });
  }

  Batch& batch_;
  const FirewallSettings& settings_;
};

/// Which end of a packet a chain looks at.
struct Direction {
  const char* chain;
  std::uint32_t hook;
  std::uint32_t offset4;  // of the address in the IP header
  std::uint32_t offset6;
  std::uint32_t by_name;  // what the interface is asked by
  std::uint32_t by_index;
};
constexpr Direction kDirections[] = {
    {"input", NF_INET_LOCAL_IN, 16, 24, NFT_META_IIFNAME, NFT_META_IIF},
    {"output", NF_INET_LOCAL_OUT, 12, 8, NFT_META_OIFNAME, NFT_META_OIF}};

class TableWriter {
 public:
  TableWriter(Batch& batch, const FirewallSettings& settings)
      : batch_(batch), settings_(settings) {}

  void write(const std::string& mark, Former former) {
    add_table(mark, former == Former::none ? NLM_F_EXCL : 0);
    batch_.add(NFT_MSG_DELTABLE, 0, [&](Batch& out) { out.text(NFTA_TABLE_NAME, name()); });
    add_table(mark, 0);
    add_set(kSet4, 1, kTypeIpv4, 4);
    add_set(kSet6, 2, kTypeIpv6, 16);
    add_set(kSetLinks, 3, joined(kTypeIpv6, settings_.by_index ? kTypeIndex : kTypeName),
            settings_.by_index ? 20 : 16 + IFNAMSIZ);
    for (const Direction& each : kDirections) add_chain(each);
  }

 private:
  [[nodiscard]] const std::string& name() const { return settings_.table; }

  void add_table(const std::string& mark, int flags) {
    batch_.add(NFT_MSG_NEWTABLE, NLM_F_CREATE | flags, [&](Batch& out) {
      out.text(NFTA_TABLE_NAME, name());
      Bytes comment{kCommentType, static_cast<std::uint8_t>(mark.size() + 1)};
      comment.insert(comment.end(), mark.begin(), mark.end());
      comment.push_back(0);
      out.bytes(NFTA_TABLE_USERDATA, comment);
    });
  }

  void add_set(const char* set, std::uint32_t id, std::uint32_t type, std::uint32_t length) {
    batch_.add(NFT_MSG_NEWSET, NLM_F_CREATE, [&](Batch& out) {
      out.text(NFTA_SET_TABLE, name());
      out.text(NFTA_SET_NAME, set);
      out.number(NFTA_SET_KEY_TYPE, type);
      out.number(NFTA_SET_KEY_LEN, length);
      out.number(NFTA_SET_ID, id);
    });
  }

  void add_chain(const Direction& direction) {
    batch_.add(NFT_MSG_NEWCHAIN, NLM_F_CREATE, [&](Batch& out) {
      out.text(NFTA_CHAIN_TABLE, name());
      out.text(NFTA_CHAIN_NAME, direction.chain);
      out.nest(NFTA_CHAIN_HOOK, [&] {
        out.number(NFTA_HOOK_HOOKNUM, direction.hook);
        out.number(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(settings_.priority));
      });
      out.number(NFTA_CHAIN_POLICY, NF_ACCEPT);
      out.text(NFTA_CHAIN_TYPE, "filter");
    });
    add_rule(direction, [&](Rule& rule) {
      only_protocol(rule, NFPROTO_IPV4);
      rule.load(NFT_PAYLOAD_NETWORK_HEADER, direction.offset4, 4);
      rule.is_in(kSet4);
      rule.decide(NF_DROP);
    });
    // Without these nobody would find the address, and no other host would notice that it has it.
    for (const int type : {ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT}) {
      add_rule(direction, [&](Rule& rule) {
        only_protocol(rule, NFPROTO_IPV6);
        rule.meta(NFT_META_L4PROTO);
        rule.is_equal(IPPROTO_ICMPV6);
        rule.load(NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
        rule.is_equal(static_cast<std::uint8_t>(type));
        rule.decide(NF_ACCEPT);
      });
    }
    add_rule(direction, [&](Rule& rule) {
      only_protocol(rule, NFPROTO_IPV6);
      rule.load(NFT_PAYLOAD_NETWORK_HEADER, direction.offset6, 16);
      rule.is_in(kSet6);
      rule.decide(NF_DROP);
    });
    add_rule(direction, [&](Rule& rule) {
      only_protocol(rule, NFPROTO_IPV6);
      rule.load(NFT_PAYLOAD_NETWORK_HEADER, direction.offset6, 16);
      rule.meta(settings_.by_index ? direction.by_index : direction.by_name, NFT_REG32_04);
      rule.is_in(kSetLinks);
      rule.decide(NF_DROP);
    });
  }

  static void only_protocol(Rule& rule, std::uint8_t protocol) {
    rule.meta(NFT_META_NFPROTO);
    rule.is_equal(protocol);
  }

  template <class Fill>
  void add_rule(const Direction& direction, Fill fill) {
    batch_.add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, [&](Batch& out) {
      out.text(NFTA_RULE_TABLE, name());
      out.text(NFTA_RULE_CHAIN, direction.chain);
      out.nest(NFTA_RULE_EXPRESSIONS, [&] {
        Rule rule(out, settings_);
        fill(rule);
      });
    });
  }

  Batch& batch_;
  const FirewallSettings& settings_;
};

// ---- elements ----

const char* set_of(const ClosedAddress& closed) {
  if (closed.address.is_v4()) return kSet4;
  return closed.interface.empty() ? kSet6 : kSetLinks;
}

Bytes key_of(const ClosedElement& element, const FirewallSettings& settings) {
  const auto bytes = element.closed.address.bytes();
  Bytes key{bytes.begin(), bytes.end()};
  if (element.closed.interface.empty()) return key;
  if (settings.by_index) {
    const auto* index = reinterpret_cast<const std::uint8_t*>(&element.index);
    key.insert(key.end(), index, index + sizeof element.index);
    return key;
  }
  const std::string& name = element.closed.interface;
  key.insert(key.end(), name.begin(), name.end());
  key.resize(16 + IFNAMSIZ);
  return key;
}

void put_elements(Batch& batch, int type, int flags, const FirewallSettings& settings,
                  std::span<const ClosedElement> elements) {
  for (const char* set : {kSet4, kSet6, kSetLinks}) {
    std::vector<Bytes> keys;
    for (const ClosedElement& each : elements)
      if (std::string_view(set_of(each.closed)) == set) keys.push_back(key_of(each, settings));
    for (std::size_t begin = 0; begin < keys.size(); begin += kMostElements) {
      const auto piece =
          std::span(keys).subspan(begin, std::min(kMostElements, keys.size() - begin));
      batch.add(type, flags, [&](Batch& out) {
        out.text(NFTA_SET_ELEM_LIST_TABLE, settings.table);
        out.text(NFTA_SET_ELEM_LIST_SET, set);
        out.nest(NFTA_SET_ELEM_LIST_ELEMENTS, [&] {
          for (const Bytes& key : piece)
            out.nest(NFTA_LIST_ELEM, [&] {
              out.nest(NFTA_SET_ELEM_KEY, [&] { out.bytes(NFTA_DATA_VALUE, key); });
            });
        });
      });
    }
  }
}

}  // namespace

std::string firewall_mark(const std::string& run_dir) {
  constexpr std::size_t kLongestComment = 120;
  return ("holdfast " + run_dir).substr(0, kLongestComment);
}

Bytes rebuild_firewall(const FirewallSettings& settings, const std::string& mark, Former former,
                       std::span<const ClosedElement> content) {
  Batch batch;
  TableWriter(batch, settings).write(mark, former);
  put_elements(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, settings, content);
  return batch.finish();
}

Bytes change_firewall(const FirewallSettings& settings, std::span<const ClosedElement> added,
                      std::span<const ClosedElement> removed) {
  Batch batch;
  put_elements(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, settings, added);
  put_elements(batch, NFT_MSG_DELSETELEM, 0, settings, removed);
  return batch.finish();
}

Bytes remove_firewall(const std::vector<std::string>& tables) {
  Batch batch;
  for (const std::string& each : tables)
    batch.add(NFT_MSG_DELTABLE, 0, [&](Batch& out) { out.text(NFTA_TABLE_NAME, each); });
  return batch.finish();
}

}  // namespace holdfast::netlink
