#include "ipvs_wrapper/link.hpp"

#include "ipvs_wrapper/explain.hpp"

#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace holdfast::ipvs {
namespace {

constexpr int kReceiveBufferBytes = 1 << 20;
constexpr std::size_t kDatagramBytes =
    64 * 1024;  // the kernel's dumps come in pieces of at most 32 KiB

struct SocketDeleter {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
};
using Socket = std::unique_ptr<nl_sock, SocketDeleter>;

class NetlinkLink final : public Link {
 public:
  explicit NetlinkLink(Socket socket) : socket_(std::move(socket)) {}

  int send(std::span<const std::uint8_t> datagram) override {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    ssize_t sent = 0;
    do {
      sent = ::sendto(descriptor(), datagram.data(), datagram.size(), 0,
                      reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? errno : 0;
  }

  // The kernel answers inside send(), so the answer is nearly always there before poll() is needed.
  int receive(std::span<const std::uint8_t>& datagram, core::Duration timeout) override {
    for (int attempt = 0; attempt < kMaxDiscards; ++attempt) {
      sockaddr_nl sender{};
      iovec piece{buffer_.data(), buffer_.size()};
      msghdr message{};
      message.msg_name = &sender;
      message.msg_namelen = sizeof sender;
      message.msg_iov = &piece;
      message.msg_iovlen = 1;
      const auto length = ::recvmsg(descriptor(), &message, MSG_DONTWAIT);
      if (length < 0 && errno == EINTR) continue;
      if (length < 0 && errno == EAGAIN) {
        if (const int error = wait(timeout)) return error;
        continue;
      }
      if (length < 0) return errno;
      if (sender.nl_pid != 0) continue;  // not the kernel: any process may write to our port
      if ((message.msg_flags & MSG_TRUNC) != 0) return EMSGSIZE;
      datagram = std::span<const std::uint8_t>(buffer_).first(static_cast<std::size_t>(length));
      return 0;
    }
    return ETIMEDOUT;
  }

 private:
  static constexpr int kMaxDiscards = 64;

  [[nodiscard]] int descriptor() const { return nl_socket_get_fd(socket_.get()); }

  [[nodiscard]] int wait(core::Duration timeout) const {
    pollfd wanted{descriptor(), POLLIN, 0};
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    int ready = 0;
    do {
      ready = ::poll(&wanted, 1, static_cast<int>(milliseconds));
    } while (ready < 0 && errno == EINTR);
    if (ready < 0) return errno;
    return ready == 0 ? ETIMEDOUT : 0;
  }

  Socket socket_;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(kDatagramBytes);
};

// A thousand refusals fit; SO_RCVBUFFORCE is not bounded by net.core.rmem_max but needs
// CAP_NET_ADMIN, as all of IPVS does.
void grow_receive_buffer(int descriptor) {
  const int bytes = kReceiveBufferBytes;
  if (::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
    static_cast<void>(::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes));
}

}  // namespace

core::Result<OpenedLink> open_netlink_link() {
  Socket socket(nl_socket_alloc());
  if (!socket) return core::fail_errno(ENOMEM, "cannot open a netlink socket for IPVS");
  if (const int error = genl_connect(socket.get()); error < 0)
    return core::fail("cannot open a netlink socket for IPVS: {}", nl_geterror(error));
  // Asking for the name makes the kernel load ip_vs when it can. linux:
  // MODULE_ALIAS_GENL_FAMILY("IPVS").
  const int family = genl_ctrl_resolve(socket.get(), "IPVS");
  if (family == -NLE_OBJ_NOTFOUND) return core::Error{explain_access("reach IPVS", ENOENT), ENOENT};
  if (family < 0) return core::fail("cannot look up IPVS in the kernel: {}", nl_geterror(family));
  grow_receive_buffer(nl_socket_get_fd(socket.get()));
  return OpenedLink{std::make_unique<NetlinkLink>(std::move(socket)),
                    static_cast<std::uint16_t>(family)};
}

}  // namespace holdfast::ipvs
