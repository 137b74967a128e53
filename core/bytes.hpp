// Reading and writing network-order fields with bounds checks. Used by every codec; never reads
// past the end.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace holdfast::core {

/// Takes fields off the front of a buffer. After the first field that does not fit, ok() is false
/// and every further field reads as zero: a decoder checks once, at the end.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}
  [[nodiscard]] std::uint8_t u8();
  [[nodiscard]] std::uint16_t u16();
  [[nodiscard]] std::uint32_t u32();
  /// A view of the next `count` bytes; empty when they are not there.
  [[nodiscard]] std::span<const std::uint8_t> take(std::size_t count);
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::span<const std::uint8_t> rest_;
  bool ok_ = true;
};

/// Appends network-order fields to a buffer owned by the caller, which may reuse it between
/// packets.
class ByteWriter {
 public:
  explicit ByteWriter(std::vector<std::uint8_t>& out) : out_(out) {}
  void u8(std::uint8_t value) { out_.push_back(value); }
  void u16(std::uint16_t value);
  void u32(std::uint32_t value);
  void put(std::span<const std::uint8_t> bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  /// Overwrites two bytes at `offset`, for checksums and lengths known only at the end.
  void patch_u16(std::size_t offset, std::uint16_t value);
  [[nodiscard]] std::size_t size() const { return out_.size(); }

 private:
  std::vector<std::uint8_t>& out_;
};

}  // namespace holdfast::core
