#include "runtime/tidings.hpp"

#include "runtime/message_fields.hpp"

namespace holdfast::runtime {
namespace {

// Behind those of script_messages.cpp.
constexpr std::uint8_t kTidings = 3;
constexpr std::uint8_t kReport = 4;

}  // namespace

std::vector<std::uint8_t> encode(const Tidings& tidings) {
  std::vector<std::uint8_t> bytes;
  core::ByteWriter out(bytes);
  out.u8(kTidings);
  put(out, tidings.id);
  put(out, tidings.subject);
  out.u8(static_cast<std::uint8_t>(tidings.scope));
  put(out, tidings.line);
  put(out, tidings.title);
  put(out, tidings.body);
  out.u32(tidings.lost);
  return bytes;
}

std::vector<std::uint8_t> encode(const TidingsReport& report) {
  std::vector<std::uint8_t> bytes;
  core::ByteWriter out(bytes);
  out.u8(kReport);
  put(out, report.id);
  out.u8(static_cast<std::uint8_t>(report.what));
  return bytes;
}

std::optional<Tidings> decode_tidings(std::span<const std::uint8_t> bytes) {
  core::ByteReader in(bytes);
  if (in.u8() != kTidings) return std::nullopt;
  Tidings tidings;
  tidings.id = take_number(in);
  tidings.subject = take_text(in);
  const std::uint8_t scope = in.u8();
  tidings.line = take_text(in);
  tidings.title = take_text(in);
  tidings.body = take_text(in);
  tidings.lost = in.u32();
  if (!in.ok() || in.remaining() != 0) return std::nullopt;
  if (scope > static_cast<std::uint8_t>(Tidings::Scope::lvs)) return std::nullopt;
  tidings.scope = static_cast<Tidings::Scope>(scope);
  return tidings;
}

std::optional<TidingsReport> decode_tidings_report(std::span<const std::uint8_t> bytes) {
  core::ByteReader in(bytes);
  if (in.u8() != kReport) return std::nullopt;
  TidingsReport report;
  report.id = take_number(in);
  const std::uint8_t what = in.u8();
  if (!in.ok() || in.remaining() != 0) return std::nullopt;
  if (what > static_cast<std::uint8_t>(TidingsReport::What::settled)) return std::nullopt;
  report.what = static_cast<TidingsReport::What>(what);
  return report;
}

}  // namespace holdfast::runtime
