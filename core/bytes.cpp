#include "core/bytes.hpp"

#include "core/assertion.hpp"

namespace holdfast::core {

std::span<const std::uint8_t> ByteReader::take(std::size_t count) {
  if (count > rest_.size()) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const auto taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

std::uint8_t ByteReader::u8() {
  const auto field = take(1);
  return field.empty() ? std::uint8_t{0} : field[0];
}

std::uint16_t ByteReader::u16() {
  const auto field = take(2);
  return field.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(field[0] << 8 | field[1]);
}

std::uint32_t ByteReader::u32() {
  const std::uint32_t high = u16();
  return high << 16 | u16();
}

void ByteWriter::u16(std::uint16_t value) {
  u8(static_cast<std::uint8_t>(value >> 8));
  u8(static_cast<std::uint8_t>(value & 0xff));
}

void ByteWriter::u32(std::uint32_t value) {
  u16(static_cast<std::uint16_t>(value >> 16));
  u16(static_cast<std::uint16_t>(value & 0xffff));
}

void ByteWriter::patch_u16(std::size_t offset, std::uint16_t value) {
  HOLDFAST_ASSERT(offset + 2 <= out_.size(), "a field is patched only after it was written");
  out_[offset] = static_cast<std::uint8_t>(value >> 8);
  out_[offset + 1] = static_cast<std::uint8_t>(value & 0xff);
}

}  // namespace holdfast::core
