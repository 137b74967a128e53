#include "config/schema/schema.hpp"

#include "core/assertion.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace holdfast::config {
namespace {

constexpr std::array<std::string_view, kBlockCount> kBlockNames = {
    "the top level",
    "global_defs",
    "notification_email",
    "vrrp_instance",
    "authentication",
    "virtual_ipaddress",
    "virtual_server",
    "real_server",
    "TCP_CHECK",
    "HTTP_GET",
    "url",
    "auth_hmac",
    "vrrp_sync_group",
    "vrrp_script",
    "vrrp_track_process",
    "track_file",
    "virtual_server_group",
    "garp_group",
    "track_group",
    "SSL",
    "SSL_GET",
    "SMTP_CHECK",
    "DNS_CHECK",
    "MISC_CHECK",
    "UDP_CHECK",
    "PING_CHECK",
    "BFD_CHECK",
    "FILE_CHECK",
    "bfd_instance",
    "lvs_sysctl",
    "host",
    "group",
    "unicast_peer",
    "track_interface",
    "a tracking block",
    "a block of routes",
    "a block of rules",
    "a block of interfaces",
    "nexthop",
    "encap",
    "lvs_sync_daemon",
    "lvs_timeouts",
    "lvs_method",
    "use_vmac",
    "use_ipvlan",
    "another block",
};

constexpr std::size_t kMostRows = 1024;  // or a little more: then the table grows once

// Of a word's beginning, its end and its length: enough to tell those of the table apart.
std::size_t hash(Block block, std::string_view name) {
  std::uint64_t head = 0;
  std::uint64_t tail = 0;
  if (name.size() >= sizeof head) {
    std::memcpy(&head, name.data(), sizeof head);
    std::memcpy(&tail, name.data() + name.size() - sizeof tail, sizeof tail);
  } else {
    for (const char letter : name) head = head << 8 | static_cast<unsigned char>(letter);
  }
  const std::uint64_t rest = name.size() << 8 | static_cast<std::uint64_t>(block);
  const std::uint64_t value = (head * 0x9E3779B97F4A7C15U ^ tail) * 0xC2B2AE3D27D4EB4FU + rest;
  return static_cast<std::size_t>((value ^ value >> 32) * 0x9E3779B97F4A7C15U >> 32);
}

using BlocksOfWords = std::unordered_map<std::string_view, std::vector<Block>>;

// A definition may repeat an unknown word a million times: none of them is a walk through the
// table.
BlocksOfWords blocks_by_word(std::span<const Keyword> keywords) {
  BlocksOfWords blocks;
  for (const Keyword& keyword : keywords) blocks[keyword.name].push_back(keyword.block);
  return blocks;
}

}  // namespace

std::string_view name_of(Block block) {
  return kBlockNames[static_cast<std::size_t>(block)];
}

bool is_list(Block block) {
  return block == Block::mail_list || block == Block::address_list ||
         block == Block::virtual_server_group ||
         (block >= Block::name_list && block <= Block::delay_list);
}

bool is_line(Block block) {
  return block >= Block::next_hop_line && block <= Block::ipvlan_line;
}

const Schema& Schema::instance() {
  static const Schema schema;
  return schema;
}

Schema::Schema() {
  keywords_.reserve(kMostRows);
  const auto add = [this](std::span<const rows::Table> tables, Room room) {
    for (const rows::Table& table : tables) add_rows(table.block, table.rows, room);
  };
  add_rows(Block::root, rows::root(), Room::none);
  add_rows(Block::global_defs, rows::global_defs(), Room::none);
  add(rows::globals_of_protocols(), Room::vrrp);
  add_rows(Block::global_defs, rows::global_defs_rare(), Room::none);
  add_rows(Block::lvs_sysctl, rows::lvs_sysctl(), Room::checkers);
  add_rows(Block::address_list, rows::address_list(), Room::vrrp);
  add(rows::routes(), Room::vrrp);
  add_rows(Block::rule_list, rows::rule_list(), Room::vrrp);
  add_rows(Block::vrrp_instance, rows::vrrp_instance(), Room::vrrp);
  for (const auto& tables : {rows::vrrp_lists(), rows::tracking(), rows::bfd()})
    add(tables, Room::vrrp);
  add_rows(Block::virtual_server, rows::virtual_server(), Room::checkers);
  for (const auto& tables : {rows::servers(), rows::service_groups()}) add(tables, Room::checkers);
  for (const Block block :
       {Block::tcp_check, Block::http_get, Block::ssl_get, Block::smtp_check, Block::smtp_host,
        Block::dns_check, Block::udp_check, Block::ping_check})
    add_rows(block, rows::connecting(), Room::checkers);
  for (const Block block :
       {Block::tcp_check, Block::http_get, Block::ssl_get, Block::smtp_check, Block::smtp_host,
        Block::dns_check, Block::udp_check, Block::ping_check, Block::misc_check})
    add_rows(block, rows::pacing(), Room::checkers);
  for (const auto& tables : {rows::http_checks(), rows::checks()}) add(tables, Room::checkers);
  index();
  find_acting_blocks();
}

