#include "runtime/handover_page.hpp"

#include "core/assertion.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

constexpr std::uint32_t kMagic = 0x48464850;  // "HFHP"
/// Goes up when the layout or the meaning of a record changes: a new binary must not read an old
/// page.
constexpr std::uint32_t kVersion = 4;
constexpr std::size_t kMaxRecordBytes = 104;

/// One slot. The whole copy is copies[sequence % 2]; sequence 0 means never written. A writer fills
/// the other copy first and publishes it with one store of the next sequence number.
struct Slot {
  struct Copy {
    std::uint64_t key;
    std::uint8_t record[kMaxRecordBytes];
  };
  std::uint64_t sequence;
  Copy copies[2];
};
static_assert(sizeof(Slot) == 232);

struct PageHeader {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint32_t kind;
  std::uint32_t record_bytes;
  /// Slots 0 … used - 1 were written at some time.
  std::uint64_t used;
  /// Records that speak of a moment up to this one (µs, CLOCK_MONOTONIC) do not count.
  std::int64_t void_until;
};

constexpr std::size_t kHeaderBytes = 4096;
static_assert(sizeof(PageHeader) <= kHandoverNoteAt);
constexpr std::size_t kPageBytes = kHeaderBytes + kHandoverCapacity * sizeof(Slot);

PageHeader& header_of(void* base) {
  return *static_cast<PageHeader*>(base);
}

}  // namespace

std::uint64_t handover_key(std::string_view identity) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char letter : identity) {
    hash ^= static_cast<unsigned char>(letter);
    hash *= 0x100000001b3;
  }
  return hash == 0 ? 1 : hash;
}

std::size_t handover_page_bytes() {
  return kPageBytes;
}

core::Result<UniqueFd> create_handover_page(HandoverKind kind) {
  const char* name =
      kind == HandoverKind::vrrp ? "holdfast-vrrp-handover" : "holdfast-checkers-handover";
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(kPageBytes)) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
    return core::fail_errno(errno, "cannot create the handover page");
  }
  return fd;
}

core::Result<RawHandoverPage> RawHandoverPage::open(UniqueFd fd, HandoverKind kind,
                                                    std::size_t record_bytes) {
  HOLDFAST_ASSERT(record_bytes <= kMaxRecordBytes, "records are small by design");
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0)
    return core::fail_errno(errno, "cannot read the handover page");
  if (static_cast<std::size_t>(status.st_size) != kPageBytes) {
    return core::fail("the handover page has {} bytes instead of {}", status.st_size, kPageBytes);
  }
  // A store to a page that cannot be had would be SIGBUS: a file system may be full.
  if (::fallocate(fd.get(), 0, 0, kHeaderBytes) != 0)
    return core::fail_errno(errno, "there is no room for the handover page");
  void* base = ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (base == MAP_FAILED) return core::fail_errno(errno, "cannot map the handover page");
  PageHeader& header = header_of(base);
  const bool usable = header.magic == kMagic && header.version == kVersion &&
                      header.kind == static_cast<std::uint32_t>(kind) &&
                      header.record_bytes == record_bytes && header.used <= kHandoverCapacity;
  if (!usable) {
    // Punching the pages out is the cheap way to zero them all.
    ::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kHeaderBytes,
                static_cast<off_t>(kPageBytes - kHeaderBytes));
    header = {kMagic,
              kVersion,
              static_cast<std::uint32_t>(kind),
              static_cast<std::uint32_t>(record_bytes),
              0,
              0};
  }
  RawHandoverPage page(std::move(fd), base, record_bytes);
  page.read_slots();
  return page;
}

RawHandoverPage::RawHandoverPage(RawHandoverPage&& other) noexcept
    : fd_(std::move(other.fd_)),
      base_(std::exchange(other.base_, nullptr)),
      record_bytes_(other.record_bytes_),
      slots_(std::move(other.slots_)),
      free_(std::move(other.free_)) {}

RawHandoverPage& RawHandoverPage::operator=(RawHandoverPage&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(base_, other.base_);
  std::swap(record_bytes_, other.record_bytes_);
  std::swap(slots_, other.slots_);
  std::swap(free_, other.free_);
  return *this;
}

RawHandoverPage::~RawHandoverPage() {
  if (base_ != nullptr) ::munmap(base_, kPageBytes);
}

std::uint8_t* RawHandoverPage::slot(std::size_t index) const {
  return static_cast<std::uint8_t*>(base_) + kHeaderBytes + index * sizeof(Slot);
}

namespace {

Slot& as_slot(std::uint8_t* bytes) {
  return *reinterpret_cast<Slot*>(bytes);
}

const Slot::Copy& whole_copy(const Slot& slot) {
  return slot.copies[slot.sequence % 2];
}

void publish(Slot& slot, std::uint64_t key, const void* record, std::size_t bytes) {
  const std::uint64_t next = slot.sequence + 1;
  Slot::Copy& other = slot.copies[next % 2];
  other.key = key;
  if (bytes != 0) std::memcpy(other.record, record, bytes);
  // The reader is a later process: only the order of our own stores matters, and this keeps it.
  std::atomic_ref<std::uint64_t>(slot.sequence).store(next, std::memory_order_release);
}

}  // namespace

