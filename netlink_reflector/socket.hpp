// One NETLINK_ROUTE socket: bytes out, bytes in, never waiting. Used only by the reflector.
#pragma once

#include "core/result.hpp"
#include "netlink_reflector/core/codec.hpp"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>

struct nl_sock;

namespace holdfast::netlink {

/// What one read brought.
enum class ReadOutcome : std::uint8_t {
  data,
  nothing,  ///< no datagram is waiting
  overrun,  ///< the kernel dropped datagrams for lack of buffer; what is left can still be read
  failed,
};

class RouteSocket {
 public:
  /// Opens without blocking; `groups` are RTNLGRP_ numbers to listen to. The buffer is forced above
  /// the system's limit when we may.
  [[nodiscard]] static core::Result<RouteSocket> open(int receive_buffer_bytes,
                                                      std::initializer_list<int> groups);

  [[nodiscard]] int fd() const;
  /// From now on what a request for a dump says is used to choose. Linux 4.20.
  void choose_in_dumps();
  /// errno, 0 for success. rtnetlink works inside this call: answers and events are readable when
  /// it returns.
  [[nodiscard]] int send(std::span<const std::uint8_t> datagram);
  /// The datagram is valid until the next read. `system_errno` belongs to ReadOutcome::failed.
  struct Read {
    ReadOutcome outcome = ReadOutcome::nothing;
    std::span<const std::uint8_t> datagram;
    int system_errno = 0;
  };
  [[nodiscard]] Read read();

 private:
  struct Close {
    void operator()(nl_sock* socket) const;
  };
  explicit RouteSocket(nl_sock* socket)
      : socket_(socket), buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kReadBytes)) {}

  /// Larger than any datagram the kernel builds for a dump (32 KiB) or one link with many virtual
  /// functions.
  static constexpr std::size_t kReadBytes = std::size_t{256} << 10;

  std::unique_ptr<nl_sock, Close> socket_;
  /// Not cleared: what no datagram has reached occupies no memory.
  std::unique_ptr<std::uint8_t[]> buffer_;
};

}  // namespace holdfast::netlink