void Schema::add_rows(Block block, std::span<const Keyword> rows, Room room) {
  for (const Keyword& row : rows) {
    Keyword& added = keywords_.emplace_back(row);
    added.block = block;
    if (added.effect == Effect::active && added.room == Room::none) added.room = room;
    for (std::uint8_t at = 0; at < kMaxArgs; ++at) {
      const Arg& arg = added.args[at];
      if (arg.type == ArgType::word && arg.words == "user" && !added.user_at) added.user_at = at;
      added.has_command = added.has_command || arg.type == ArgType::script;
    }
  }
}

// A block acts when a word that opens it does; so does a line of options.
void Schema::find_acting_blocks() {
  block_acts_[static_cast<std::size_t>(Block::root)] = true;
  for (bool more = true; more;) {
    more = false;
    for (std::size_t id = 0; id < keywords_.size(); ++id) {
      if (!acts(static_cast<KeywordId>(id))) continue;
      const auto mark = [&](Block block) {
        bool& is_marked = block_acts_[static_cast<std::size_t>(block)];
        more = more || !is_marked;
        is_marked = true;
      };
      if (keywords_[id].opens) mark(*keywords_[id].opens);
      for (const Arg& arg : keywords_[id].args)
        if (arg.type == ArgType::options) mark(arg.line);
    }
  }
}

bool Schema::acts(KeywordId id) const {
  const Keyword& row = keywords_[id];
  if (row.effect != Effect::active || !block_acts_[static_cast<std::size_t>(row.block)])
    return false;
  return row.with.empty() || acts(*find(row.block, row.with));
}

std::size_t Schema::first_slot(Block block, std::string_view name) const {
  return hash(block, name) & (slots_.size() - 1);
}

void Schema::index() {
  slots_.resize(4096);
  HOLDFAST_ASSERT(keywords_.size() * 2 < slots_.size(),
                  "the hash table must stay at most half full");
  for (std::size_t id = 0; id < keywords_.size(); ++id) {
    const Keyword& keyword = keywords_[id];
    HOLDFAST_ASSERT(!find(keyword.block, keyword.name), "a word has one row in a block");
    std::size_t slot = first_slot(keyword.block, keyword.name);
    while (slots_[slot].used) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = {keyword.name, static_cast<KeywordId>(id), keyword.block, true};
    by_block_[static_cast<std::size_t>(keyword.block)].push_back(static_cast<KeywordId>(id));
    if (keyword.meaning.inherit != nullptr)
      heirs_[static_cast<std::size_t>(keyword.block)].push_back(static_cast<KeywordId>(id));
  }
  for (std::size_t id = 0; id < keywords_.size(); ++id) {
    const Keyword& keyword = keywords_[id];
    canonical_.push_back(static_cast<KeywordId>(id));
    if (keyword.alias_of.empty()) continue;
    const std::optional<KeywordId> target = find(keyword.block, keyword.alias_of);
    HOLDFAST_ASSERT(target, "an alias stands for a word of its own block");
    canonical_.back() = *target;
  }
  for (const Keyword& keyword : keywords_)
    HOLDFAST_ASSERT(keyword.with.empty() || find(keyword.block, keyword.with),
                    "a word goes with a word of its own block");
}

std::optional<KeywordId> Schema::find(Block block, std::string_view name) const {
  for (std::size_t slot = first_slot(block, name); slots_[slot].used;
       slot = (slot + 1) & (slots_.size() - 1)) {
    if (slots_[slot].block == block && slots_[slot].name == name) return slots_[slot].id;
  }
  return std::nullopt;
}

std::vector<std::string_view> Schema::words_of(Block block) const {
  std::vector<std::string_view> words;
  for (const KeywordId id : rows_of(block)) words.push_back(keywords_[id].name);
  return words;
}

std::vector<Block> Schema::blocks_of(std::string_view name) const {
  static const BlocksOfWords index = blocks_by_word(keywords_);  // there is one schema
  const auto found = index.find(name);
  return found == index.end() ? std::vector<Block>() : found->second;
}

}  // namespace holdfast::config
