// VRRP adverts, version 2 and 3, as bytes. Pure; used by instances, the simulator and the fuzzer;
// the headers around them are io's. Decoding answers "is this a well-formed advert"; whether we
// want it is receive.hpp's question.
#pragma once

#include "vrrp/core/settings.hpp"

#include <boost/system/result.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace holdfast::vrrp {

inline constexpr std::uint8_t kIpProtocolVrrp = 112;  ///< RFC 3768 §5.2.4.
inline constexpr std::size_t kAdvertHeaderBytes = 8;  ///< Fixed part of an advert.
/// At the end of every VRRPv2 advert, RFC 3768 §5.1.
inline constexpr std::size_t kAuthenticationBytes = 8;
inline constexpr std::size_t kChecksumOffset = 6;  ///< RFC 3768 §5.1, RFC 9568 §5.2.
/// Behind a signed advert, see trailer.hpp.
inline constexpr std::size_t kTrailerBytes = 28;

/// What surrounds an advert and decides how its bytes are read and written.
struct Envelope {
  std::uint8_t version = 2;  ///< That we speak; nothing else is read.
  IpAddress source = {};     ///< With destination: part of version 3's checksum.
  IpAddress destination = {};
};

/// One advertisement, RFC 3768 §5.1 or RFC 9568 §5.1.
struct Advert {
  std::uint8_t version = 2;
  std::uint8_t vrid = 0;
  std::uint8_t priority = 0;
  /// Advertisement interval; on the wire whole seconds in version 2, hundredths in version 3.
  Duration interval = std::chrono::seconds(1);
  /// Version 2, as received: 0 none, 1 password, 2 (AH) and others are kept so that receive checks
  /// can name them.
  std::uint8_t authentication_type = 0;
  std::array<std::uint8_t, kAuthenticationBytes> authentication_data{};
  std::vector<IpAddress> addresses;
  ChecksumForm checksum = ChecksumForm::with_pseudo_header;  ///< Version 3.

  bool operator==(const Advert&) const = default;
};

/// Why bytes are no advert of our version. In the order of the checks; those about the IP header
/// are io's.
enum class DecodeError : std::uint8_t {
  truncated,     ///< Shorter than the IPv4 header it claims, or than a VRRP header.
  not_ipv4,      ///< IP version or header length make no sense.
  not_vrrp,      ///< IP protocol is not 112.
  fragmented,    ///< A fragment: adverts never need one.
  bad_ah,        ///< An authentication header that nobody sends before VRRP.
  carp,          ///< A CARP speaker (pfSense, OpenBSD, ucarp) on our group and protocol number.
  bad_version,   ///< Another VRRP version than ours.
  bad_type,      ///< Not type 1 (advertisement).
  no_addresses,  ///< Count of addresses is 0.
  bad_length,    ///< Too short for the addresses it claims plus authentication data.
  no_interval,   ///< Version 3: an interval of 0, RFC 9568 erratum 8301.
  bad_checksum,
};
[[nodiscard]] std::string_view to_string(DecodeError error);
[[noreturn]] inline void throw_exception_from_error(DecodeError, const boost::source_location&) {
  throw std::logic_error("value() of a failed decode");  // only by a caller that did not check
}

template <class T>
using Decoded = boost::system::result<T, DecodeError>;

/// Reads one advert (what follows the IP header). Bytes after its claimed end are tolerated and not
/// covered by the checksum, but for a trailer over IPv6.
[[nodiscard]] Decoded<Advert> decode_advert(std::span<const std::uint8_t> payload,
                                            const Envelope& envelope = {});

/// What the checksum field of an advert of this form should hold. For packets that decode_advert
/// has found to be long enough; nothing else is read.
[[nodiscard]] std::uint16_t expected_checksum(std::span<const std::uint8_t> payload,
                                              const Envelope& envelope, ChecksumForm form);
/// How long an advert is by what its header says; nullopt: it is too short to say so.
[[nodiscard]] std::optional<std::size_t> claimed_bytes(std::span<const std::uint8_t> payload,
                                                       const Envelope& envelope);
/// Writes the checksum of an advert over IPv6 anew, over all of `payload`.
void put_checksum(std::span<std::uint8_t> payload, const Envelope& envelope);

/// The advert an instance would send with this priority.
[[nodiscard]] Advert make_advert(const InstanceSettings& settings, std::uint8_t priority);

/// Appends the advert, checksum included. At most 255 addresses, all of the envelope's family: the
/// configuration sees to it.
void encode_advert(const Advert& advert, std::vector<std::uint8_t>& out,
                   const Envelope& envelope = {});

}  // namespace holdfast::vrrp
