// Every kind of value that a recording holds, as text and back: `to_text(value)` and
// `from_text(text, value)` are each other's reverse. from_text throws FormatError.
#pragma once

#include "vrrp/core/situation.hpp"
#include "vrrp/scenario/words.hpp"

#include <fmt/format.h>

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

namespace holdfast::vrrp::scenario {

using Octets = std::array<std::uint8_t, 8>;

template <std::integral Number>
[[nodiscard]] std::string to_text(Number number) {
  return fmt::format("{}", number);
}
template <std::integral Number>
void from_text(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty())
    throw FormatError(fmt::format("'{}' is no number of this range", text));
}

[[nodiscard]] std::string to_text(bool flag);
void from_text(std::string_view text, bool& flag);
[[nodiscard]] std::string to_text(const std::string& text);
void from_text(std::string_view text, std::string& value);
[[nodiscard]] std::string to_text(const core::RareText& text);
void from_text(std::string_view text, core::RareText& value);
/// Seconds with up to six digits behind the point: exact microseconds.
[[nodiscard]] std::string to_text(Duration duration);
void from_text(std::string_view text, Duration& duration);
[[nodiscard]] std::string to_text(Instant instant);
void from_text(std::string_view text, Instant& instant);
[[nodiscard]] std::string to_text(const IpAddress& address);
void from_text(std::string_view text, IpAddress& address);
/// "eth0/51/224.0.0.18".
[[nodiscard]] std::string to_text(const RouterKey& key);
void from_text(std::string_view text, RouterKey& key);
[[nodiscard]] std::string to_text(const std::vector<IpAddress>& addresses);
void from_text(std::string_view text, std::vector<IpAddress>& addresses);
/// "192.0.2.1/24,dev=eth1,label=eth1:0,brd=192.0.2.255,scope=253;192.0.2.2".
[[nodiscard]] std::string to_text(const AddressList& addresses);
void from_text(std::string_view text, AddressList& addresses);
[[nodiscard]] std::string to_text(const Octets& octets);
void from_text(std::string_view text, Octets& octets);
[[nodiscard]] std::string to_text(const core::ReasonSet& reasons);
void from_text(std::string_view text, core::ReasonSet& reasons);
[[nodiscard]] std::string to_text(RejectReason reason);
void from_text(std::string_view text, RejectReason& reason);
/// "bad_checksum,10.0.0.2,1234.5,1230.0,no": told_at is "-" when it never was.
[[nodiscard]] std::string to_text(const PeerRemarks& remarks);
void from_text(std::string_view text, PeerRemarks& remarks);
/// "10.0.0.2,0,255;10.0.0.3,254,255": peers with their windows.
[[nodiscard]] std::string to_text(const std::vector<UnicastPeer>& peers);
void from_text(std::string_view text, std::vector<UnicastPeer>& peers);
/// "1,00ff…;2,17…": numbers and bytes. What stands there is hidden already, see pseudonyms.hpp.
[[nodiscard]] std::string to_text(const std::vector<SigningKey>& keys);
void from_text(std::string_view text, std::vector<SigningKey>& keys);
/// "10.0.0.2,7689123,1": stamp and key.
[[nodiscard]] std::string to_text(const std::vector<SignedPeer>& peers);
void from_text(std::string_view text, std::vector<SignedPeer>& peers);
/// "10.0.0.2,with_pseudo_header,7".
[[nodiscard]] std::string to_text(const Dialects& dialects);
void from_text(std::string_view text, Dialects& dialects);

/// "script:chk".
[[nodiscard]] std::string to_text(const TrackerId& tracker);
void from_text(std::string_view text, TrackerId& tracker);
/// "script:chk,-30,yes;interface:eth1,0,no": with weight, and whether it is reversed.
[[nodiscard]] std::string to_text(const std::vector<Tracker>& trackers);
void from_text(std::string_view text, std::vector<Tracker>& trackers);
/// "good", "bad" or a file's number; 0 and 1 are bad and good.
[[nodiscard]] std::string to_text(const Verdict& verdict);
void from_text(std::string_view text, Verdict& verdict);
/// "script:chk=good;file:load=30".
[[nodiscard]] std::string to_text(const Verdicts& verdicts);
void from_text(std::string_view text, Verdicts& verdicts);

