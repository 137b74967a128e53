// What a child leaves to its successor: a memfd that the watchdog owns and every incarnation of the
// child maps. Each record has two copies and a sequence number that says which copy is whole, so a
// kill -9 in the middle of a write leaves the former value, never a mixture. One writer of records
// (the living child). The watchdog reads them meanwhile, and may declare all of them void.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "runtime/unique_fd.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace holdfast::runtime {

enum class HandoverKind : std::uint32_t { vrrp = 1, checkers = 2 };

/// What a VRRP instance was doing. Instants are CLOCK_MONOTONIC: valid across processes, not across
/// a reboot, and neither is the page.
struct VrrpRecord {
  static constexpr HandoverKind kKind = HandoverKind::vrrp;
  /// `handing_over`: has resigned, and its addresses are still there. Nobody resumes that.
  enum class State : std::uint8_t { other = 0, backup = 1, master = 2, handing_over = 3 };

  core::Instant since;
  core::Instant last_advert_sent_at;
  /// Peers stay backups this long after the last advert, whoever they are; of one that hands over,
  /// the addresses have left by then.
  core::Duration silence_allowed{};
  std::uint8_t vrid = 0;
  State state = State::other;
  std::uint8_t priority = 0;
  /// How the checksum of its adverts is written: a number of the VRRP room's; 0: not said.
  std::uint8_t checksum = 0;
  /// Of adverts that prove their origin: the numbers of an authentication header, and the moments
  /// of signed ones. Zeros: nothing was heard or sent.
  std::uint32_t ah_sequence = 0;
  std::uint64_t signed_at = 0;
  struct SignedPeer {
    std::array<std::uint8_t, 16> address{};  ///< IPv4: the first four bytes.
    std::uint64_t signed_at = 0;
    std::uint8_t key = 0;  ///< 0: no peer stands here.
    bool is_v4 = true;
    bool operator==(const SignedPeer&) const = default;
  };
  std::array<SignedPeer, 2> signed_peers{};  ///< Those heard last, the latest last.

  /// The moment that the record speaks of.
  [[nodiscard]] core::Instant stands_for() const { return std::max(since, last_advert_sent_at); }
  bool operator==(const VrrpRecord&) const = default;
};

/// What a check knew about its server.
struct CheckRecord {
  static constexpr HandoverKind kKind = HandoverKind::checkers;
  enum class Verdict : std::uint8_t { unknown = 0, up = 1, down = 2 };

  core::Instant since;
  std::uint32_t failures_in_row = 0;
  Verdict verdict = Verdict::unknown;
  /// What its last success said about the server's weight: nothing, this, or so much more.
  enum class Claim : std::uint8_t { none = 0, is = 1, adds = 2 };
  Claim claim = Claim::none;
  std::int64_t weight = 0;

  bool operator==(const CheckRecord&) const = default;
};

/// Records a page has room for. Sparse: only what is used costs memory.
inline constexpr std::size_t kHandoverCapacity = 65536;

/// The key of a record: a hash of the text that identifies the thing across restarts and reloads,
/// e.g. "VI_1 eth0 51 ipv4". Never 0.
[[nodiscard]] std::uint64_t handover_key(std::string_view identity);

/// For the watchdog: an empty page for the child of this kind. Close-on-exec, fixed size.
[[nodiscard]] core::Result<UniqueFd> create_handover_page(HandoverKind kind);
/// How many bytes a page has, and where in them the first 4096 are free for the keeper of a file.
inline constexpr std::size_t kHandoverNoteAt = 2048;
[[nodiscard]] std::size_t handover_page_bytes();

/// The mapping and the slots, without knowing what a record means.
class RawHandoverPage {
 public:
  /// Takes the descriptor. A page of another kind, version or record size is emptied and started
  /// afresh.
  [[nodiscard]] static core::Result<RawHandoverPage> open(UniqueFd fd, HandoverKind kind,
                                                          std::size_t record_bytes);
  RawHandoverPage(RawHandoverPage&& other) noexcept;
  RawHandoverPage& operator=(RawHandoverPage&& other) noexcept;
  ~RawHandoverPage();

