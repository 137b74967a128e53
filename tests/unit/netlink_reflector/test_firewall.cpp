// Closed addresses as values: who holds what, and what nftables is told.
#include "netlink_reflector/core/firewall.hpp"
#include "netlink_reflector/core/firewall_codec.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

using namespace holdfast;
using namespace holdfast::netlink;

namespace {

core::IpAddress address(std::string_view text) {
  return *core::IpAddress::parse(text);
}
ClosedAddress closed(std::string_view text, std::string interface = {}) {
  return {address(text), std::move(interface)};
}
core::RouterKey owner(std::uint8_t vrid) {
  return {.interface = "eth0", .family = core::Family::v4, .vrid = vrid, .channel = {}};
}
using List = std::vector<ClosedAddress>;

/// Types of the messages of a transaction, its begin and end included.
std::vector<int> types_in(const Bytes& batch) {
  std::vector<int> types;
  for (std::size_t at = 0; at + sizeof(nlmsghdr) <= batch.size();) {
    nlmsghdr header{};
    std::memcpy(&header, batch.data() + at, sizeof header);
    types.push_back(header.nlmsg_type & 0xff);
    at += NLMSG_ALIGN(header.nlmsg_len);
  }
  return types;
}

}  // namespace

TEST_CASE("firewall: an address is closed while one of its owners holds it") {
  FirewallWishes wishes;
  wishes.claim(owner(1), {closed("10.0.0.1", "eth0"), closed("10.0.0.2", "eth0")});
  wishes.claim(owner(2), {closed("10.0.0.2", "eth1")});
  CHECK(wishes.is_empty());

  wishes.hold(owner(1));
  wishes.hold(owner(2));
  CHECK(wishes.wanted() == List{closed("10.0.0.1"), closed("10.0.0.2")});
  CHECK(wishes.missing() == wishes.wanted());
  wishes.done(wishes.missing(), {});
  CHECK(wishes.missing().empty());

  wishes.release(owner(1));
  CHECK(wishes.surplus() == List{closed("10.0.0.1")});
  wishes.hold(owner(1));  // before it was opened
  CHECK(wishes.surplus().empty());
  wishes.forget(owner(1));
  wishes.forget(owner(2));
  wishes.done({}, wishes.surplus());
  CHECK(wishes.is_empty());
  CHECK(wishes.surplus().empty());
}

TEST_CASE("firewall: a claim that a reload changes counts at once for who holds") {
  FirewallWishes wishes;
  wishes.claim(owner(1), {closed("10.0.0.1"), closed("10.0.0.2")});
  wishes.hold(owner(1));
  wishes.done_all(wishes.wanted());

  wishes.claim(owner(1), {closed("10.0.0.2"), closed("10.0.0.3")});
  CHECK(wishes.missing() == List{closed("10.0.0.3")});
  CHECK(wishes.surplus() == List{closed("10.0.0.1")});

  wishes.claim(owner(1), {});
  CHECK(wishes.is_empty());
  CHECK(wishes.claimed(owner(1)) == 0);
  wishes.hold(owner(1));  // closes nothing: of no account
  CHECK(wishes.is_empty());
}

TEST_CASE("firewall: only link-local addresses of IPv6 belong to an interface") {
  FirewallWishes wishes;
  wishes.claim(owner(1), {closed("fe80::1", "eth0"), closed("fd00::1", "eth0"),
                          closed("169.254.0.1", "eth0")});
  wishes.hold(owner(1));

  CHECK(wishes.wanted() ==
        List{closed("169.254.0.1"), closed("fd00::1"), closed("fe80::1", "eth0")});
}

TEST_CASE("firewall: what was lost with a table is missing again") {
  FirewallWishes wishes;
  wishes.claim(owner(1), {closed("10.0.0.1")});
  wishes.hold(owner(1));
  wishes.done_all(wishes.wanted());

  wishes.done_all({closed("10.0.0.9")});

  CHECK(wishes.missing() == List{closed("10.0.0.1")});
  CHECK(wishes.surplus() == List{closed("10.0.0.9")});
}

TEST_CASE("firewall: a table is made from nothing in one transaction") {
  const std::vector<ClosedElement> content{{closed("10.0.0.1"), 0}};

  const auto types = types_in(rebuild_firewall({}, firewall_mark("/run/x"), Former::ours, content));

  CHECK(types.front() == NFNL_MSG_BATCH_BEGIN);
  CHECK(types.at(1) == NFT_MSG_NEWTABLE);
  CHECK(types.at(2) == NFT_MSG_DELTABLE);
  CHECK(types.at(3) == NFT_MSG_NEWTABLE);
  CHECK(std::count(types.begin(), types.end(), NFT_MSG_NEWCHAIN) == 2);
  CHECK(std::count(types.begin(), types.end(), NFT_MSG_NEWSETELEM) == 1);
  CHECK(types.back() == NFNL_MSG_BATCH_END);
}

