// Rows of the table: the blocks, lists and lines inside vrrp_instance.
#include "config/schema/schema.hpp"

namespace holdfast::config::rows {
namespace {

constexpr std::int64_t kWeight = 253;      ///< of interfaces, scripts and BFD sessions
constexpr std::int64_t kFileWeight = 254;  ///< of files and processes

constexpr Keyword kAuthentication[] = {
    {.name = "auth_type",
     .args = {choice("PASS AH")},
     .fallback = "none",
     .doc = "PASS: the password is sent in clear; AH: such an instance is not started yet"},
    {.name = "auth_pass",
     .args = {word("password")},
     .doc = "the same on all directors; the first 8 bytes count",
     .secret = true},
};

constexpr Keyword kAuthHmac[] = {
    {.name = "key",
     .args = {integer(1, 255), word("key")},
     .doc = "number and key: text, hex:DIGITS or file:PATH, 32 to 64 bytes",
     .repeatable = true,
     .since = "2.4",
     .secret = true},
    {.name = "active_key",
     .args = {integer(1, 255)},
     .fallback = "the first",
     .doc = "the key that signs",
     .since = "2.4"},
    {.name = "time_window",
     .args = {seconds(1, 300)},
     .fallback = "the larger of 5 and three intervals",
     .doc = "how far the clocks of two directors may differ, seconds",
     .since = "2.4"},
    {.name = "anti_replay",
     .args = {choice("time monotonic")},
     .fallback = "time",
     .doc = "what keeps an old advert from counting again",
     .since = "2.4"},
    {.name = "mode",
     .args = {choice("enforce permissive receive-only")},
     .fallback = "enforce",
     .doc = "what is done with adverts that are not signed",
     .since = "2.4"},
};

constexpr Keyword kPeers[] = {
    {.name = "min_ttl", .args = {integer(0, 255)}, .doc = "adverts with a lower TTL are dropped"},
    {.name = "max_ttl", .args = {integer(0, 255)}, .doc = "adverts with a higher TTL are dropped"},
};

constexpr Keyword kTrackInterface[] = {
    {.name = "weight",
     .args = {integer(-kWeight, kWeight), optional(choice("reverse noreverse"))},
     .fallback = "0",
     .doc = "0: fault when down; positive: added while up; negative: subtracted while down"},
};

constexpr Keyword kTrack[] = {
    {.name = "weight",
     .args = {integer(-kFileWeight, kFileWeight), optional(choice("reverse noreverse"))},
     .fallback = "the weight of what is tracked",
     .doc = "0: fault while bad; positive: added while good; negative: subtracted while bad"},
};

constexpr Keyword kVmacLine[] = {
    {.name = "name", .args = {of(ArgType::interface)}, .doc = "name of the virtual interface"},
    {.name = "netlink_notify_msg", .doc = "tell user space about the virtual interface"},
    {.name = "group", .args = {word("group")}, .doc = "link group, name or number"},
};

constexpr Keyword kIpvlanLine[] = {
    {.name = "name", .args = {of(ArgType::interface)}, .doc = "name of the virtual interface"},
    {.name = "bridge", .doc = "mode of the ipvlan (the default)"},
    {.name = "private", .doc = "mode of the ipvlan"},
    {.name = "vepa", .doc = "mode of the ipvlan"},
    {.name = "group", .args = {word("group")}, .doc = "link group, name or number"},
};

constexpr Table kTables[] = {
    {Block::authentication, kAuthentication},
    {Block::auth_hmac, kAuthHmac},
    {Block::peer_list, kPeers},
    {Block::track_interface_list, kTrackInterface},
    {Block::track_list, kTrack},
    {Block::vmac_line, kVmacLine},
    {Block::ipvlan_line, kIpvlanLine},
};

}  // namespace

std::span<const Table> vrrp_lists() {
  return kTables;
}

}  // namespace holdfast::config::rows
