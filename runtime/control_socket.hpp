// JSON lines over a Unix socket: how a process tells its state and takes orders. One request object
// per line, one reply object per line, in order. Errors are {"error":"sentence"}.
#pragma once

#include "core/result.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <memory>
#include <string>

namespace holdfast::runtime {

/// Who may give a command: everybody who can connect, or only root and the daemon's own user
/// (SO_PEERCRED).
enum class ControlAccess : std::uint8_t { read, change };

/// Call once, now or later from the loop. After the client has gone it does nothing.
using ControlReply = std::function<void(boost::json::object)>;
/// `request` is the whole object, "command" included.
using ControlHandler = std::function<void(const boost::json::object& request, ControlReply reply)>;

/// True when a process accepts connections at `path` now; a file left by a crash refuses them. Does
/// not wait.
[[nodiscard]] bool somebody_listens(const std::string& path);

class ControlServer {
 public:
  /// A request line longer than this ends the connection with an error.
  static constexpr std::size_t kMaxRequestBytes = 64 * 1024;
  /// Further clients are told "too many clients" and closed.
  static constexpr std::size_t kMaxClients = 256;

  /// Listens on `path` (mode 0666: reading is for everybody). A stale socket file is replaced; when
  /// a process still answers there this fails and says so.
  [[nodiscard]] static core::Result<std::unique_ptr<ControlServer>> listen(
      boost::asio::io_context& io, const std::string& path);
  /// Closes all connections and removes the socket file.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  void handle(std::string command, ControlAccess access, ControlHandler handler);

 private:
  struct State;
  explicit ControlServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace holdfast::runtime
