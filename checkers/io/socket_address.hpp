// An Endpoint as the kernel wants it.
#pragma once

#include "core/ip_address.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

namespace holdfast::checkers {

class SocketAddress {
 public:
  explicit SocketAddress(const core::Endpoint& endpoint);
  [[nodiscard]] const ::sockaddr* get() const;
  [[nodiscard]] socklen_t size() const { return size_; }

 private:
  ::sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace holdfast::checkers
