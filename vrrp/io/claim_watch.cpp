#include "vrrp/io/claim_watch.hpp"

#include "runtime/clock.hpp"
#include "vrrp/messages.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <utility>

namespace holdfast::vrrp {
namespace {

/// Some hundred packets with the kernel's own overhead.
constexpr int kReceiveBufferBytes = 256 << 10;

/// RFC 826, as it is between Ethernet and IPv4.
struct ArpPacket {
  std::array<std::uint8_t, 8> head;  // hardware, protocol, their lengths, operation
  std::array<std::uint8_t, 6> sender_mac;
  std::array<std::uint8_t, 4> sender;
  std::array<std::uint8_t, 10> target;
};
static_assert(sizeof(ArpPacket) == 28);
constexpr std::size_t kSenderOffset = 14;

std::uint32_t number_of(const std::array<std::uint8_t, 4>& bytes) {
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return ntohl(number);
}

core::IpAddress address_of(std::uint32_t number) {
  return core::IpAddress::v4(
      {static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
       static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)});
}

sock_filter instruction(int code, std::uint32_t value, std::uint8_t if_not = 0) {
  return {static_cast<std::uint16_t>(code), 0, if_not, value};
}

}  // namespace

std::vector<sock_filter> claim_filter(std::span<const std::uint32_t> addresses) {
  constexpr std::uint32_t kAll = 0xffffffff;
  if (addresses.size() > kMostFiltered) return {instruction(BPF_RET | BPF_K, kAll)};
  std::vector<sock_filter> program{instruction(BPF_LD | BPF_W | BPF_ABS, kSenderOffset)};
  for (const std::uint32_t address : addresses) {
    program.push_back(instruction(BPF_JMP | BPF_JEQ | BPF_K, address, 1));
    program.push_back(instruction(BPF_RET | BPF_K, kAll));
  }
  program.push_back(instruction(BPF_RET | BPF_K, 0));
  return program;
}

ClaimWatch::ClaimWatch(boost::asio::io_context& io, runtime::Logger& logger, const Router& router,
                       netlink::Reflector& reflector)
    : logger_(logger), router_(router), reflector_(reflector), socket_(io), pace_(io) {
  reflector_.on_link([this, life = std::weak_ptr<Life>(life_)](const netlink::LinkEvent&) {
    if (life.lock()) own_.reset();
  });
  // Protocol 0: the kernel hands us nothing until there is a filter.
  const int fd = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    logger_.log(kNoClaimWatch, "cannot listen to ARP: {}", std::strerror(errno));
    return;
  }
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof kReceiveBufferBytes);
  socket_.assign(fd);
}

void ClaimWatch::follow() {
  if (!socket_.is_open()) return;
  owners_.clear();
  std::vector<std::uint32_t> addresses;
  for (const Instance* instance : router_.instances()) {
    for (const VirtualAddress& each : instance->settings().all_addresses()) {
      if (!each.prefix.address.is_v4()) continue;
      std::array<std::uint8_t, 4> bytes{};
      std::ranges::copy(each.prefix.address.bytes(), bytes.begin());
      std::vector<Owner>& owners = owners_[number_of(bytes)];
      if (owners.empty()) addresses.push_back(number_of(bytes));
      const std::string& interface =
          each.interface.empty() ? instance->settings().interface : each.interface.str();
      owners.push_back({interface, instance->key()});
    }
  }
  std::erase_if(claims_, [this](const auto& each) { return router_.find(each.first) == nullptr; });
  std::vector<sock_filter> program = claim_filter(addresses);
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  sockaddr_ll everywhere{};
  everywhere.sll_family = AF_PACKET;
  everywhere.sll_protocol = htons(ETH_P_ARP);
  const int fd = socket_.native_handle();
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0 ||
      ::bind(fd, reinterpret_cast<const sockaddr*>(&everywhere), sizeof everywhere) != 0) {
    logger_.log(kNoClaimWatch, "cannot listen to ARP: {}", std::strerror(errno));
    boost::system::error_code ignored;
    socket_.close(ignored);
    return;
  }
  if (!std::exchange(waits_, true)) wait();
}

std::optional<Claim> ClaimWatch::claim(const RouterKey& key, core::Instant now) const {
  const auto found = claims_.find(key);
  if (found == claims_.end() || now - found->second.claim.last_at > kMemory) return std::nullopt;
  return found->second.claim;
}

void ClaimWatch::wait() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](boost::system::error_code error) {
                       if (!error) read();
                     });
}

void ClaimWatch::read() {
  ArpPacket packet{};
  for (int count = 0; count < kMostPackets; ++count) {
    sockaddr_ll from{};
    socklen_t from_size = sizeof from;
    const ssize_t size = ::recvfrom(socket_.native_handle(), &packet, sizeof packet, MSG_DONTWAIT,
                                    reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 0) break;
    if (size == sizeof packet)
      note(static_cast<netlink::InterfaceIndex>(from.sll_ifindex), number_of(packet.sender),
           {packet.sender_mac});
  }
  pace_.expires_after(kPace);
  pace_.async_wait([this](boost::system::error_code error) {
    if (!error) wait();
  });
}

const Instance* ClaimWatch::owner_of(netlink::InterfaceIndex interface,
                                     std::uint32_t address) const {
  const auto owners = owners_.find(address);
  const netlink::Link* link = reflector_.link(interface);
  if (owners == owners_.end() || link == nullptr) return nullptr;
  for (const Owner& owner : owners->second)
    if (owner.interface == link->name) return router_.find(owner.key);
  return nullptr;
}

bool ClaimWatch::is_ours(const core::MacAddress& mac) {
  if (!own_) {
    own_.emplace();
    for (const netlink::Link& link : reflector_.links())
      if (link.mac) own_->insert(*link.mac);
  }
  return own_->contains(mac);
}

void ClaimWatch::note(netlink::InterfaceIndex interface, std::uint32_t address,
                      const core::MacAddress& mac) {
  const Instance* instance = owner_of(interface, address);
  if (instance == nullptr || instance->state_name() != StateName::master || is_ours(mac)) return;
  const core::Instant now = runtime::now();
  const bool is_new = !claim(instance->key(), now);
  auto& [known, told_at] = claims_[instance->key()];
  if (is_new) known = {.mac = mac, .address = {}, .since = now, .last_at = now, .times = 0};
  known.mac = mac;
  known.address = address_of(address);
  known.last_at = now;
  ++known.times;
  // Only what may be told counts for the budget of all, and what that holds back is told later.
  if ((told_at && now - *told_at < kTellEvery) || !all_.admit(now)) return;
  told_at = now;
  logger_.log(kClaimed, "{}: {} says that {} is its own ({} so far)", instance->settings().name,
              mac.to_string(), known.address.to_string(), known.times);
}

}  // namespace holdfast::vrrp
