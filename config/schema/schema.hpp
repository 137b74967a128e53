// The one table of words: which block they belong to, what may follow them, default, meaning, and
// whether this version acts on them. It drives the reader, the diagnostics and the documentation; a
// word that is not here does not exist. Rows live in schema_*.cpp, one file a subject. Immutable;
// built once a process.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace holdfast::config {

/// A place where words are valid: a block in braces, a list (a block whose lines are entries), or a
/// line (the option words behind the first words of an entry or behind a word).
enum class Block : std::uint8_t {
  root,
  global_defs,
  mail_list,  ///< body of notification_email: one address a line
  vrrp_instance,
  authentication,
  /// body of virtual_ipaddress and virtual_ipaddress_excluded: one address line each
  address_list,
  virtual_server,
  real_server,
  tcp_check,
  http_get,
  url,
  auth_hmac,
  vrrp_sync_group,
  vrrp_script,
  vrrp_track_process,
  track_file,
  virtual_server_group,  ///< a list: addresses, ranges, subnets and `fwmark`
  garp_group,
  track_group,
  ssl,
  ssl_get,
  smtp_check,
  dns_check,
  misc_check,
  udp_check,
  ping_check,
  bfd_check,
  file_check,
  bfd_instance,
  lvs_sysctl,
  smtp_host,             ///< host { … } of SMTP_CHECK
  name_list,             ///< body of `group`, `interfaces`: names, several on a line or one
  peer_list,             ///< body of unicast_peer
  track_interface_list,  ///< body of track_interface
  track_list,            ///< body of track_script, track_file, track_process, track_bfd
  route_list,            ///< body of virtual_routes and static_routes
  rule_list,             ///< body of virtual_rules and static_rules
  delay_list,            ///< body of interface_up_down_delays and linkbeat_interfaces
  next_hop_line,         ///< behind `nexthop` of a route
  encap_line,            ///< behind `encap` of a route
  sync_daemon_line,      ///< behind lvs_sync_daemon
  timeouts_line,         ///< behind lvs_timeouts
  tunnel_line,           ///< behind TUN of lvs_method
  vmac_line,             ///< behind use_vmac
  ipvlan_line,           ///< behind use_ipvlan
  other,                 ///< a block nobody looks into
};
inline constexpr std::size_t kBlockCount = static_cast<std::size_t>(Block::other) + 1;

enum class ArgType : std::uint8_t {
  none,     ///< ends the list
  word,     ///< any one word
  integer,  ///< decimal digits, `low`..`high`
  seconds,  ///< digits[.digits], `low`..`high` in µs
  boolean,  ///< true on yes false off no
  ip,       ///< an address of either family
  ip4,      ///< an IPv4 address
  ip6,      ///< an IPv6 address
  netmask,  ///< an IPv4 netmask, or a prefix length
  choice,   ///< one of `words`, case matters; when `high` is above 0 also a number `low`..`high`
  choice_any_case,
  interface,     ///< 1..15 bytes, no '/'
  scheduler,     ///< name of a kernel scheduler
  digest,        ///< 32 hex digits
  status_code,   ///< CODE or LOW-HIGH within 100..599
  script,        ///< a command: one word, or a quoted command line
  milliseconds,  ///< digits[.digits], `low`..`high` in µs
  mac,           ///< five or six hex octets between colons
  hex,      ///< hex digits, blanks between bytes allowed; with `words` "X" also X for any digit
  prefix,   ///< ADDRESS or ADDRESS/LENGTH of either family; also `all` and `default`
  options,  ///< option words: the rest of the line, each a row of the block `line`
};

/// One thing that may follow a word.
struct Arg {
  ArgType type = ArgType::none;
  bool optional = false;
  bool repeated = false;  ///< as many as there are on the line; only the last argument
  std::int64_t low = 0;   ///< integer, seconds
  std::int64_t high = 0;
  /// choice: separated by blanks; otherwise what to call the argument in messages
  std::string_view words = {};
  Block line = Block::other;  ///< options: where their rows are
};

