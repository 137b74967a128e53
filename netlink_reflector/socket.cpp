#include "netlink_reflector/socket.hpp"

#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <cerrno>
#include <linux/netlink.h>
#include <sys/socket.h>

namespace holdfast::netlink {
namespace {

/// The socket still works without these, so a refusal is not an error.
void set_quietly(int fd, int level, int option, int value) {
  (void)setsockopt(fd, level, option, &value, sizeof value);
}

void size_receive_buffer(int fd, int bytes) {
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0) return;
  set_quietly(fd, SOL_SOCKET, SO_RCVBUF, bytes);  // as far as net.core.rmem_max lets us
}

}  // namespace

void RouteSocket::Close::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

core::Result<RouteSocket> RouteSocket::open(int receive_buffer_bytes,
                                            std::initializer_list<int> groups) {
  RouteSocket socket(nl_socket_alloc());
  if (!socket.socket_) return core::fail_errno(ENOMEM, "cannot open a netlink socket");
  int error = nl_connect(socket.socket_.get(), NETLINK_ROUTE);
  if (error == 0) error = nl_socket_set_nonblocking(socket.socket_.get());
  for (const int group : groups) {
    if (error == 0) error = nl_socket_add_membership(socket.socket_.get(), group);
  }
  if (error != 0) {
    return core::fail("cannot open a netlink socket for links and addresses: {}",
                      nl_geterror(error));
  }
  size_receive_buffer(socket.fd(), receive_buffer_bytes);
  set_quietly(socket.fd(), SOL_NETLINK, NETLINK_EXT_ACK, 1);
  set_quietly(socket.fd(), SOL_NETLINK, NETLINK_CAP_ACK, 1);
  return socket;
}

void RouteSocket::choose_in_dumps() {
  set_quietly(fd(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
}

int RouteSocket::fd() const {
  return nl_socket_get_fd(socket_.get());
}

int RouteSocket::send(std::span<const std::uint8_t> datagram) {
  while (::send(fd(), datagram.data(), datagram.size(), 0) < 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

RouteSocket::Read RouteSocket::read() {
  while (true) {
    const ssize_t count = ::recv(fd(), buffer_.get(), kReadBytes, MSG_TRUNC);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return {};
      if (errno == ENOBUFS) return {ReadOutcome::overrun, {}, errno};
      return {ReadOutcome::failed, {}, errno};
    }
    const auto length = static_cast<std::size_t>(count);
    // A datagram that was cut is as good as lost, and a resync finds what was in it.
    if (length > kReadBytes) return {ReadOutcome::overrun, {}, EMSGSIZE};
    return {ReadOutcome::data, std::span<const std::uint8_t>(buffer_.get(), length), 0};
  }
}

}  // namespace holdfast::netlink