void RawHandoverPage::read_slots() {
  for (std::size_t index = 0; index < header_of(base_).used; ++index) {
    const Slot& each = as_slot(slot(index));
    const std::uint64_t key = each.sequence == 0 ? 0 : whole_copy(each).key;
    if (key == 0 || !slots_.emplace(key, index).second) free_.push_back(index);
  }
}

// See open(): a store to memory that cannot be had would end the process.
bool RawHandoverPage::make_room(std::size_t index) const {
  return ::fallocate(fd_.get(), 0, static_cast<off_t>(kHeaderBytes + index * sizeof(Slot)),
                     sizeof(Slot)) == 0;
}

bool RawHandoverPage::store(std::uint64_t key, const void* record) {
  HOLDFAST_ASSERT(key != 0, "key 0 marks a free slot");
  auto found = slots_.find(key);
  if (found == slots_.end()) {
    std::uint64_t& used = header_of(base_).used;
    std::size_t index = 0;
    if (!free_.empty()) {
      index = free_.back();
      free_.pop_back();
    } else if (used < kHandoverCapacity && make_room(used)) {
      index = used;
      std::atomic_ref<std::uint64_t>(used).store(used + 1, std::memory_order_release);
    } else {
      return false;
    }
    found = slots_.emplace(key, index).first;
  }
  publish(as_slot(slot(found->second)), key, record, record_bytes_);
  return true;
}

bool RawHandoverPage::load(std::uint64_t key, void* record) const {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return false;
  std::memcpy(record, whole_copy(as_slot(slot(found->second))).record, record_bytes_);
  return true;
}

void RawHandoverPage::erase(std::uint64_t key) {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return;
  publish(as_slot(slot(found->second)), 0, nullptr, 0);
  free_.push_back(found->second);
  slots_.erase(found);
}

namespace {

/// A writer that publishes twice while we copy is met again at once by no reader: it comes back an
/// interval later.
constexpr int kReadAttempts = 8;

/// The key and record of a slot whose writer may be at work. Key 0: free.
std::uint64_t copy_whole(Slot& slot, std::array<std::uint8_t, kMaxRecordBytes>& record) {
  const std::atomic_ref<std::uint64_t> sequence(slot.sequence);
  Slot::Copy copy{};
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    const std::uint64_t before = sequence.load(std::memory_order_acquire);
    if (before == 0) return 0;
    std::memcpy(&copy, &slot.copies[before % 2], sizeof(copy));
    std::atomic_thread_fence(std::memory_order_acquire);
    if (sequence.load(std::memory_order_relaxed) == before) break;
  }
  std::memcpy(record.data(), copy.record, record.size());
  return copy.key;
}

}  // namespace

void RawHandoverPage::visit(const std::function<void(const void* record)>& visitor) const {
  const std::atomic_ref<std::uint64_t> used(header_of(base_).used);
  const std::uint64_t count =
      std::min<std::uint64_t>(used.load(std::memory_order_acquire), kHandoverCapacity);
  alignas(8) std::array<std::uint8_t, kMaxRecordBytes> record{};
  for (std::size_t index = 0; index < count; ++index) {
    if (copy_whole(as_slot(slot(index)), record) != 0) visitor(record.data());
  }
}

void RawHandoverPage::make_void(core::Instant until) {
  std::atomic_ref<std::int64_t>(header_of(base_).void_until)
      .store(until.time_since_epoch().count(), std::memory_order_release);
}

core::Instant RawHandoverPage::void_until() const {
  return core::Instant(core::Duration(
      std::atomic_ref<std::int64_t>(header_of(base_).void_until).load(std::memory_order_acquire)));
}

std::optional<core::Instant> mastership_ends(const HandoverPage<VrrpRecord>& page,
                                             core::Instant served_until) {
  std::optional<core::Instant> ahead;
  std::optional<core::Instant> passed;
  page.visit([&](const VrrpRecord& record) {
    if (record.state != VrrpRecord::State::master &&
        record.state != VrrpRecord::State::handing_over)
      return;
    const core::Instant end = record.last_advert_sent_at + record.silence_allowed;
    std::optional<core::Instant>& earliest = end < served_until ? passed : ahead;
    if (!earliest || end < *earliest) earliest = end;
  });
  return ahead ? ahead : passed;
}

std::vector<std::uint64_t> RawHandoverPage::keys() const {
  std::vector<std::uint64_t> all;
  all.reserve(slots_.size());
  for (const auto& [key, index] : slots_) all.push_back(key);
  return all;
}

}  // namespace holdfast::runtime
