#include "vrrp/io/first_frames.hpp"

#include "runtime/clock.hpp"
#include "vrrp/messages.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace holdfast::vrrp {
namespace {

/// Frames are only counted: a few of them are enough.
constexpr int kEarBytes = 4096;
constexpr std::uint32_t kAncillary = static_cast<std::uint32_t>(SKF_AD_OFF);

sock_filter statement(int code, std::uint32_t k) {
  return {static_cast<std::uint16_t>(code), 0, 0, k};
}

/// The filter comes before the interface: nothing of others is in the queue then.
runtime::UniqueFd listen_on(unsigned index) {
  runtime::UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return {};
  std::vector<sock_filter> program = host_frame_filter();
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) return {};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kEarBytes, sizeof kEarBytes);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(index);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return fd;
}

bool has_heard(const runtime::UniqueFd& ear) {
  char byte = 0;
  for (;;) {
    if (::recv(ear.get(), &byte, sizeof byte, MSG_DONTWAIT) >= 0) return true;
    // The interface went down, or is gone: what is queued behind that word is asked for again.
    if (errno != ENETDOWN && errno != EINTR) return false;
  }
}

/// The kernel waits for all processors with each packet socket that is closed, some 10 ms: not in
/// the loop.
void close_aside(std::vector<runtime::UniqueFd> ears) {
  if (ears.empty()) return;
  try {
    std::thread([ears = std::move(ears)] {}).detach();
  } catch (const std::system_error&) {
    // There can be no thread: they are closed by now.
  }
}

}  // namespace

// Jumps count from the next instruction; numbers of the targets stand behind.
std::vector<sock_filter> host_frame_filter() {
  return {
      /* 0*/ statement(BPF_LD | BPF_W | BPF_ABS, kAncillary + SKF_AD_PKTTYPE),
      /* 1*/ {BPF_JMP | BPF_JEQ | BPF_K, 13, 0, PACKET_OUTGOING},  // 15
      /* 2*/ statement(BPF_LD | BPF_W | BPF_ABS, kAncillary + SKF_AD_HATYPE),
      /* 3*/ {BPF_JMP | BPF_JEQ | BPF_K, 0, 10, ARPHRD_ETHER},  // else 14: no MAC addresses
      /* 4*/ statement(BPF_LD | BPF_H | BPF_ABS, 4),            // the end of the destination
      /* 5*/ statement(BPF_MISC | BPF_TAX, 0),
      /* 6*/ statement(BPF_LD | BPF_W | BPF_ABS, 0),         // its beginning
      /* 7*/ {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0x0180c200},  // 9
      /* 8*/ {BPF_JMP | BPF_JEQ | BPF_K, 2, 5, 0x01000ccc},  // 11, else 14
      /* 9*/ statement(BPF_MISC | BPF_TXA, 0),
      /*10*/ {BPF_JMP | BPF_JSET | BPF_K, 3, 4, 0xfff0},  // 14, else 15: 00-00 to 00-0F
      /*11*/ statement(BPF_MISC | BPF_TXA, 0),
      /*12*/ statement(BPF_ALU | BPF_AND | BPF_K, 0xfffe),
      /*13*/ {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0xcccc},  // 15: CDP, UDLD, PVST+
      /*14*/ statement(BPF_RET | BPF_K, 1),
      /*15*/ statement(BPF_RET | BPF_K, 0),
  };
}

FirstFrames::FirstFrames(boost::asio::io_context& io, runtime::Logger& logger,
                         std::function<void(const std::string&)> on_changed)
    : logger_(logger), on_changed_(std::move(on_changed)), timer_(io, [this] { look(); }) {}

FirstFrames::~FirstFrames() {
  std::vector<runtime::UniqueFd> ears;
  for (auto& [name, silent] : silent_) ears.push_back(std::move(silent.ear));
  close_aside(std::move(ears));
}

void FirstFrames::wait(core::Duration longest, core::Instant began) {
  longest_ = longest;
  began_ = began;
}

// Who cannot be listened to does not wait.
void FirstFrames::see(const std::string& interface, unsigned index, bool is_up) {
  if (longest_ == core::Duration::zero() || !is_up) return;
  const auto known = known_.find(interface);
  if (known != known_.end() && known->second == index) return;
  forget(interface);  // one that was made anew under its name
  known_.emplace(interface, index);
  const core::Instant now = runtime::now();
  const core::Instant end = (has_begun_ ? now : began_) + longest_;
  if (now >= end || now >= began_ + kBoot) return;
  Silent silent{.ear = listen_on(index), .since = now, .end = end};
  if (!silent.ear) return;
  silent_.emplace(interface, std::move(silent));
  timer_.arm(now + kLookEvery);
}

void FirstFrames::forget(const std::string& interface) {
  known_.erase(interface);
  std::vector<runtime::UniqueFd> ears;
  take_ear(interface, ears);
  close_aside(std::move(ears));
}

void FirstFrames::take_ear(const std::string& interface, std::vector<runtime::UniqueFd>& ears) {
  const auto found = silent_.find(interface);
  if (found == silent_.end()) return;
  ears.push_back(std::move(found->second.ear));
  silent_.erase(found);
}

void FirstFrames::look() {
  const core::Instant now = runtime::now();
  std::vector<std::string> hear;
  std::vector<std::string> give_up;
  for (const auto& [name, silent] : silent_) {
    if (has_heard(silent.ear))
      hear.push_back(name);
    else if (now >= silent.end)
      give_up.push_back(name);
  }
  std::vector<runtime::UniqueFd> ears;
  const auto end = [&](const std::vector<std::string>& names, std::string_view why) {
    std::vector<std::string> told;
    for (const std::string& each : names)
      if (silent_.at(each).is_told) told.push_back(each);
    if (!told.empty()) logger_.log(kHears, "{}: {}", fmt::join(told, ", "), why);
    for (const std::string& each : names) take_ear(each, ears);
  };
  end(hear, "a host is heard now: elections go on");
  end(give_up, "no host has been heard still: elections go on all the same");
  close_aside(std::move(ears));
  tell(now);
  if (!silent_.empty()) timer_.arm(now + kLookEvery);
  for (const std::string& each : hear) on_changed_(each);
  for (const std::string& each : give_up) on_changed_(each);
}

void FirstFrames::tell(core::Instant now) {
  std::vector<std::string> names;
  core::Instant last{};
  for (auto& [name, silent] : silent_) {
    if (now - silent.since < kTellAfter || std::exchange(silent.is_told, true)) continue;
    names.push_back(name);
    last = std::max(last, silent.end);
  }
  if (names.empty()) return;
  logger_.log(kDeafAfterBoot,
              "no frame of any host has been received on {} since the start: elections there wait "
              "for a first one, {} s more at most",
              fmt::join(names, ", "), (last - now) / std::chrono::seconds(1));
}

}  // namespace holdfast::vrrp
