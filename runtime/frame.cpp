#include "runtime/channel.hpp"

#include <cstring>

namespace holdfast::runtime {
namespace {

constexpr std::uint32_t kMagic = 0x48464431;  // "HFD1"
constexpr std::uint8_t kVersion = 1;

struct WireHeader {
  std::uint32_t magic;
  std::uint8_t version;
  std::uint8_t type;
  std::uint16_t text_bytes;
  std::uint64_t number;
};
static_assert(sizeof(WireHeader) == 16);

}  // namespace

std::vector<std::uint8_t> encode_frame(const Frame& frame) {
  const std::size_t text_bytes = std::min(frame.text.size(), kMaxFrameText);
  const WireHeader header{kMagic, kVersion, static_cast<std::uint8_t>(frame.type),
                          static_cast<std::uint16_t>(text_bytes), frame.number};
  std::vector<std::uint8_t> bytes(sizeof header + text_bytes);
  std::memcpy(bytes.data(), &header, sizeof header);
  if (text_bytes != 0) std::memcpy(bytes.data() + sizeof header, frame.text.data(), text_bytes);
  return bytes;
}

core::Result<Frame> decode_frame(std::span<const std::uint8_t> bytes) {
  WireHeader header{};
  if (bytes.size() < sizeof header)
    return core::fail("channel frame of {} bytes is too short", bytes.size());
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kMagic || header.version != kVersion) {
    return core::fail("channel frame is not of this version: both ends must be the same binary");
  }
  if (header.type < static_cast<std::uint8_t>(FrameType::prepare) ||
      header.type > static_cast<std::uint8_t>(FrameType::host_script)) {
    return core::fail("channel frame has unknown type {}", header.type);
  }
  if (header.text_bytes > kMaxFrameText || bytes.size() != sizeof header + header.text_bytes) {
    return core::fail("channel frame claims {} bytes of text in {} bytes", header.text_bytes,
                      bytes.size());
  }
  Frame frame;
  frame.type = static_cast<FrameType>(header.type);
  frame.number = header.number;
  frame.text.reserve(header.text_bytes);
  for (const std::uint8_t byte : bytes.subspan(sizeof header))
    frame.text.push_back(static_cast<char>(byte));
  return frame;
}

}  // namespace holdfast::runtime
