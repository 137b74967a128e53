#include "runtime/control_client.hpp"

#include "runtime/clock.hpp"
#include "runtime/unique_fd.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace holdfast::runtime {
namespace {

/// One exchange on one connection, with one limit for all of it.
class Exchange {
 public:
  Exchange(const std::string& path, core::Duration timeout)
      : path_(path), until_(now() + timeout) {}

  core::Result<void> connect() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof address.sun_path)
      return core::fail("the path {} is too long for a socket", path_);
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    while (::connect(socket_.get(), generic, sizeof address) != 0) {
      // A Unix socket whose queue is full says EAGAIN and cannot be polled.
      if (errno != EAGAIN || now() >= until_)
        return core::fail_errno(errno, "cannot connect to {}", path_);
      ::poll(nullptr, 0, 10);
    }
    return {};
  }

  core::Result<void> send(std::string_view bytes) {
    while (!bytes.empty()) {
      if (auto ready = wait_for(POLLOUT); !ready) return ready;
      const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      // Closed already: what was said before that is the answer.
      if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return {};
      if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return core::fail_errno(errno, "cannot ask {}", path_);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
  }

  core::Result<std::string> receive_line() {
    std::string line;
    std::array<char, 65536> piece{};
    while (line.size() < kMaxReplyBytes) {
      if (auto ready = wait_for(POLLIN); !ready) return ready.error();
      const ssize_t count = ::recv(socket_.get(), piece.data(), piece.size(), 0);
      if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (count < 0) return core::fail_errno(errno, "cannot read the answer of {}", path_);
      if (count == 0) return core::fail("{} closed the connection without an answer", path_);
      const std::string_view received(piece.data(), static_cast<std::size_t>(count));
      const std::size_t end = received.find('\n');
      line.append(received.substr(0, end));
      if (end != std::string_view::npos) return line;
    }
    return core::fail("the answer of {} is longer than {} bytes", path_, kMaxReplyBytes);
  }

 private:
  core::Result<void> wait_for(short what) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until_ - now()).count();
    pollfd ready{socket_.get(), what, 0};
    if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) == 0) {
      return core::fail_errno(ETIMEDOUT, "no answer from {}", path_);
    }
    return {};
  }

  const std::string& path_;
  core::Instant until_;
  UniqueFd socket_;
};

}  // namespace

core::Result<boost::json::object> control_request(const std::string& path,
                                                  const boost::json::object& request,
                                                  core::Duration timeout) {
  Exchange exchange(path, timeout);
  if (auto connected = exchange.connect(); !connected) return connected.error();
  if (auto sent = exchange.send(boost::json::serialize(request) + "\n"); !sent) return sent.error();
  const auto line = exchange.receive_line();
  if (!line) return line.error();
  boost::system::error_code error;
  boost::json::value reply = boost::json::parse(*line, error);
  if (error || !reply.is_object()) return core::fail("the answer of {} is not a JSON object", path);
  return std::move(reply.get_object());
}

}  // namespace holdfast::runtime
