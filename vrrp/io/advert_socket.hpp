// One raw socket for one interface, for sending and receiving adverts of all virtual routers there.
#pragma once

#include "core/result.hpp"
#include "runtime/unique_fd.hpp"
#include "vrrp/core/action.hpp"

#include <array>
#include <bitset>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace holdfast::vrrp {

/// Packets read in one wake-up from one socket. What is left waits for the next wake-up, and
/// decisions go on without it.
inline constexpr std::size_t kMaxDrainPackets = 4096;
/// Packets in one system call.
inline constexpr std::size_t kBatchPackets = 64;
/// Longest advert: IP header with options (60), 8 bytes, 255 addresses, authentication.
inline constexpr std::size_t kMaxPacketBytes = 60 + 8 + 4 * 255 + 8;

/// Room for one recvmmsg, shared by all sockets of the process.
struct ReceiveBuffer {
  std::array<std::array<std::uint8_t, kMaxPacketBytes>, kBatchPackets> packets{};
};

/// Packets to send together. Keeps some of its memory between wake-ups.
class PacketQueue {
 public:
  /// Room that is kept: for some tens of adverts with one address each.
  static constexpr std::size_t kKeptPackets = 64;
  static constexpr std::size_t kKeptBytes = 2560;

  /// Adds the packet for one destination of an advert; `tag` is the caller's word for the advert.
  void add(const SendAdvert& advert, const IpAddress& destination, std::size_t tag);
  void clear();
  [[nodiscard]] bool empty() const { return packets_.empty(); }
  [[nodiscard]] std::size_t size() const { return packets_.size(); }
  [[nodiscard]] std::span<std::uint8_t> packet(std::size_t index);
  [[nodiscard]] const IpAddress& destination(std::size_t index) const {
    return packets_[index].destination;
  }
  [[nodiscard]] std::size_t tag(std::size_t index) const { return packets_[index].tag; }

 private:
  struct Packet {
    std::size_t end = 0;  // in bytes_
    std::size_t tag = 0;
    IpAddress destination;
  };
  std::vector<std::uint8_t> bytes_;
  std::vector<Packet> packets_;
};

class AdvertSocket {
 public:
  /// Joins 224.0.0.18 on the interface; own packets are not heard. Hears nothing before set_vrids.
  [[nodiscard]] static core::Result<AdvertSocket> open(const std::string& interface,
                                                       std::uint32_t index);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::uint32_t index() const { return index_; }
  /// The virtual routers whose packets may wake us; nothing is lost while the filter is exchanged.
  /// After a failure the former ones are heard: the caller must not go on as if the new ones were.
  [[nodiscard]] core::Result<void> set_vrids(const std::set<std::uint8_t>& vrids);

  enum class Drained : std::uint8_t { all, bound_reached };
  /// Calls `take` for each waiting packet (from its IP header on), at most kMaxDrainPackets.
  Drained drain(ReceiveBuffer& buffer,
                const std::function<void(std::span<const std::uint8_t>)>& take);
  /// Sends all with as few calls as possible; `refused` hears of each packet that the kernel did
  /// not take, the others are sent all the same.
  void send(PacketQueue& queue, const std::function<void(std::size_t index, int error)>& refused);

 private:
  AdvertSocket(runtime::UniqueFd fd, std::uint32_t index) : fd_(std::move(fd)), index_(index) {}

  runtime::UniqueFd fd_;
  std::uint32_t index_ = 0;
  std::bitset<256> vrids_;
};

}  // namespace holdfast::vrrp
