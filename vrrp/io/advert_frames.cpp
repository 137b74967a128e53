#include "vrrp/io/advert_frames.hpp"

#include "core/buffer.hpp"
#include "core/bytes.hpp"
#include "vrrp/io/ipv4_header.hpp"
#include "vrrp/io/send_batches.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>

namespace holdfast::vrrp {
namespace {

/// Room that is kept between two wake-ups: some tens of adverts.
constexpr std::size_t kKeptFrames = 64;
constexpr std::size_t kKeptBytes = 4096;
constexpr std::size_t kTypeOffset = std::size_t{2} * ETH_ALEN;

/// RFC 8200 §3; CS6 as over IPv4, no flow label.
void encode_ipv6(const Departure& departure, const Letter& letter, core::ByteWriter& writer) {
  writer.u16(0x6c00);
  writer.u16(0);
  writer.u16(static_cast<std::uint16_t>(letter.payload.size()));
  writer.u8(departure.protocol);
  writer.u8(departure.hop_limit);
  writer.put(departure.source.bytes());
  writer.put(letter.destination.bytes());
  writer.put(letter.payload);
}

}  // namespace

core::MacAddress group_mac(const IpAddress& group) {
  const auto bytes = group.bytes();
  if (group.is_v4())
    return {{0x01, 0x00, 0x5e, static_cast<std::uint8_t>(bytes[1] & 0x7f), bytes[2], bytes[3]}};
  return {{0x33, 0x33, bytes[12], bytes[13], bytes[14], bytes[15]}};
}

void append_advert_frame(const core::MacAddress& sender, const Departure& departure,
                         const Letter& letter, std::uint16_t identification,
                         std::vector<std::uint8_t>& out) {
  core::ByteWriter writer(out);
  writer.put(group_mac(letter.destination).bytes);
  writer.put(sender.bytes);
  const bool is_v4 = letter.destination.is_v4();
  writer.u16(is_v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
  if (is_v4)
    encode_ipv4(departure, letter, identification, out);
  else
    encode_ipv6(departure, letter, writer);
}

void AdvertFrames::add(const Exit& exit, const SendAdvert& advert, const Letter& letter,
                       std::size_t tag) {
  const std::size_t begin = bytes_.size();
  append_advert_frame(exit.mac, *advert.departure, letter, advert.identification, bytes_);
  frames_.push_back({begin, bytes_.size(), tag, exit.index});
}

int AdvertFrames::open() {
  if (fd_) return 0;
  // Protocol 0: the kernel hands us nothing.
  fd_ = runtime::UniqueFd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_) return errno;
  constexpr int kControl = 7;  // TC_PRIO_CONTROL of linux/pkt_sched.h, a wish
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_PRIORITY, &kControl, sizeof kControl);
  return 0;
}

void AdvertFrames::send(const std::function<void(std::size_t, int)>& refused) {
  const int unopened = open();
  if (unopened == 0) send_all(refused);
  for (const Frame& each : frames_)
    if (unopened != 0) refused(each.tag, unopened);
  core::empty_for_reuse(frames_, kKeptFrames);
  core::empty_for_reuse(bytes_, kKeptBytes);
}

void AdvertFrames::send_all(const std::function<void(std::size_t, int)>& refused) {
  std::array<iovec, kSendBatch> pieces{};
  std::array<sockaddr_ll, kSendBatch> targets{};
  send_batches(
      fd_.get(), frames_.size(),
      [&](std::size_t index, std::size_t slot, msghdr& header) {
        const Frame& frame = frames_[index];
        std::uint8_t* const bytes = bytes_.data() + frame.begin;
        targets[slot] = {};
        targets[slot].sll_family = AF_PACKET;
        std::memcpy(&targets[slot].sll_protocol, bytes + kTypeOffset, sizeof(std::uint16_t));
        targets[slot].sll_ifindex = static_cast<int>(frame.index);
        targets[slot].sll_halen = ETH_ALEN;
        std::memcpy(targets[slot].sll_addr, bytes, ETH_ALEN);
        pieces[slot] = {bytes, frame.end - frame.begin};
        header = {&targets[slot], sizeof targets[slot], &pieces[slot], 1, nullptr, 0, 0};
      },
      [&](std::size_t index, int error) {
        refused(frames_[index].tag, error);
        return Refusal::skip;
      });
}

}  // namespace holdfast::vrrp
