#include "checkers/io/socket_address.hpp"

#include <cstring>

namespace holdfast::checkers {

SocketAddress::SocketAddress(const core::Endpoint& endpoint) {
  const auto bytes = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    std::memcpy(&address.sin_addr, bytes.data(), bytes.size());
    std::memcpy(&storage_, &address, sizeof(address));
    size_ = sizeof(address);
  } else {
    ::sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(endpoint.port);
    std::memcpy(&address.sin6_addr, bytes.data(), bytes.size());
    std::memcpy(&storage_, &address, sizeof(address));
    size_ = sizeof(address);
  }
}

const ::sockaddr* SocketAddress::get() const {
  return reinterpret_cast<const ::sockaddr*>(&storage_);
}

}  // namespace holdfast::checkers
