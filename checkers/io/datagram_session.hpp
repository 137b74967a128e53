// One run of a probe by datagram: one question, and what comes back until there is a verdict.
// UDP_CHECK, DNS_CHECK, PING_CHECK. Used by ProbeDriver only.
#pragma once

#include "checkers/core/dns.hpp"
#include "checkers/core/exchange.hpp"
#include "checkers/io/probe.hpp"
#include "checkers/io/probe_driver.hpp"
#include "checkers/io/probe_socket.hpp"
#include "runtime/loop.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <variant>

namespace holdfast::checkers {

/// So many datagrams that are no answer end a run as a failure: somebody floods us.
inline constexpr int kMostOddDatagrams = 256;

class DatagramSession : public Probe, public std::enable_shared_from_this<DatagramSession> {
 public:
  using Question = std::variant<UdpProbe, DnsProbe, PingProbe>;

  /// `settings` without their dialogue, which is the question.
  DatagramSession(boost::asio::io_context& io, ProbeDriver& driver, ProbeId id,
                  ProbeSettings settings, Question question);

  void begin() override;
  void cancel() override;

 private:
  using Exchange = std::variant<DnsExchange, UdpExchange, PingExchange>;

  [[nodiscard]] std::optional<Outcome> open_for(const UdpProbe& probe);
  [[nodiscard]] std::optional<Outcome> open_for(const DnsProbe& probe);
  [[nodiscard]] std::optional<Outcome> open_for(const PingProbe& probe);
  [[nodiscard]] std::optional<Outcome> open_socket(SocketKind kind);
  [[nodiscard]] std::optional<Outcome> send();
  [[nodiscard]] std::string random_bytes(std::size_t count);
  [[nodiscard]] std::uint16_t random_number();
  [[nodiscard]] core::Duration patience() const;
  void wait();
  void read();
  void hear(std::string_view datagram);
  void ask_by_stream();
  void on_deadline();
  void finish(Outcome outcome);

  boost::asio::posix::stream_descriptor socket_;
  runtime::DeadlineTimer timer_;
  ProbeDriver* driver_;  // null after the end
  ProbeId id_;
  ProbeSettings settings_;
  Question question_;
  std::optional<Exchange> exchange_;
  bool has_ip_header_ = false;  // a raw socket of IPv4
  int odd_ = 0;
  core::Instant begun_at_;
  core::Instant deadline_;
};

}  // namespace holdfast::checkers