TEST_CASE("firewall: where there was none, a table that has come meanwhile is not overwritten") {
  for (const Former former : {Former::none, Former::ours}) {
    const Bytes batch = rebuild_firewall({}, firewall_mark("/run/x"), former, {});
    nlmsghdr begin{};
    std::memcpy(&begin, batch.data(), sizeof begin);
    nlmsghdr first{};
    std::memcpy(&first, batch.data() + NLMSG_ALIGN(begin.nlmsg_len), sizeof first);

    CHECK(((first.nlmsg_flags & NLM_F_EXCL) != 0) == (former == Former::none));
  }
}

TEST_CASE("firewall: a list that the kernel could not tell is not an empty one") {
  const auto message = [](int type, std::uint32_t question, int flags, int error) {
    nlmsghdr header{};
    header.nlmsg_len = NLMSG_LENGTH(sizeof error);
    header.nlmsg_type = static_cast<std::uint16_t>(type);
    header.nlmsg_flags = static_cast<std::uint16_t>(flags);
    header.nlmsg_seq = question;
    Bytes bytes(header.nlmsg_len);
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(bytes.data() + NLMSG_HDRLEN, &error, sizeof error);
    return bytes;
  };
  for (const int type : {NLMSG_ERROR, NLMSG_DONE}) {
    TableList list;
    list.question = 7;
    read_tables(message(type, 6, 0, -ENOMEM), list);  // what was asked before
    CHECK_FALSE(list.is_complete);
    read_tables(message(type, 7, 0, -ENOMEM), list);
    CHECK(list.is_complete);
    CHECK(list.error == ENOMEM);
  }
  TableList list;
  read_tables(message(NLMSG_DONE, 0, NLM_F_DUMP_INTR, 0), list);
  CHECK(list.is_interrupted);
  CHECK(list.error == 0);
  FirewallAnswer answer;
  read_firewall_answer(message(NLMSG_DONE, 0, 0, 0), answer);
  CHECK(answer.is_told);
  CHECK(answer.error == 0);
}

TEST_CASE("firewall: what is leaving stays closed in a table that is made anew") {
  FirewallWishes wishes;
  CHECK_FALSE(wishes.has_claims());
  wishes.claim(owner(1), {closed("10.0.0.1")});
  wishes.claim(owner(2), {closed("10.0.0.2")});
  CHECK(wishes.has_claims());
  wishes.hold(owner(1));
  wishes.done_all(wishes.wanted());

  wishes.release(owner(1));
  wishes.hold(owner(2));

  CHECK(wishes.wanted() == List{closed("10.0.0.2")});
  CHECK(wishes.wanted_or_leaving() == List{closed("10.0.0.2"), closed("10.0.0.1")});
}

TEST_CASE("firewall: thousands of addresses are told in pieces that fit into a message") {
  std::vector<ClosedElement> many;
  for (int i = 0; i < 1200; ++i)
    many.push_back({closed("fe80::" + std::to_string(i % 10000), "interface-name1"), 0});

  const auto types = types_in(change_firewall({}, many, {}));

  CHECK(std::count(types.begin(), types.end(), NFT_MSG_NEWSETELEM) == 3);
}

TEST_CASE("firewall: news that are no messages are nothing") {
  FirewallNews news;
  const Bytes garbage(13, 0xff);
  read_firewall_news(garbage, "holdfast", 7, news);
  FirewallAnswer answer;
  read_firewall_answer(garbage, answer);
  TableList list;
  read_tables(garbage, list);

  CHECK_FALSE(news.is_touched);
  CHECK_FALSE(answer.is_told);
  CHECK(list.tables.empty());
}

TEST_CASE("firewall: a removal by somebody else is news, one of our own is none") {
  Bytes batch = remove_firewall({"holdfast"});
  for (const std::uint32_t author : {7U, 9U}) {
    for (std::size_t at = 0; at + sizeof(nlmsghdr) <= batch.size();) {
      nlmsghdr header{};
      std::memcpy(&header, batch.data() + at, sizeof header);
      header.nlmsg_pid = author;
      std::memcpy(batch.data() + at, &header, sizeof header);
      at += NLMSG_ALIGN(header.nlmsg_len);
    }
    FirewallNews news;
    read_firewall_news(batch, "holdfast", 7, news);
    FirewallNews of_another_table;
    read_firewall_news(batch, "other", 7, of_another_table);

    CHECK(news.is_touched == (author == 9));
    CHECK_FALSE(of_another_table.is_touched);
  }
}
