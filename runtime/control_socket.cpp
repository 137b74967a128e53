#include "runtime/control_socket.hpp"

#include "runtime/control_desk.hpp"
#include "runtime/turn_meter.hpp"
#include "runtime/unique_fd.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <map>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

json::object error_reply(std::string_view sentence) {
  return {{"error", sentence}};
}

/// Too long for the kernel: an empty path.
sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() < sizeof address.sun_path) path.copy(address.sun_path, path.size());
  return address;
}

/// The owner of the directory may have put a link in place of the socket: it is not followed.
void open_to_all(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (file && ::fstat(file.get(), &status) == 0 && S_ISSOCK(status.st_mode))
    ::chmod(fmt::format("/proc/self/fd/{}", file.get()).c_str(), 0666);
}

core::Result<UniqueFd> listener_at(const std::string& path) {
  const sockaddr_un address = address_of(path);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::bind(socket.get(), generic, sizeof address) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0)
    return core::fail_errno(errno, "cannot listen on the control socket {}", path);
  open_to_all(path);
  return socket;
}

}  // namespace

std::string word_of(const boost::json::object& request, std::string_view key) {
  const auto* value = request.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

boost::json::object error_answer(const core::Error& error) {
  return {{"error", error.message}};
}

bool somebody_listens(const std::string& path) {
  const sockaddr_un address = address_of(path);
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(probe.get(), generic, sizeof address) == 0 || errno == EAGAIN;
}

/// What the loop does for the desk.
struct ControlServer::State : std::enable_shared_from_this<ControlServer::State> {
  State(asio::io_context& loop, std::string file) : io(loop), path(std::move(file)) {}

  void open_desk(UniqueFd listener);
  void answer(const ControlCaller& caller, const json::object& request);
  [[nodiscard]] const ControlHandler* handler_of(const std::string& command, bool may_change,
                                                 std::string& why_not) const;
  void begin_document(const std::string& command);
  void next_piece(const std::string& command);

  asio::io_context& io;
  std::string path;
  std::map<std::pair<std::string, ControlAccess>, ControlHandler> handlers;
  std::map<std::string, ControlDocumentMaker, std::less<>> makers;
  std::map<std::string, std::shared_ptr<ControlDocument>, std::less<>> in_work;
  std::shared_ptr<ControlDesk> desk;
};

void ControlServer::State::open_desk(UniqueFd listener) {
  const auto to_loop = [&loop = io, weak = weak_from_this()](auto work) {
    asio::post(loop, [weak, work = std::move(work)] {
      if (const auto self = weak.lock()) work(*self);
    });
  };
  desk = std::make_shared<ControlDesk>(
      listener.release(),
      ControlDesk::Wishes{
          .answer =
              [to_loop](ControlCaller caller, json::object request) {
                to_loop([caller, request = std::move(request)](State& self) {
                  self.answer(caller, request);
                });
              },
          .begin_document =
              [to_loop](std::string command) {
                to_loop(
                    [command = std::move(command)](State& self) { self.begin_document(command); });
              },
          .next_piece =
              [to_loop](std::string command) {
                to_loop([command = std::move(command)](State& self) { self.next_piece(command); });
              }});
}

void ControlServer::State::answer(const ControlCaller& caller, const json::object& request) {
  const std::string command(request.at("command").as_string());
  if (makers.contains(command)) return desk->give_document(caller, command);
  std::string why_not;
  const ControlHandler* found = handler_of(command, caller.may_change, why_not);
  if (found == nullptr) return desk->give(caller.client, error_reply(why_not));
  const auto handler = *found;  // a handler may register others
  handler(request, [weak = std::weak_ptr(desk), client = caller.client,
                    answered = std::make_shared<bool>(false)](json::object reply) {
    const auto alive = weak.lock();
    if (alive && !std::exchange(*answered, true)) alive->give(client, std::move(reply));
  });
}

const ControlHandler* ControlServer::State::handler_of(const std::string& command, bool may_change,
                                                       std::string& why_not) const {
  const auto for_all = handlers.find({command, ControlAccess::read});
  const auto for_owners = handlers.find({command, ControlAccess::change});
  if (for_all == handlers.end() && for_owners == handlers.end()) {
    why_not = fmt::format("there is no command \"{}\" here", command);
    return nullptr;
  }
  if (may_change && for_owners != handlers.end()) return &for_owners->second;
  if (for_all != handlers.end()) return &for_all->second;
  why_not = "only root and the owner of this process may change things";
  return nullptr;
}

void ControlServer::State::begin_document(const std::string& command) {
  makers.at(command)([weak = weak_from_this(), command](std::shared_ptr<ControlDocument> made) {
    const auto self = weak.lock();
    if (!self) return;
    self->in_work[command] = std::move(made);
    self->next_piece(command);
  });
}

void ControlServer::State::next_piece(const std::string& command) {
  const auto document = in_work.find(command);
  if (document == in_work.end()) return;
  ControlPiece piece = document->second->next();
  if (!piece) in_work.erase(document);
  desk->give_piece(command, std::move(piece));
}

core::Result<std::unique_ptr<ControlServer>> ControlServer::listen(asio::io_context& io,
                                                                   const std::string& path) {
  if (address_of(path).sun_path[0] == '\0')
    return core::fail("the path of the control socket {} is too long", path);
  if (somebody_listens(path)) return core::fail("another process already answers on {}", path);
  // What is there is a socket nobody answers on, or something that others have put in the way.
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return core::fail_errno(errno, "cannot remove what is in the way of the control socket {}",
                            path);
  auto listener = listener_at(path);
  if (!listener) return listener.error();
  auto state = std::make_shared<State>(io, path);
  state->open_desk(std::move(*listener));
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(state)));
}

ControlServer::ControlServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

ControlServer::~ControlServer() {
  state_->desk.reset();
  ::unlink(state_->path.c_str());
}

void ControlServer::handle(std::string command, ControlAccess access, ControlHandler handler) {
  state_->handlers.insert_or_assign(std::pair(std::move(command), access), std::move(handler));
}

void ControlServer::handle_document(std::string command, ControlDocumentMaker maker) {
  state_->makers.insert_or_assign(std::move(command), std::move(maker));
}

void answer_about_turns(ControlServer& server) {
  server.handle("measure-loop", ControlAccess::change,
                [](const json::object&, const ControlReply& reply) {
                  reply(turns_json());
                  count_turns();
                });
}

}  // namespace holdfast::runtime