/// What this version does with a word.
enum class Effect : std::uint8_t {
  active,   ///< acted on, in its room
  as_is,    ///< says what is so without it
  inert,    ///< checked and kept in the model, but nothing follows from it yet: `notice` once
  checked,  ///< arguments and body are checked, nothing is kept: `notice` once
};

/// Whose work changes with a word. The wiring of a room turns the model into what its core is told.
enum class Room : std::uint8_t {
  none,
  reader,    ///< how files are read, and what is said about them
  vrrp,      ///< vrrp/wiring.hpp
  checkers,  ///< checkers/wiring.hpp
  scripts,   ///< config/accounts.hpp, in the wiring of whoever has scripts
  watchdog,  ///< watchdog/io/wiring.hpp
  legacy,    ///< legacy/dump_settings.hpp
};

inline constexpr std::size_t kMaxArgs = 3;

class Args;
class Writer;
struct Globals;
struct Keyword;

/// What a word means for the object of its block: all rows of one block know the same type.
/// config/words/meaning.hpp makes it from a member.
struct Meaning {
  using Read = void (*)(void* object, const Args& args);
  /// `standard`: the object as it is when its block says nothing.
  using Write = void (*)(const void* object, const void* standard, const Keyword& row, Writer& out);
  using Inherit = void (*)(void* object, const Globals& globals);
  using Rests = std::string_view (*)(const void* object);

  Read read = nullptr;        ///< null: the word is read by another hand
  Write write = nullptr;      ///< null: another row writes it, too
  Inherit inherit = nullptr;  ///< what the word has from global_defs when it is not written
  /// Why the object is not started because of this word, as the end of a sentence; empty: it is.
  Rests rests = nullptr;
};

struct Keyword {
  Block block = Block::root;
  std::string_view name;
  std::array<Arg, kMaxArgs> args = {};
  Effect effect = Effect::active;
  Room room = Room::none;           ///< of a word that acts; none: that of its block
  std::string_view with = {};       ///< means nothing without this word of the same block
  std::optional<Block> opens = {};  ///< the word is followed by { … }
  std::string_view alias_of = {};   ///< the word of the same block that this one stands for
  std::string_view fallback = {};   ///< default as one would write it; empty: none
  std::string_view doc = {};        ///< one line
  /// inert, checked, or an old word: the whole warning; empty: a standard sentence
  std::string_view notice = {};
  bool repeatable = false;  ///< may be given several times in one block
  bool required = false;    ///< the block means nothing without it
  /// keepalived version that brought the word, "holdfast" for our own; empty: older than 2.2.7
  std::string_view since = {};
  bool deprecated = false;  ///< works, but there is a better way; `notice` names it
  bool secret = false;      ///< its value is for nobody's eyes: see secrets.hpp
  /// Which argument is a user, with a group behind it; found when the table is made.
  std::optional<std::uint8_t> user_at = {};
  bool has_command = false;  ///< one of its arguments is a command; found when the table is made
  Meaning meaning = {};
};

/// Index of a keyword in Schema::all().
using KeywordId = std::uint16_t;

class Schema {
 public:
  [[nodiscard]] static const Schema& instance();

  [[nodiscard]] std::span<const Keyword> all() const { return keywords_; }
  [[nodiscard]] const Keyword& operator[](KeywordId id) const { return keywords_[id]; }
  /// The word as written in this block; an alias gives its own row.
  [[nodiscard]] std::optional<KeywordId> find(Block block, std::string_view name) const;
  /// The row that an alias stands for; the row itself for any other.
  [[nodiscard]] KeywordId canonical(KeywordId id) const { return canonical_[id]; }
  /// True when something follows from the word in this version: from itself, and from the words
  /// that its block or its line belong to.
  [[nodiscard]] bool acts(KeywordId id) const;
  /// The rows of a block, in the order of the table.
  [[nodiscard]] std::span<const KeywordId> rows_of(Block block) const {
    return by_block_[static_cast<std::size_t>(block)];
  }
  /// Those of them that have something from global_defs.
  [[nodiscard]] std::span<const KeywordId> heirs_of(Block block) const {
    return heirs_[static_cast<std::size_t>(block)];
  }
  /// The words valid in a block, in the order of the table.
  [[nodiscard]] std::vector<std::string_view> words_of(Block block) const;
  /// The blocks in which a word is valid.
  [[nodiscard]] std::vector<Block> blocks_of(std::string_view name) const;

