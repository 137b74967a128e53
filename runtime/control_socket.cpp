#include "runtime/control_socket.hpp"

#include "runtime/memory.hpp"
#include "runtime/unique_fd.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cerrno>
#include <cstring>
#include <map>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <unordered_set>

namespace holdfast::runtime {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
/// After a connection that could not be accepted.
constexpr std::chrono::milliseconds kAcceptPause{200};
using Socket = asio::local::stream_protocol::socket;

json::object error_reply(std::string_view sentence) {
  return {{"error", sentence}};
}

/// Root and the owner of the daemon; asked of the kernel, not of the client.
bool may_change(Socket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return false;
  return peer.uid == 0 || peer.uid == ::geteuid();
}

/// Too long for the kernel: an empty path.
sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() < sizeof address.sun_path) path.copy(address.sun_path, path.size());
  return address;
}

}  // namespace

bool somebody_listens(const std::string& path) {
  const sockaddr_un address = address_of(path);
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(probe.get(), generic, sizeof address) == 0 || errno == EAGAIN;
}

struct ControlServer::State : std::enable_shared_from_this<ControlServer::State> {
  struct Command {
    ControlAccess access;
    ControlHandler handler;
  };
  class Client;

  State(asio::io_context& io, std::string file) : acceptor(io), pause(io), path(std::move(file)) {}
  void accept();
  void accept_after_pause();

  asio::local::stream_protocol::acceptor acceptor;
  asio::steady_timer pause;
  std::string path;
  std::map<std::string, Command, std::less<>> commands;
  std::unordered_set<std::shared_ptr<Client>> clients;
};

/// One connection: reads a line, waits for its reply, writes it, reads the next.
class ControlServer::State::Client : public std::enable_shared_from_this<Client> {
 public:
  Client(std::weak_ptr<State> server, Socket socket)
      : server_(std::move(server)), socket_(std::move(socket)), input_(kMaxRequestBytes) {}

  void read() {
    asio::async_read_until(
        socket_, input_, '\n',
        [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
          if (error == asio::error::not_found) {
            self->last_words("the request is longer than 65536 bytes");
          } else if (error) {
            self->close();
          } else {
            self->on_line(size);
          }
        });
  }

  void last_words(std::string_view sentence) {
    closing_ = true;
    reply(error_reply(sentence));
  }

  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
    if (const auto server = server_.lock()) server->clients.erase(shared_from_this());
  }

 private:
  void on_line(std::size_t size) {
    const auto* begin = static_cast<const char*>(input_.data().data());
    const std::string line(begin, size);
    input_.consume(size);
    boost::system::error_code error;
    const json::value request = json::parse(line, error);
    if (error || !request.is_object())
      return reply(error_reply("the request is not a JSON object"));
    dispatch(request.get_object());
  }

  void dispatch(const json::object& request) {
    const auto server = server_.lock();
    if (!server) return close();
    const json::value* name = request.if_contains("command");
    if (name == nullptr || !name->is_string())
      return reply(error_reply("the request names no \"command\""));
    const auto found = server->commands.find(std::string_view(name->get_string()));
    if (found == server->commands.end()) {
      return reply(error_reply(
          fmt::format("there is no command \"{}\" here", std::string_view(name->get_string()))));
    }
    if (found->second.access == ControlAccess::change && !may_change(socket_)) {
      return reply(error_reply("only root and the owner of this process may change things"));
    }
    const auto handler = found->second.handler;  // a handler may register others
    handler(request, [weak = weak_from_this(),
                      answered = std::make_shared<bool>(false)](json::object answer) {
      const auto self = weak.lock();
      if (self && !std::exchange(*answered, true)) self->reply(std::move(answer));
    });
  }

  void reply(const json::object& answer) {
    output_ = json::serialize(answer) + "\n";
    asio::async_write(socket_, asio::buffer(output_),
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                        self->forget_reply();
                        if (error || self->closing_) return self->close();
                        self->read();
                      });
  }

  /// A long one was made of many small values, which the allocator would keep for the next.
  void forget_reply() {
    const bool was_long = output_.size() >= kReturnedBlockBytes;
    output_ = std::string();
    if (was_long) return_free_memory();
  }

  std::weak_ptr<State> server_;
  Socket socket_;
  asio::streambuf input_;
  std::string output_;
  bool closing_ = false;
};

void ControlServer::State::accept() {
  acceptor.async_accept([weak = weak_from_this()](boost::system::error_code error, Socket socket) {
    const auto self = weak.lock();
    if (!self || error == asio::error::operation_aborted) return;
    if (error) return self->accept_after_pause();
    const auto client = std::make_shared<Client>(self, std::move(socket));
    self->clients.insert(client);
    if (self->clients.size() > kMaxClients) {
      client->last_words("too many clients");
    } else {
      client->read();
    }
    self->accept();
  });
}

// Out of descriptors, the waiting client stays in the kernel's queue and would fail again at once.
void ControlServer::State::accept_after_pause() {
  pause.expires_after(kAcceptPause);
  pause.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    if (const auto self = weak.lock(); self && !error) self->accept();
  });
}

core::Result<std::unique_ptr<ControlServer>> ControlServer::listen(asio::io_context& io,
                                                                   const std::string& path) {
  const sockaddr_un address = address_of(path);
  if (address.sun_path[0] == '\0')
    return core::fail("the path of the control socket {} is too long", path);
  if (somebody_listens(path)) return core::fail("another process already answers on {}", path);
  // What is there is a socket nobody answers on, or something that others have put in the way.
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return core::fail_errno(errno, "cannot remove what is in the way of the control socket {}",
                            path);
  auto state = std::make_shared<State>(io, path);
  boost::system::error_code error;
  state->acceptor.open(asio::local::stream_protocol(), error);
  if (!error) state->acceptor.bind(asio::local::stream_protocol::endpoint(path), error);
  if (!error) state->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return core::fail_errno(error.value(), "cannot listen on the control socket {}", path);
  ::chmod(path.c_str(), 0666);
  state->accept();
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(state)));
}

ControlServer::ControlServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

ControlServer::~ControlServer() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
  for (const auto clients = state_->clients; const auto& client : clients) client->close();
  ::unlink(state_->path.c_str());
}

void ControlServer::handle(std::string command, ControlAccess access, ControlHandler handler) {
  state_->commands.insert_or_assign(std::move(command), State::Command{access, std::move(handler)});
}

}  // namespace holdfast::runtime
