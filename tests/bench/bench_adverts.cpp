// What the kernel alone asks for adverts: a loop that does nothing but send them, and one that does
// nothing but take them. Run by tests/bench/vrrp.py beside the real programs.
//   bench_adverts send|receive INTERFACE SOURCE COUNT INTERVAL_US SECONDS
// Prints one JSON object: packets, wake-ups, and CPU seconds (user and system) of the loop.
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr int kVrrp = 112;
constexpr const char* kGroup = "224.0.0.18";
constexpr std::size_t kPacketBytes = 32;  // IPv4 header, version 3 advert with one address
constexpr std::size_t kBatch = 64;
constexpr int kReceiveBuffer = 4 << 20;

struct Job {
  std::string interface;
  in_addr source{};
  std::size_t count = 0;
  long interval_us = 0;
  double seconds = 0;
};

struct Sum {
  std::uint64_t packets = 0;
  std::uint64_t wakes = 0;
};

double clock_seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

template <class Value>
void set(int fd, int level, int name, const Value& value) {
  if (::setsockopt(fd, level, name, &value, sizeof value) == 0) return;
  std::perror("setsockopt");
  std::exit(1);
}

int open_socket(const Job& job) {
  const int fd = ::socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, kVrrp);
  if (fd < 0) {
    std::perror("socket");
    std::exit(1);
  }
  ifreq name{};
  job.interface.copy(name.ifr_name, IFNAMSIZ - 1);
  set(fd, SOL_SOCKET, SO_BINDTODEVICE, name);
  set(fd, IPPROTO_IP, IP_HDRINCL, 1);
  set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
  ip_mreqn group{};
  group.imr_ifindex = static_cast<int>(::if_nametoindex(job.interface.c_str()));
  set(fd, IPPROTO_IP, IP_MULTICAST_IF, group);
  return fd;
}

std::array<std::uint8_t, kPacketBytes> packet(const Job& job, std::size_t number) {
  std::array<std::uint8_t, kPacketBytes> bytes{0x45, 0xc0, 0, kPacketBytes, 0, 0, 0, 0, 255, kVrrp};
  const in_addr_t group = ::inet_addr(kGroup);
  std::memcpy(&bytes[12], &job.source, sizeof job.source);
  std::memcpy(&bytes[16], &group, sizeof group);
  bytes[20] = 0x31;
  bytes[21] = static_cast<std::uint8_t>(number + 1);
  bytes[22] = 150;
  bytes[23] = 1;
  return bytes;
}

Sum send_all(const Job& job) {
  const int fd = open_socket(job);
  std::vector<std::array<std::uint8_t, kPacketBytes>> packets;
  for (std::size_t i = 0; i < job.count; ++i) packets.push_back(packet(job, i));
  sockaddr_in group{};
  group.sin_family = AF_INET;
  group.sin_addr.s_addr = ::inet_addr(kGroup);
  std::vector<iovec> pieces(job.count);
  std::vector<mmsghdr> headers(job.count);
  for (std::size_t i = 0; i < job.count; ++i) {
    pieces[i] = {packets[i].data(), packets[i].size()};
    headers[i].msg_hdr.msg_name = &group;
    headers[i].msg_hdr.msg_namelen = sizeof group;
    headers[i].msg_hdr.msg_iov = &pieces[i];
    headers[i].msg_hdr.msg_iovlen = 1;
  }
  const int timer = ::timerfd_create(CLOCK_MONOTONIC, 0);
  const timespec beat{job.interval_us / 1000000, job.interval_us % 1000000 * 1000};
  const itimerspec rhythm{beat, beat};
  ::timerfd_settime(timer, 0, &rhythm, nullptr);
  Sum sum;
  const double end = clock_seconds(CLOCK_MONOTONIC) + job.seconds;
  std::uint64_t beats = 0;
  while (clock_seconds(CLOCK_MONOTONIC) < end && ::read(timer, &beats, sizeof beats) > 0) {
    ++sum.wakes;
    for (std::size_t sent = 0; sent < job.count;) {
      const std::size_t most = std::min(kBatch, job.count - sent);
      const int now = ::sendmmsg(fd, &headers[sent], static_cast<unsigned>(most), 0);
      if (now <= 0) break;
      sent += static_cast<std::size_t>(now);
      sum.packets += static_cast<std::uint64_t>(now);
    }
  }
  return sum;
}

Sum receive_all(const Job& job) {
  const int fd = open_socket(job);
  set(fd, SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
  ip_mreqn group{};
  group.imr_multiaddr.s_addr = ::inet_addr(kGroup);
  group.imr_ifindex = static_cast<int>(::if_nametoindex(job.interface.c_str()));
  set(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, group);
  std::vector<std::array<std::uint8_t, 128>> rooms(kBatch);
  std::array<iovec, kBatch> pieces{};
  std::array<mmsghdr, kBatch> headers{};
  for (std::size_t i = 0; i < kBatch; ++i) {
    pieces[i] = {rooms[i].data(), rooms[i].size()};
    headers[i].msg_hdr.msg_iov = &pieces[i];
    headers[i].msg_hdr.msg_iovlen = 1;
  }
  Sum sum;
  const double end = clock_seconds(CLOCK_MONOTONIC) + job.seconds;
  while (clock_seconds(CLOCK_MONOTONIC) < end) {
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, 100) <= 0) continue;
    ++sum.wakes;
    for (int got = kBatch; got == static_cast<int>(kBatch);) {
      got = ::recvmmsg(fd, headers.data(), kBatch, MSG_DONTWAIT, nullptr);
      if (got > 0) sum.packets += static_cast<std::uint64_t>(got);
    }
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs("usage: bench_adverts send|receive INTERFACE SOURCE COUNT INTERVAL_US SECONDS\n",
               stderr);
    return 2;
  }
  Job job{.interface = argv[2]};
  job.source.s_addr = ::inet_addr(argv[3]);
  job.count = std::strtoul(argv[4], nullptr, 10);
  job.interval_us = std::strtol(argv[5], nullptr, 10);
  job.seconds = std::strtod(argv[6], nullptr);
  const Sum sum = std::string_view(argv[1]) == "send" ? send_all(job) : receive_all(job);
  std::printf("{\"packets\": %llu, \"wakes\": %llu, \"cpu_s\": %.6f}\n",
              static_cast<unsigned long long>(sum.packets),
              static_cast<unsigned long long>(sum.wakes), clock_seconds(CLOCK_PROCESS_CPUTIME_ID));
  return 0;
}
