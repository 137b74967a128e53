#include "checkers/io/datagram_session.hpp"

#include "checkers/io/socket_address.hpp"
#include "checkers/io/socket_error.hpp"
#include "runtime/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace holdfast::checkers {
namespace {

constexpr std::size_t kRandomPayload = 32;
constexpr std::size_t kPingToken = 16;
constexpr int kMaxDatagramsPerWakeUp = 16;

std::size_t ip_header_bytes(std::string_view packet) {
  return packet.empty() ? 0 : (static_cast<std::uint8_t>(packet[0]) & 15u) * 4u;
}

}  // namespace

DatagramSession::DatagramSession(boost::asio::io_context& io, ProbeDriver& driver, ProbeId id,
                                 ProbeSettings settings, Question question)
    : socket_(io),
      timer_(io, [this] { on_deadline(); }),
      driver_(&driver),
      id_(id),
      settings_(std::move(settings)),
      question_(std::move(question)) {}

void DatagramSession::begin() {
  begun_at_ = runtime::now();
  if (auto problem = std::visit([this](const auto& one) { return open_for(one); }, question_))
    return finish(std::move(*problem));
  if (auto problem = send()) return finish(std::move(*problem));
  deadline_ = begun_at_ + patience();
  timer_.arm(deadline_);
  wait();
}

void DatagramSession::cancel() {
  driver_ = nullptr;
  timer_.arm(std::nullopt);
  boost::system::error_code ignored;
  socket_.close(ignored);
}

core::Duration DatagramSession::patience() const {
  return std::visit([this](const auto& one) { return one.patience(settings_.timeout); },
                    *exchange_);
}

// From the kernel's generator: who could guess an identifier could answer in the server's name.
std::string DatagramSession::random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  ::arc4random_buf(bytes.data(), bytes.size());
  return bytes;
}

std::uint16_t DatagramSession::random_number() {
  const std::string bytes = random_bytes(2);
  return static_cast<std::uint16_t>(static_cast<std::uint8_t>(bytes[0]) << 8 |
                                    static_cast<std::uint8_t>(bytes[1]));
}

std::optional<Outcome> DatagramSession::open_for(const UdpProbe& probe) {
  exchange_.emplace(UdpExchange(probe, random_bytes(kRandomPayload)));
  return open_socket({SOCK_DGRAM, 0});
}

std::optional<Outcome> DatagramSession::open_for(const DnsProbe& probe) {
  DnsExchange exchange(probe, random_number());
  if (exchange.request().empty())
    return not_tried(fmt::format("the name '{}' is no domain name", probe.name));
  exchange_.emplace(std::move(exchange));
  return open_socket({SOCK_DGRAM, 0});
}

// A datagram socket where the host allows them (net.ipv4.ping_group_range), a raw one otherwise.
std::optional<Outcome> DatagramSession::open_for(const PingProbe&) {
  const core::Family family = settings_.target.address.family();
  const int protocol = family == core::Family::v4 ? static_cast<int>(IPPROTO_ICMP)
                                                  : static_cast<int>(IPPROTO_ICMPV6);
  settings_.target.port = 0;
  settings_.bind_port = 0;
  using Identifier = PingExchange::Identifier;
  const int kind = ::socket(family == core::Family::v4 ? AF_INET : AF_INET6,
                            SOCK_DGRAM | SOCK_CLOEXEC, protocol);
  const bool is_allowed = kind >= 0;
  if (is_allowed) ::close(kind);
  has_ip_header_ = !is_allowed && family == core::Family::v4;
  exchange_.emplace(PingExchange(family, is_allowed ? Identifier::of_the_kernel : Identifier::ours,
                                 random_number(), random_bytes(kPingToken)));
  return open_socket({is_allowed ? SOCK_DGRAM : SOCK_RAW, protocol});
}

std::optional<Outcome> DatagramSession::open_socket(SocketKind kind) {
  auto opened = open_probe_socket(settings_, kind);
  if (auto* problem = std::get_if<Outcome>(&opened)) return std::move(*problem);
  runtime::UniqueFd& fd = std::get<runtime::UniqueFd>(opened);
  // Without it a connected socket hears of a closed port, and never of a host that is not there.
  const int on = 1;
  if (settings_.target.address.is_v4())
    ::setsockopt(fd.get(), IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
  else
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
  const SocketAddress target(settings_.target);
  if (::connect(fd.get(), target.get(), target.size()) != 0)
    return outcome_of_datagram_error(errno);
  boost::system::error_code ec;
  socket_.assign(fd.get(), ec);
  if (ec) return outcome_of_local_error("watch the probe's socket", ec.value());
  static_cast<void>(fd.release());
  return std::nullopt;
}

std::optional<Outcome> DatagramSession::send() {
  const std::string& request =
      std::visit([](const auto& one) -> const std::string& { return one.request(); }, *exchange_);
  if (::send(socket_.native_handle(), request.data(), request.size(), MSG_NOSIGNAL) >= 0)
    return std::nullopt;
  return outcome_of_datagram_error(errno);
}

void DatagramSession::wait() {
  socket_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& ec) {
                       if (ec || !self->driver_) return;
                       self->read();
                       if (self->driver_) self->wait();
                     });
}

void DatagramSession::read() {
  std::array<char, 65536> buffer;
  for (int i = 0; i < kMaxDatagramsPerWakeUp && driver_; ++i) {
    const ssize_t got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) return finish(outcome_of_datagram_error(errno));
    std::string_view datagram(buffer.data(), static_cast<std::size_t>(got));
    if (has_ip_header_)
      datagram.remove_prefix(std::min(ip_header_bytes(datagram), datagram.size()));
    hear(datagram);
  }
}

void DatagramSession::hear(std::string_view datagram) {
  Hearing heard = std::visit([&](auto& one) -> Hearing { return one.hear(datagram); }, *exchange_);
  if (auto* verdict = std::get_if<Verdict>(&heard)) return finish(std::move(verdict->outcome));
  if (std::holds_alternative<AskByStream>(heard)) return ask_by_stream();
  // A raw socket hears what others are told, too.
  if (++odd_ > kMostOddDatagrams)
    finish(
        failed(Cause::malformed_reply,
               fmt::format("more than {} datagrams, none of them an answer", kMostOddDatagrams)));
}

void DatagramSession::ask_by_stream() {
  ProbeSettings settings = settings_;
  settings.timeout = std::max(deadline_ - runtime::now(), core::Duration(1));
  DnsProbe dns = std::get<DnsProbe>(question_);
  dns.by_stream = true;
  settings.dialogue = std::move(dns);
  ProbeDriver* driver = driver_;
  const auto keep_alive = shared_from_this();
  cancel();
  driver->go_on_with(id_, std::move(settings));
}

void DatagramSession::on_deadline() {
  if (!driver_) return;
  const auto keep_alive = shared_from_this();
  // Receive before you judge: an answer may lie in the socket while this process was not running.
  const core::Duration late = runtime::now() - deadline_;
  read();
  if (!driver_) return;
  if (late > kLateJudgement) return finish(paused_for(late));
  const core::Duration waited = patience();
  finish(std::visit([&](const auto& one) { return one.on_silence(waited); }, *exchange_));
}

void DatagramSession::finish(Outcome outcome) {
  if (!driver_) return;
  outcome.took = runtime::now() - begun_at_;
  ProbeDriver* driver = driver_;
  const auto keep_alive = shared_from_this();
  cancel();
  driver->finished(id_, std::move(outcome));
}

}  // namespace holdfast::checkers
