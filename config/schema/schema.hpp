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
  active,   ///< acted on
  inert,    ///< checked and kept in the model, but nothing follows from it yet: `notice` once
  checked,  ///< arguments and body are checked, nothing is kept: `notice` once
};

inline constexpr std::size_t kMaxArgs = 3;

struct Keyword {
  Block block = Block::root;
  std::string_view name;
  std::array<Arg, kMaxArgs> args = {};
  Effect effect = Effect::active;
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
  /// The words valid in a block, in the order of the table.
  [[nodiscard]] std::vector<std::string_view> words_of(Block block) const;
  /// The blocks in which a word is valid.
  [[nodiscard]] std::vector<Block> blocks_of(std::string_view name) const;

 private:
  Schema();
  void add_rows(Block block, std::span<const Keyword> rows);
  void index();

  struct Slot {
    std::string_view name;
    KeywordId id = 0;
    Block block = Block::other;
    bool used = false;
  };
  [[nodiscard]] std::size_t first_slot(Block block, std::string_view name) const;

  std::vector<Keyword> keywords_;
  std::vector<KeywordId> canonical_;
  std::vector<Slot> slots_;  // open addressing, a power of two
};

/// The block's name as one writes it: "vrrp_instance", "TCP_CHECK"; "the top level" for root.
[[nodiscard]] std::string_view name_of(Block block);
/// True for blocks whose lines are entries; their rows are the option words of such an entry.
[[nodiscard]] bool is_list(Block block);
/// True for option words behind a word: no block in braces.
[[nodiscard]] bool is_line(Block block);

// How rows are written down in the table files.
namespace rows {
constexpr std::int64_t kMicroseconds = 1'000'000;
constexpr std::int64_t kWeek31 = 2'678'400;  ///< ip_vs: longest timeout, 31 days in seconds

constexpr Arg word(std::string_view called) {
  return {.type = ArgType::word, .words = called};
}
constexpr Arg integer(std::int64_t low, std::int64_t high) {
  return {.type = ArgType::integer, .low = low, .high = high};
}
/// Bounds in seconds.
constexpr Arg seconds(std::int64_t low, std::int64_t high) {
  return {.type = ArgType::seconds, .low = low * kMicroseconds, .high = high * kMicroseconds};
}
constexpr Arg choice(std::string_view words) {
  return {.type = ArgType::choice, .words = words};
}
constexpr Arg of(ArgType type) {
  return {.type = type};
}
/// Bounds in milliseconds.
constexpr Arg milliseconds(std::int64_t low, std::int64_t high) {
  return {.type = ArgType::milliseconds, .low = low * 1000, .high = high * 1000};
}
/// The rest of the line: option words of `line`.
constexpr Arg options(Block line) {
  return {.type = ArgType::options, .optional = true, .repeated = true, .line = line};
}
/// The same, at least one.
constexpr Arg required_options(Block line) {
  return {.type = ArgType::options, .repeated = true, .line = line};
}
constexpr Arg optional(Arg arg) {
  arg.optional = true;
  return arg;
}
constexpr Arg repeated(Arg arg) {
  arg.repeated = true;
  return arg;
}
constexpr Arg boolean() {
  return optional(of(ArgType::boolean));
}
constexpr std::int64_t kManyTries = 1'000'000;
/// A time between two probes, seconds.
constexpr Arg pace() {
  return seconds(0, kWeek31);
}
/// Where 0 would mean to probe without a pause, or to give up before trying.
constexpr Arg positive_pace() {
  return {.type = ArgType::seconds, .low = 1000, .high = kWeek31 * kMicroseconds};
}
constexpr std::array<Arg, kMaxArgs> command() {
  return {of(ArgType::script), optional(word("user")), optional(word("group"))};
}

[[nodiscard]] std::span<const Keyword> root();
[[nodiscard]] std::span<const Keyword> global_defs();
/// Further words of global_defs: those without effect.
[[nodiscard]] std::span<const Keyword> global_defs_rare();
[[nodiscard]] std::span<const Keyword> address_list();
[[nodiscard]] std::span<const Keyword> route_list();
[[nodiscard]] std::span<const Keyword> next_hop_line();
[[nodiscard]] std::span<const Keyword> encap_line();
[[nodiscard]] std::span<const Keyword> rule_list();
[[nodiscard]] std::span<const Keyword> sync_daemon_line();
[[nodiscard]] std::span<const Keyword> timeouts_line();
[[nodiscard]] std::span<const Keyword> vrrp_instance();
/// The rows of several small blocks.
struct Table {
  Block block;
  std::span<const Keyword> rows;
};
/// What stands inside vrrp_instance: its blocks, lists and lines.
[[nodiscard]] std::span<const Table> vrrp_lists();
/// Groups, scripts, processes, files, BFD sessions.
[[nodiscard]] std::span<const Table> tracking();
[[nodiscard]] std::span<const Keyword> virtual_server();
[[nodiscard]] std::span<const Keyword> real_server();
[[nodiscard]] std::span<const Keyword> virtual_server_group();
[[nodiscard]] std::span<const Keyword> tunnel_line();
/// Of every checker that has a target: where it is.
[[nodiscard]] std::span<const Keyword> connecting();
/// Of every checker that runs by the clock: when.
[[nodiscard]] std::span<const Keyword> pacing();
/// Beyond those: HTTP_GET and SSL_GET, SSL_GET alone, and the others.
[[nodiscard]] std::span<const Keyword> http_get();
[[nodiscard]] std::span<const Keyword> ssl_get();
[[nodiscard]] std::span<const Keyword> url();
[[nodiscard]] std::span<const Keyword> smtp_check();
[[nodiscard]] std::span<const Keyword> dns_check();
[[nodiscard]] std::span<const Keyword> misc_check();
[[nodiscard]] std::span<const Keyword> udp_check();
[[nodiscard]] std::span<const Keyword> bfd_check();
[[nodiscard]] std::span<const Keyword> file_check();
[[nodiscard]] std::span<const Keyword> ssl();
}  // namespace rows

/// The kernel schedulers this version knows by name.
inline constexpr std::string_view kSchedulers =
    "rr wrr lc wlc lblc lblcr dh sh mh sed nq fo ovf twos";

}  // namespace holdfast::config