  /// False when all slots are taken, or there is no memory for another: the thing will start from
  /// nothing after a crash.
  bool store(std::uint64_t key, const void* record);
  /// False when there is none.
  [[nodiscard]] bool load(std::uint64_t key, void* record) const;
  void erase(std::uint64_t key);
  [[nodiscard]] std::vector<std::uint64_t> keys() const;
  /// Every record as the memory has it now, also what another process stored since open().
  void visit(const std::function<void(const void* record)>& visitor) const;
  /// Whatever speaks of a moment up to this one is void. One store, at any time, by anybody.
  void make_void(core::Instant until);
  [[nodiscard]] core::Instant void_until() const;

 private:
  RawHandoverPage(UniqueFd fd, void* base, std::size_t record_bytes)
      : fd_(std::move(fd)), base_(base), record_bytes_(record_bytes) {}
  void read_slots();
  [[nodiscard]] bool make_room(std::size_t index) const;
  [[nodiscard]] std::uint8_t* slot(std::size_t index) const;

  UniqueFd fd_;
  void* base_ = nullptr;
  std::size_t record_bytes_ = 0;
  std::unordered_map<std::uint64_t, std::size_t> slots_;
  std::vector<std::size_t> free_;
};

/// HandoverPage<VrrpRecord> or HandoverPage<CheckRecord>.
template <class Record>
class HandoverPage {
  static_assert(std::is_trivially_copyable_v<Record>);

 public:
  [[nodiscard]] static core::Result<HandoverPage> open(UniqueFd fd) {
    auto raw = RawHandoverPage::open(std::move(fd), Record::kKind, sizeof(Record));
    if (!raw) return raw.error();
    return HandoverPage(std::move(*raw));
  }
  /// nullopt also for a record that was declared void.
  [[nodiscard]] std::optional<Record> load(std::uint64_t key) const {
    Record record;
    if (!raw_.load(key, &record) || is_void(record)) return std::nullopt;
    return record;
  }
  /// Also of one that was declared void: what it says of others is still true.
  [[nodiscard]] std::optional<Record> recall(std::uint64_t key) const {
    Record record;
    if (!raw_.load(key, &record)) return std::nullopt;
    return record;
  }
  /// A few stores to memory, no system call.
  bool store(std::uint64_t key, const Record& record) { return raw_.store(key, &record); }
  void erase(std::uint64_t key) { raw_.erase(key); }
  /// The keys of all records, for erasing those that the configuration no longer has.
  [[nodiscard]] std::vector<std::uint64_t> keys() const { return raw_.keys(); }
  /// Every record that counts, as the memory has it now: for a process that is not its writer.
  void visit(const std::function<void(const Record&)>& visitor) const {
    raw_.visit([&](const void* bytes) {
      Record record;
      std::memcpy(&record, bytes, sizeof(Record));
      if (!is_void(record)) visitor(record);
    });
  }
  /// From now on no record counts that speaks of a moment up to this one: the thing it describes
  /// was ended by somebody else than its writer.
  void make_void(core::Instant until) { raw_.make_void(until); }

 private:
  explicit HandoverPage(RawHandoverPage raw) : raw_(std::move(raw)) {}
  [[nodiscard]] bool is_void(const Record& record) const {
    if constexpr (requires { record.stands_for(); }) {
      return record.stands_for() <= raw_.void_until();
    } else {
      return false;
    }
  }
  RawHandoverPage raw_;
};

/// When the first peer of any master on this page may take over, or a handover must have ended: the
/// earliest last advert plus the silence allowed. nullopt: nobody holds addresses.
/// `served_until`: the last sign of life of a process that took part. What had ended by then is of
/// an instance whose adverts do not leave while nobody else serves: it counts only when there is no
/// other, or it would cost the others their successor's resumption.
[[nodiscard]] std::optional<core::Instant> mastership_ends(const HandoverPage<VrrpRecord>& page,
                                                           core::Instant served_until);

}  // namespace holdfast::runtime
