#include "checkers/core/exchange.hpp"

#include "core/bytes.hpp"
#include "core/checksum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace holdfast::checkers {
namespace {

constexpr std::size_t kIcmpHeader = 8;

struct EchoTypes {
  std::uint8_t request;
  std::uint8_t reply;
};
constexpr EchoTypes types_of(core::Family family) {
  return family == core::Family::v4 ? EchoTypes{8, 0} : EchoTypes{128, 129};
}

bool fits(char wanted, unsigned half) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return wanted == 'X' || wanted == kDigits[half & 15];
}

}  // namespace

std::string silence_text(core::Duration waited) {
  return fmt::format("no answer within {} ms",
                     std::chrono::duration_cast<std::chrono::milliseconds>(waited).count());
}

UdpExchange::UdpExchange(const UdpProbe& probe, std::string filling)
    : probe_(probe), request_(std::move(filling)) {
  if (!probe_.payload.empty()) request_.assign(probe_.payload.begin(), probe_.payload.end());
}

bool UdpExchange::matches(std::string_view datagram) const {
  if (datagram.size() * 2 < probe_.pattern.size()) return false;
  for (std::size_t i = 0; i < probe_.pattern.size(); ++i) {
    const auto byte = static_cast<unsigned char>(datagram[i / 2]);
    if (!fits(probe_.pattern[i], i % 2 == 0 ? byte >> 4 : byte)) return false;
  }
  return true;
}

Hearing UdpExchange::hear(std::string_view datagram) const {
  if (!probe_.reply_required) return Verdict{passed("answers")};
  if (datagram.size() < probe_.min_reply_length || datagram.size() > probe_.max_reply_length)
    return Verdict{failed(Cause::wrong_content,
                          fmt::format("an answer of {} bytes instead of {} to {}", datagram.size(),
                                      probe_.min_reply_length, probe_.max_reply_length))};
  if (!matches(datagram)) {
    std::string begin;
    for (const char byte : datagram.substr(0, 8))
      begin += fmt::format("{:02X}", static_cast<unsigned char>(byte));
    return Verdict{failed(Cause::wrong_content,
                          fmt::format("the answer begins with {} instead of {}",
                                      begin.empty() ? "nothing" : begin, probe_.pattern))};
  }
  return Verdict{passed("answers as expected")};
}

core::Duration UdpExchange::patience(core::Duration timeout) const {
  return probe_.reply_required ? timeout : std::max(timeout, kTellingSilence);
}

Outcome UdpExchange::on_silence(core::Duration waited) const {
  if (probe_.reply_required) return failed(Cause::timeout, silence_text(waited));
  return passed(silence_text(waited) + ", and nobody says that it is not there");
}

PingExchange::PingExchange(core::Family family, Identifier who, std::uint16_t identifier,
                           std::string token)
    : family_(family), who_(who) {
  std::vector<std::uint8_t> bytes;
  core::ByteWriter out(bytes);
  out.u8(types_of(family).request);
  out.u8(0);
  out.u16(0);  // the checksum; of IPv6 the kernel's business
  out.u16(identifier);
  out.u16(1);
  out.put({reinterpret_cast<const std::uint8_t*>(token.data()), token.size()});
  if (family == core::Family::v4) out.patch_u16(2, core::internet_checksum(bytes));
  request_.assign(bytes.begin(), bytes.end());
}

Hearing PingExchange::hear(std::string_view datagram) const {
  const std::string_view asked(request_);
  if (datagram.size() < kIcmpHeader) return NeedMore{};
  const bool is_reply =
      static_cast<std::uint8_t>(datagram[0]) == types_of(family_).reply && datagram[1] == 0;
  const bool is_ours =
      who_ == Identifier::of_the_kernel || datagram.substr(4, 2) == asked.substr(4, 2);
  if (!is_reply || !is_ours || datagram.substr(6, 2) != asked.substr(6, 2)) return NeedMore{};
  if (datagram.substr(kIcmpHeader) != asked.substr(kIcmpHeader)) return NeedMore{};
  return Verdict{passed("answers")};
}

Outcome PingExchange::on_silence(core::Duration waited) const {
  return failed(Cause::timeout, silence_text(waited));
}

}  // namespace holdfast::checkers
