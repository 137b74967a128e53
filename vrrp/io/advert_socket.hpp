// One raw socket for one interface and family, for sending and receiving adverts of all virtual
// routers there.
#pragma once

#include "core/result.hpp"
#include "runtime/unique_fd.hpp"
#include "vrrp/core/action.hpp"
#include "vrrp/core/codec.hpp"
#include "vrrp/io/vrid_filter.hpp"

#include <array>
#include <bitset>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace holdfast::vrrp {

/// Packets in one system call.
inline constexpr std::size_t kBatchPackets = 64;
/// Longest advert over IPv4: IP header with options (60), 8 bytes, 255 addresses, authentication,
/// and a trailer (28; an authentication header is shorter).
inline constexpr std::size_t kMaxPacketBytes = 60 + 8 + 4 * 255 + 8 + kTrailerBytes;
/// Longest one over IPv6, without header: 8 bytes, 255 addresses, a trailer.
inline constexpr std::size_t kMaxV6PayloadBytes = 8 + 16 * 255 + kTrailerBytes;

/// Room for one recvmmsg, shared by all sockets of the process.
struct ReceiveBuffer {
  std::array<std::uint8_t, kBatchPackets * kMaxPacketBytes> bytes{};
};

/// Packets to send together. Keeps some of its memory between wake-ups.
class PacketQueue {
 public:
  /// Room that is kept: for each number of an interface an advert with one address. What is never
  /// filled is never made.
  static constexpr std::size_t kKeptPackets = 256;
  static constexpr std::size_t kKeptBytes = 10'240;

  struct Packet {
    std::size_t end = 0;  ///< in the bytes of all
    std::size_t tag = 0;
    IpAddress source;
    IpAddress destination;
    std::uint8_t hop_limit = 0;
  };

  /// Adds one letter of an advert, over IPv4 with its header; `tag` is the caller's word for the
  /// advert.
  void add(const SendAdvert& advert, const Letter& letter, std::size_t tag);
  void clear();
  [[nodiscard]] bool empty() const { return packets_.empty(); }
  [[nodiscard]] std::size_t size() const { return packets_.size(); }
  [[nodiscard]] std::span<std::uint8_t> bytes(std::size_t index);
  [[nodiscard]] const Packet& operator[](std::size_t index) const { return packets_[index]; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::vector<Packet> packets_;
};

/// What a socket shall hear.
struct Ears {
  std::set<std::uint8_t> vrids;
  std::set<IpAddress> groups;
};

/// What of that a socket does not hear.
struct Deafness {
  std::set<IpAddress> groups;  ///< That could not be joined; empty: all of it.
  std::string sentence;        ///< Why. Empty: it hears everything.
  bool operator==(const Deafness&) const = default;
};

class AdvertSocket {
 public:
  /// Own packets are not heard. Hears nothing before listen_to.
  /// Sends any advert of its family, whatever it hears. `interface` empty, `index` 0: bound to
  /// none, for unicast by the kernel's routes.
  [[nodiscard]] static core::Result<AdvertSocket> open(const std::string& interface,
                                                       std::uint32_t index, core::Family family,
                                                       Carrier carrier = Carrier::ip);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::uint32_t index() const { return index_; }
  /// The virtual routers whose packets may wake us, and the groups to be a member of; nothing is
  /// lost while the filter is exchanged. One that cannot be joined is no obstacle to the others:
  /// the caller must not go on as if it were heard.
  [[nodiscard]] Deafness listen_to(const Ears& wanted);

  /// That it is a member of.
  [[nodiscard]] const std::set<IpAddress>& groups() const { return groups_; }

  enum class Drained : std::uint8_t { all, bound_reached };
  /// Calls `take` for each waiting packet, at most `bound` and what one system call reads beyond;
  /// the interface is the caller's to fill in.
  Drained drain(ReceiveBuffer& buffer, std::size_t bound,
                const std::function<void(Decoded<Received>)>& take);
  /// Sends all with as few calls as possible; `refused` hears of each packet that the kernel did
  /// not take, the others are sent all the same.
  void send(PacketQueue& queue, const std::function<void(std::size_t index, int error)>& refused);

 private:
  AdvertSocket(runtime::UniqueFd fd, std::uint32_t index, core::Family family, Carrier carrier)
      : fd_(std::move(fd)), index_(index), family_(family), carrier_(carrier) {}

  [[nodiscard]] Deafness join(const std::set<IpAddress>& groups);
  [[nodiscard]] bool set_membership(const IpAddress& group, int option) const;

  runtime::UniqueFd fd_;
  std::uint32_t index_ = 0;
  core::Family family_;
  Carrier carrier_;
  std::bitset<256> vrids_;
  std::set<IpAddress> groups_;
};

}  // namespace holdfast::vrrp
