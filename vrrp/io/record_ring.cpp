#include "vrrp/io/record_ring.hpp"

#include "core/assertion.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <vector>

namespace holdfast::vrrp {
namespace {

// A part is a list of entries: a tag, then numbers of 7 bits a byte, least first.
constexpr std::uint8_t kDefine = 1;   // length, bytes: the next line number
constexpr std::uint8_t kTimed = 2;    // microseconds since the last time (zigzag), line number
constexpr std::uint8_t kUntimed = 3;  // line number

constexpr std::uint32_t kMagic = 0x48465231;
/// Room at the end of a part for write_last.
constexpr std::size_t kReserve = 64;
/// No line of a recording is longer: 255 addresses, each with a device and a label.
constexpr std::size_t kLongestLine = 32768;

struct SegmentHead {
  std::uint32_t sequence;  // 0: never used
  std::uint32_t content;
  std::uint32_t used;  // bytes behind this head
};

struct Buffer {
  std::array<std::uint8_t, 24> bytes{};
  std::size_t size = 0;
  void put(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) bytes[size++] = static_cast<std::uint8_t>(number | 0x80);
    bytes[size++] = static_cast<std::uint8_t>(number);
  }
};

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

SegmentHead head_of(std::span<const std::uint8_t> segment) {
  SegmentHead head{};
  std::memcpy(&head, segment.data(), sizeof head);
  return head;
}

/// Entries of one part, in memory that nobody vouches for.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  /// False: no more, or no more sense.
  bool next(const RecordRing::Line& line) {
    if (at_ >= bytes_.size()) return false;
    const std::uint8_t tag = bytes_[at_++];
    if (tag == kDefine) return define();
    std::optional<core::Instant> when;
    if (tag == kTimed) {
      last_ += static_cast<std::uint64_t>(unzigzag(number()));  // wraps, should it be damaged
      when = core::Instant(core::Duration(static_cast<std::int64_t>(last_)));
    } else if (tag != kUntimed) {
      return false;
    }
    const std::uint64_t index = number();
    if (!ok_ || index >= lines_.size()) return false;
    line(when, lines_[index]);
    return true;
  }

 private:
  bool define() {
    const std::uint64_t size = number();
    if (!ok_ || size > bytes_.size() - at_) return false;
    lines_.emplace_back(reinterpret_cast<const char*>(bytes_.data() + at_), size);
    at_ += size;
    return true;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ >= bytes_.size()) break;
      const std::uint8_t byte = bytes_[at_++];
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    ok_ = false;
    return 0;
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  std::uint64_t last_ = 0;
  bool ok_ = true;
  std::vector<std::string_view> lines_;
};

std::size_t text_size(std::span<const std::uint8_t> entries) {
  constexpr std::size_t kTimeText = 16;
  std::size_t size = 0;
  Reader reader(entries);
  while (reader.next([&](auto, std::string_view line) { size += line.size() + kTimeText; })) {
  }
  return size;
}

}  // namespace

RecordRing::RecordRing(std::span<std::uint8_t> memory) : memory_(memory) {
  HOLDFAST_ASSERT(memory.size() == kBytes, "the recorder maps as much");
  std::memcpy(memory_.data(), &kMagic, sizeof kMagic);
}

std::span<std::uint8_t> RecordRing::segment(std::size_t index) const {
  return memory_.subspan(kHeadBytes + index * kSegmentBytes, kSegmentBytes);
}

void RecordRing::begin_segment(Content content) {
  numbers_.clear();
  current_ = (current_ + 1) % kSegments;
  used_ = 0;
  last_ = {};
  const SegmentHead head{++sequence_, static_cast<std::uint32_t>(content), 0};
  std::memcpy(segment(current_).data(), &head, sizeof head);
}

std::size_t RecordRing::bytes_left() const {
  const std::size_t taken = sizeof(SegmentHead) + used_ + kReserve;
  return kSegmentBytes - std::min(taken, kSegmentBytes);
}

bool RecordRing::write(std::optional<core::Instant> at, std::string_view line) {
  return append(at, line, kReserve);
}

void RecordRing::write_last(std::string_view line) {
  const bool written = append(std::nullopt, line, 0);
  HOLDFAST_ASSERT(written, "write leaves the reserve alone");
}

bool RecordRing::append(std::optional<core::Instant> at, std::string_view line,
                        std::size_t reserve) {
  if (line.empty() || line.size() > kLongestLine) return false;
  const auto known = numbers_.find(line);
  const auto number =
      known == numbers_.end() ? static_cast<std::uint32_t>(numbers_.size()) : known->second;
  Buffer define;
  if (known == numbers_.end()) {
    define.put(kDefine);
    define.put(line.size());
  }
  Buffer use;
  use.put(at ? kTimed : kUntimed);
  if (at) use.put(zigzag((*at - last_).count()));
  use.put(number);
  const std::size_t text = known == numbers_.end() ? line.size() : 0;
  const auto bytes = segment(current_).subspan(sizeof(SegmentHead));
  if (used_ + define.size + text + use.size + reserve > bytes.size()) return false;

  std::uint8_t* place = bytes.data() + used_;
  place = std::copy_n(define.bytes.data(), define.size, place);
  const auto* kept = reinterpret_cast<const char*>(place);
  place = std::copy_n(line.data(), text, place);
  place = std::copy_n(use.bytes.data(), use.size, place);
  if (text != 0) numbers_.emplace(std::string_view(kept, text), number);
  if (at) last_ = *at;
  used_ += define.size + text + use.size;
  // Whoever is killed between two instructions leaves only whole entries behind.
  const auto used = static_cast<std::uint32_t>(used_);
  std::atomic_signal_fence(std::memory_order_release);
  std::memcpy(segment(current_).data() + offsetof(SegmentHead, used), &used, sizeof used);
  return true;
}

std::optional<RecordRing::Content> RecordRing::read(std::span<const std::uint8_t> memory,
                                                    std::size_t most_text, const Line& line) {
  std::uint32_t magic = 0;
  if (memory.size() != kBytes) return std::nullopt;
  std::memcpy(&magic, memory.data(), sizeof magic);
  if (magic != kMagic) return std::nullopt;
  std::vector<std::pair<SegmentHead, std::span<const std::uint8_t>>> parts;
  for (std::size_t i = 0; i < kSegments; ++i) {
    const auto segment = memory.subspan(kHeadBytes + i * kSegmentBytes, kSegmentBytes);
    const SegmentHead head = head_of(segment);
    if (head.sequence == 0 || head.used == 0 || head.used > kSegmentBytes - sizeof head) continue;
    parts.emplace_back(head, segment.subspan(sizeof head, head.used));
  }
  if (parts.empty()) return std::nullopt;
  std::sort(parts.begin(), parts.end(), [](const auto& one, const auto& other) {
    return one.first.sequence > other.first.sequence;
  });
  const std::uint32_t content = parts.front().first.content;
  std::size_t size = 0;
  std::size_t count = 0;
  for (const auto& [head, entries] : parts) {
    if (head.content != content) break;
    size += text_size(entries);
    if (count > 0 && size > most_text) break;
    ++count;
  }
  for (std::size_t i = count; i > 0; --i) {
    Reader reader(parts[i - 1].second);
    while (reader.next(line)) {
    }
  }
  return content == static_cast<std::uint32_t>(Content::everything) ? Content::everything
                                                                    : Content::changes;
}

}  // namespace holdfast::vrrp
