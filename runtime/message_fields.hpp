// Fields of the messages between processes of this binary: numbers, texts, durations, lists.
#pragma once

#include "core/bytes.hpp"
#include "core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::runtime {

inline void put(core::ByteWriter& out, std::uint64_t number) {
  out.u32(static_cast<std::uint32_t>(number >> 32));
  out.u32(static_cast<std::uint32_t>(number));
}
inline std::uint64_t take_number(core::ByteReader& in) {
  const std::uint64_t high = in.u32();
  return high << 32 | in.u32();
}

inline void put(core::ByteWriter& out, std::string_view text) {
  out.u32(static_cast<std::uint32_t>(text.size()));
  out.put({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}
inline std::string take_text(core::ByteReader& in) {
  const auto bytes = in.take(in.u32());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline void put(core::ByteWriter& out, core::Duration duration) {
  put(out, static_cast<std::uint64_t>(duration.count()));
}
inline core::Duration take_duration(core::ByteReader& in) {
  return core::Duration(static_cast<std::int64_t>(take_number(in)));
}

/// How many entries follow. Each takes four bytes at least, so a wrong number cannot cost memory.
inline std::size_t take_count(core::ByteReader& in) {
  const std::uint32_t count = in.u32();
  if (count <= in.remaining() / 4) return count;
  static_cast<void>(in.take(in.remaining() + 1));  // from here on nothing is well-formed
  return 0;
}

inline void put(core::ByteWriter& out, const std::vector<std::string>& texts) {
  out.u32(static_cast<std::uint32_t>(texts.size()));
  for (const std::string& text : texts) put(out, std::string_view(text));
}
inline std::vector<std::string> take_texts(core::ByteReader& in) {
  std::vector<std::string> texts;
  for (std::size_t count = take_count(in); count > 0 && in.ok(); --count)
    texts.push_back(take_text(in));
  return texts;
}

}  // namespace holdfast::runtime
