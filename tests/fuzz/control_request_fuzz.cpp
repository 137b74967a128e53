// Any bytes from a client of a control socket: every line gets exactly one line of JSON, an object;
// one that is too long gets a sentence and the end of the connection; what follows the last line
// gets nothing. First byte: the size of the pieces in which the bytes arrive.
#include "core/assertion.hpp"
#include "runtime/control_desk.hpp"
#include "runtime/control_socket.hpp"
#include "runtime/unique_fd.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::runtime;

namespace {

/// {"pieces":true}, in two of them.
class Document : public ControlDocument {
 public:
  ControlPiece next() override {
    if (left_ == 0) return {};
    const bool is_last = --left_ == 0;
    return [is_last](std::string& text) { text += is_last ? ":true}" : "{\"pieces\""; };
  }

 private:
  int left_ = 2;
};

struct Served {
  Served() : server(*ControlServer::listen(io, path)) {
    server->handle("explain", ControlAccess::read,
                   [](const boost::json::object& request, const ControlReply& reply) {
                     const auto* word = request.if_contains("instance");  // quoted, as vrrp does
                     reply({{"asked", word != nullptr && word->is_string() ? *word : nullptr}});
                   });
    server->handle("stop", ControlAccess::change,
                   [](const boost::json::object&, const ControlReply& reply) {
                     reply({{"ok", true}});
                   });
    server->handle_document("status", [](const auto& made) { made(std::make_shared<Document>()); });
    loop = std::thread([this] { io.run(); });
  }
  ~Served() {
    io.stop();
    loop.join();
  }

  std::string path = "/tmp/holdfast-fuzz-" + std::to_string(::getpid()) + ".sock";
  boost::asio::io_context io;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  std::unique_ptr<ControlServer> server;
  std::thread loop;
};

UniqueFd connected(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  HOLDFAST_ASSERT(
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
      "one client after the other finds room");
  return socket;
}

/// All that comes back until the other side closes.
std::string answers_to(const std::string& path, std::string_view bytes, std::size_t piece) {
  const UniqueFd socket = connected(path);
  std::string got;
  char some[65536];
  const auto take = [&](int flags) {
    ssize_t count = -1;
    do {
      count = ::recv(socket.get(), some, sizeof some, flags);
    } while (count < 0 && errno == EINTR);  // libFuzzer has an alarm clock
    if (count > 0) got.append(some, static_cast<std::size_t>(count));
    return count;
  };
  while (!bytes.empty()) {
    const std::string_view now = bytes.substr(0, piece);
    if (::send(socket.get(), now.data(), now.size(), MSG_NOSIGNAL) < 0) break;  // it was too long
    bytes.remove_prefix(now.size());
    take(MSG_DONTWAIT);
  }
  ::shutdown(socket.get(), SHUT_WR);
  ssize_t last = 0;
  while ((last = take(0)) > 0) {
  }
  HOLDFAST_ASSERT(last == 0 || errno == ECONNRESET, "who has said all is not kept waiting");
  return got;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Served served;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  // Small pieces of a long text would only take time.
  const std::size_t piece = std::max<std::size_t>(1u + data[0], bytes.size() / 16 + 1);

  const std::string got = answers_to(served.path, bytes, piece);

  std::size_t answers = 0;
  for (std::string_view rest = got; !rest.empty(); ++answers) {
    const std::size_t end = rest.find('\n');
    HOLDFAST_ASSERT(end != std::string_view::npos, "answers are whole lines");
    boost::system::error_code error;
    const auto answer = boost::json::parse(rest.substr(0, end), error);
    HOLDFAST_ASSERT(!error && answer.is_object(), "an answer is a JSON object");
    rest.remove_prefix(end + 1);
  }
  if (bytes.size() < kMaxRequestBytes)
    HOLDFAST_ASSERT(answers == static_cast<std::size_t>(std::ranges::count(bytes, '\n')),
                    "a line, an answer");
  return 0;
}