 private:
  Schema();
  void add_rows(Block block, std::span<const Keyword> rows, Room room);
  void index();
  void find_acting_blocks();

  struct Slot {
    std::string_view name;
    KeywordId id = 0;
    Block block = Block::other;
    bool used = false;
  };
  [[nodiscard]] std::size_t first_slot(Block block, std::string_view name) const;

  std::vector<Keyword> keywords_;
  std::vector<KeywordId> canonical_;
  std::array<std::vector<KeywordId>, kBlockCount> by_block_;
  std::array<std::vector<KeywordId>, kBlockCount> heirs_;
  std::array<bool, kBlockCount> block_acts_ = {};
  std::vector<Slot> slots_;  // open addressing, a power of two
};

/// The block's name as one writes it: "vrrp_instance", "TCP_CHECK"; "the top level" for root.
[[nodiscard]] std::string_view name_of(Block block);
/// True for blocks whose lines are entries; their rows are the option words of such an entry.
[[nodiscard]] bool is_list(Block block);
/// True for option words behind a word: no block in braces.
[[nodiscard]] bool is_line(Block block);

// The rows of each block, one file a subject in config/words/.
namespace rows {
/// The rows of a block.
struct Table {
  Block block;
  std::span<const Keyword> rows;
};

[[nodiscard]] std::span<const Keyword> root();
[[nodiscard]] std::span<const Keyword> global_defs();
/// What instances and services inherit, announcements and IPVS, with the lines of their options.
[[nodiscard]] std::span<const Table> globals_of_protocols();
/// The kernel's switches of IPVS.
[[nodiscard]] std::span<const Keyword> lvs_sysctl();
/// Further words of global_defs: those without effect.
[[nodiscard]] std::span<const Keyword> global_defs_rare();
[[nodiscard]] std::span<const Keyword> address_list();
/// Routes, their legs and their encapsulation.
[[nodiscard]] std::span<const Table> routes();
[[nodiscard]] std::span<const Keyword> rule_list();
[[nodiscard]] std::span<const Keyword> vrrp_instance();
/// What stands inside vrrp_instance: its blocks, lists and lines.
[[nodiscard]] std::span<const Table> vrrp_lists();
/// Groups, scripts, processes, files, BFD sessions.
[[nodiscard]] std::span<const Table> tracking();
[[nodiscard]] std::span<const Table> bfd();
[[nodiscard]] std::span<const Keyword> virtual_server();
/// real_server, and the options of tunnels.
[[nodiscard]] std::span<const Table> servers();
/// virtual_server_group and SSL.
[[nodiscard]] std::span<const Table> service_groups();
/// Of every checker that has a target: where it is.
[[nodiscard]] std::span<const Keyword> connecting();
/// Of every checker that runs by the clock: when.
[[nodiscard]] std::span<const Keyword> pacing();
/// Beyond those: of HTTP_GET, SSL_GET and their urls, and of the other checkers.
[[nodiscard]] std::span<const Table> http_checks();
[[nodiscard]] std::span<const Table> checks();
}  // namespace rows

/// The kernel schedulers this version knows by name.
inline constexpr std::string_view kSchedulers =
    "rr wrr lc wlc lblc lblcr dh sh mh sed nq fo ovf twos";

}  // namespace holdfast::config
