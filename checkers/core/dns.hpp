// DNS_CHECK: one question, by datagram first, by TCP where the answer is cut. RFC 1035. Only the
// header and the question of an answer are read: that is what the verdict depends on. Pure.
#pragma once

#include "checkers/core/exchange.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::checkers {

/// "SOA" → 6; nullopt: not one of DNS_CHECK's.
[[nodiscard]] std::optional<std::uint16_t> dns_type(std::string_view name);
/// "SOA", or the number.
[[nodiscard]] std::string dns_type_name(std::uint16_t type);

/// The question as sent, recursion desired. Empty: the name is no domain name (RFC 1035 §2.3.4).
[[nodiscard]] std::string dns_question(const DnsProbe& probe, std::uint16_t id);

class DnsExchange {
 public:
  /// `id`: not to be guessed. The name is one (dns_question()).
  DnsExchange(DnsProbe probe, std::uint16_t id)
      : probe_(std::move(probe)), request_(dns_question(probe_, id)) {}

  [[nodiscard]] const std::string& request() const { return request_; }
  /// What answers another question, or another number, is passed over: it may be anybody's.
  [[nodiscard]] Hearing hear(std::string_view datagram);
  [[nodiscard]] core::Duration patience(core::Duration timeout) const { return timeout; }
  [[nodiscard]] Outcome on_silence(core::Duration waited) const;

 private:
  [[nodiscard]] bool repeats_the_question(std::string_view answer) const;
  [[nodiscard]] Verdict refused(unsigned code) const;

  DnsProbe probe_;
  std::string request_;
  bool heard_others_ = false;
};

/// The same by TCP: RFC 1035 §4.2.2, each message behind its length.
class DnsDialogue {
 public:
  DnsDialogue(DnsProbe probe, std::uint16_t id) : exchange_(std::move(probe), id) {}

  [[nodiscard]] Step advance(std::string_view received, bool peer_closed);

 private:
  DnsExchange exchange_;
  std::string request_;
  std::string received_;  // at most one message and a reading
};

}  // namespace holdfast::checkers