/// "vrrp.51=a sentence;vrrp.52=…".
/// "198.51.100.2=192.0.2.1,…": address_parts.cpp.
[[nodiscard]] std::string to_text(const std::map<IpAddress, IpAddress>& addresses);
void from_text(std::string_view text, std::map<IpAddress, IpAddress>& addresses);
[[nodiscard]] std::string to_text(const std::map<std::string, std::string>& sentences);
void from_text(std::string_view text, std::map<std::string, std::string>& sentences);

/// The words of an enumeration, by value.
template <class Enum>
struct EnumNames;
template <>
struct EnumNames<InitialState> {
  static constexpr std::array<std::string_view, 3> kAll{"unset", "backup", "master"};
};
template <>
struct EnumNames<Preempt> {
  static constexpr std::array<std::string_view, 2> kAll{"no", "yes"};
};
template <>
struct EnumNames<AdvertsFrom> {
  static constexpr std::array<std::string_view, 2> kAll{"interface", "device"};
};
template <>
struct EnumNames<AuthenticationType> {
  static constexpr std::array<std::string_view, 3> kAll{"none", "password", "header"};
};
template <>
struct EnumNames<SigningMode> {
  static constexpr std::array<std::string_view, 3> kAll{"enforce", "permissive", "receive_only"};
};
template <>
struct EnumNames<AntiReplay> {
  static constexpr std::array<std::string_view, 2> kAll{"time", "monotonic"};
};
template <>
struct EnumNames<core::Family> {
  static constexpr std::array<std::string_view, 2> kAll{"ipv4", "ipv6"};
};
template <>
struct EnumNames<SourceTracking> {
  static constexpr std::array<std::string_view, 2> kAll{"no", "yes"};
};
template <>
struct EnumNames<Senders> {
  static constexpr std::array<std::string_view, 2> kAll{"anybody", "listed"};
};
template <>
struct EnumNames<ChecksumChoice> {
  static constexpr std::array<std::string_view, 2> kAll{"as_peer", "without_pseudo_header"};
};
template <>
struct EnumNames<ChecksumForm> {
  static constexpr std::array<std::string_view, 3> kAll{"with_pseudo_header",
                                                        "without_pseudo_header", "with_group"};
};
template <>
struct EnumNames<AddressListPolicy> {
  static constexpr std::array<std::string_view, 2> kAll{"report", "drop"};
};
template <>
struct EnumNames<AddressListCheck> {
  static constexpr std::array<std::string_view, 2> kAll{"every_advert", "new_sender"};
};
template <>
struct EnumNames<PrimaryTracking> {
  static constexpr std::array<std::string_view, 2> kAll{"no", "yes"};
};
template <>
struct EnumNames<OwnerReceive> {
  static constexpr std::array<std::string_view, 2> kAll{"process", "discard"};
};
template <>
struct EnumNames<LowerPriorityAnswer> {
  static constexpr std::array<std::string_view, 3> kAll{"advert", "announce", "none"};
};
template <>
struct EnumNames<TrackerKind> {
  static constexpr std::array<std::string_view, 5> kAll{"interface", "script", "file", "process",
                                                        "static"};
};
template <>
struct EnumNames<Reverse> {
  static constexpr std::array<std::string_view, 2> kAll{"no", "yes"};
};
template <>
struct EnumNames<Leaving> {
  static constexpr std::array<std::string_view, 3> kAll{"no", "stopped", "removed"};
};
template <>
struct EnumNames<core::ScriptEnd> {
  static constexpr std::array<std::string_view, 6> kAll{"exited",  "signalled", "not-started",
                                                        "refused", "skipped",   "lost"};
};
template <>
struct EnumNames<core::EndedBy> {
  static constexpr std::array<std::string_view, 4> kAll{"itself", "newer-state", "time-limit",
                                                        "farewell"};
};
template <>
struct EnumNames<StateName> {
  static constexpr std::array<std::string_view, 4> kAll{"init", "backup", "master", "fault"};
};

template <class Enum>
requires std::is_enum_v<Enum>
[[nodiscard]] std::string to_text(Enum value) {
  return std::string(EnumNames<Enum>::kAll.at(static_cast<std::size_t>(value)));
}
template <class Enum>
requires std::is_enum_v<Enum>
void from_text(std::string_view text, Enum& value) {
  for (std::size_t i = 0; i < EnumNames<Enum>::kAll.size(); ++i) {
    if (EnumNames<Enum>::kAll[i] != text) continue;
    value = static_cast<Enum>(i);
    return;
  }
  throw FormatError(fmt::format("'{}' is none of {}", text, fmt::join(EnumNames<Enum>::kAll, " ")));
}

}  // namespace holdfast::vrrp::scenario
