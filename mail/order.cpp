#include "mail/order.hpp"

#include "runtime/message_fields.hpp"

namespace holdfast::mail {

using runtime::put;
using runtime::take_count;
using runtime::take_duration;
using runtime::take_text;
using runtime::take_texts;

std::vector<std::uint8_t> encode(const Order& order) {
  std::vector<std::uint8_t> bytes;
  core::ByteWriter out(bytes);
  put(out, order.relay);
  out.u16(order.port);
  put(out, order.patience);
  put(out, order.helo);
  out.u8(static_cast<std::uint8_t>(order.keys.protection));
  for (const std::string* text :
       {&order.keys.user, &order.keys.password, &order.keys.authorities, &order.keys.name})
    put(out, *text);
  out.u32(static_cast<std::uint32_t>(order.parcels.size()));
  for (const Parcel& parcel : order.parcels) {
    put(out, parcel.sender);
    put(out, parcel.receivers);
    put(out, parcel.text);
  }
  return bytes;
}

std::vector<std::uint8_t> encode(const Report& report) {
  std::vector<std::uint8_t> bytes;
  core::ByteWriter out(bytes);
  out.u32(report.parcel);
  out.u8(static_cast<std::uint8_t>(report.delivery.verdict));
  out.u32(report.delivery.accepted);
  out.u32(report.delivery.refused);
  put(out, report.delivery.deferred);
  put(out, report.delivery.why);
  return bytes;
}

std::optional<Order> decode_order(std::span<const std::uint8_t> bytes) {
  core::ByteReader in(bytes);
  Order order;
  order.relay = take_text(in);
  order.port = in.u16();
  order.patience = take_duration(in);
  order.helo = take_text(in);
  const std::uint8_t protection = in.u8();
  for (std::string* text :
       {&order.keys.user, &order.keys.password, &order.keys.authorities, &order.keys.name})
    *text = take_text(in);
  for (std::size_t count = take_count(in); count > 0 && in.ok(); --count) {
    Parcel& parcel = order.parcels.emplace_back();
    parcel.sender = take_text(in);
    parcel.receivers = take_texts(in);
    parcel.text = take_text(in);
  }
  if (!in.ok() || in.remaining() != 0) return std::nullopt;
  if (protection > static_cast<std::uint8_t>(Protection::implicit)) return std::nullopt;
  order.keys.protection = static_cast<Protection>(protection);
  return order;
}

std::optional<Report> decode_report(std::span<const std::uint8_t> bytes) {
  core::ByteReader in(bytes);
  Report report;
  report.parcel = in.u32();
  const std::uint8_t verdict = in.u8();
  report.delivery.accepted = in.u32();
  report.delivery.refused = in.u32();
  report.delivery.deferred = take_texts(in);
  report.delivery.why = take_text(in);
  if (!in.ok() || in.remaining() != 0) return std::nullopt;
  if (verdict > static_cast<std::uint8_t>(Delivery::Verdict::later)) return std::nullopt;
  report.delivery.verdict = static_cast<Delivery::Verdict>(verdict);
  return report;
}

}  // namespace holdfast::mail
