#include "checkers/core/dns.hpp"

#include "core/bytes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace holdfast::checkers {
namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxName = 255;
constexpr std::uint16_t kInternet = 1;
constexpr std::uint16_t kRecursionDesired = 0x0100;
constexpr std::uint16_t kIsAnswer = 0x8000;
constexpr std::uint16_t kIsCut = 0x0200;

struct Type {
  std::string_view name;
  std::uint16_t number;
};
constexpr std::array kTypes{Type{"A", 1},     Type{"NS", 2},     Type{"CNAME", 5},
                            Type{"SOA", 6},   Type{"MX", 15},    Type{"TXT", 16},
                            Type{"AAAA", 28}, Type{"RRSIG", 46}, Type{"DNSKEY", 48}};

/// RFC 1035 §4.1.1, RFC 2136 §2.2.
constexpr std::array<std::string_view, 11> kCodes{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                                  "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                                  "NXRRSET", "NOTAUTH", "NOTZONE"};

std::string code_name(unsigned code) {
  return code < kCodes.size() ? std::string(kCodes[code]) : fmt::format("code {}", code);
}

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

core::ByteReader reader_of(std::string_view bytes) {
  return core::ByteReader(
      std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

/// Appends the labels; false: they make no name.
bool write_name(std::string_view name, core::ByteWriter& out) {
  if (name.ends_with('.')) name.remove_suffix(1);
  const std::size_t begin = out.size();
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    const bool is_last = label.size() == name.size();
    if (label.empty() || label.size() > kMaxLabel || name.ends_with('.')) return false;
    out.u8(static_cast<std::uint8_t>(label.size()));
    out.put({reinterpret_cast<const std::uint8_t*>(label.data()), label.size()});
    name.remove_prefix(is_last ? label.size() : label.size() + 1);
  }
  out.u8(0);
  return out.size() - begin <= kMaxName;
}

}  // namespace

std::optional<std::uint16_t> dns_type(std::string_view name) {
  const auto* found = std::ranges::find(kTypes, name, &Type::name);
  return found == kTypes.end() ? std::nullopt : std::optional(found->number);
}

std::string dns_type_name(std::uint16_t type) {
  const auto* found = std::ranges::find(kTypes, type, &Type::number);
  return found == kTypes.end() ? fmt::format("{}", type) : std::string(found->name);
}

std::string dns_question(const DnsProbe& probe, std::uint16_t id) {
  std::vector<std::uint8_t> bytes;
  core::ByteWriter out(bytes);
  out.u16(id);
  out.u16(kRecursionDesired);
  for (const std::uint16_t count : std::array<std::uint16_t, 4>{1, 0, 0, 0}) out.u16(count);
  if (!write_name(probe.name, out)) return {};
  out.u16(probe.type);
  out.u16(kInternet);
  return {bytes.begin(), bytes.end()};
}

bool DnsExchange::repeats_the_question(std::string_view answer) const {
  const std::string_view asked = std::string_view(request_).substr(kHeaderBytes);
  const std::string_view there = answer.substr(kHeaderBytes, asked.size());
  return std::ranges::equal(asked, there, {}, lower, lower);  // RFC 1035 §2.3.3
}

Hearing DnsExchange::hear(std::string_view datagram) {
  if (datagram.size() < kHeaderBytes)
    return Verdict{
        failed(Cause::malformed_reply,
               fmt::format("an answer of {} bytes: no DNS message is so short", datagram.size()))};
  core::ByteReader in = reader_of(datagram);
  const std::uint16_t id = in.u16();
  const std::uint16_t flags = in.u16();
  const std::uint16_t questions = in.u16();
  const std::uint16_t answers = in.u16();
  // Some leave the question out where they refuse: unbound.
  if (id != reader_of(request_).u16() || (questions != 0 && !repeats_the_question(datagram))) {
    heard_others_ = true;
    return NeedMore{};
  }
  if ((flags & kIsAnswer) == 0)
    return Verdict{failed(Cause::malformed_reply, "the question came back instead of an answer")};
  if ((flags & 15) != 0) return refused(flags & 15);
  if ((flags & kIsCut) != 0) return AskByStream{};
  return Verdict{passed(fmt::format("NOERROR, {} answer(s)", answers))};
}

Verdict DnsExchange::refused(unsigned code) const {
  std::string reason =
      fmt::format("{} {}: {}", probe_.name, dns_type_name(probe_.type), code_name(code));
  constexpr unsigned kRefused = 5;
  if (code == kRefused && probe_.name == ".")
    reason += "; who does not serve the root refuses this question: 'name' asks another one";
  return Verdict{failed(Cause::wrong_status, std::move(reason))};
}

Outcome DnsExchange::on_silence(core::Duration waited) const {
  return failed(Cause::timeout,
                silence_text(waited) + (heard_others_ ? ", only answers to other questions" : ""));
}

Step DnsDialogue::advance(std::string_view received, bool peer_closed) {
  if (request_.empty()) {
    const std::string& question = exchange_.request();
    request_ = {static_cast<char>(question.size() >> 8), static_cast<char>(question.size() & 255)};
    request_ += question;
    return Send{request_};
  }
  received_.append(received);
  while (received_.size() >= 2) {
    const std::size_t length = reader_of(received_).u16();
    if (received_.size() < 2 + length) break;
    const Hearing heard = exchange_.hear(std::string_view(received_).substr(2, length));
    received_.erase(0, 2 + length);
    if (const auto* verdict = std::get_if<Verdict>(&heard)) return *verdict;
    if (std::holds_alternative<AskByStream>(heard))
      return Verdict{failed(Cause::malformed_reply, "the answer is cut, by TCP, too")};
  }
  if (peer_closed)
    return Verdict{
        failed(Cause::closed_early, "the server closed the TCP connection without an answer")};
  return NeedMore{};
}

}  // namespace holdfast::checkers
