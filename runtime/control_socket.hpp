// JSON lines over a Unix socket: how a process tells its state and takes orders. One request object
// per line, one reply object per line, in order. Errors are {"error":"sentence"}.
//
// The connections live in a thread of their own (control_desk.hpp): whatever strangers do with
// them, the loop sees at most whole requests, at a bounded pace, and makes long answers in pieces.
#pragma once

#include "core/result.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast::runtime {

/// Who may give a command: everybody who can connect, or only root and the daemon's own user
/// (SO_PEERCRED).
enum class ControlAccess : std::uint8_t { read, change };

/// Call once, now or later from the loop. After the client has gone it does nothing.
using ControlReply = std::function<void(boost::json::object)>;
/// `request` is the whole object, "command" included.
using ControlHandler = std::function<void(const boost::json::object& request, ControlReply reply)>;

/// A member of the request that is a text; empty: there is none.
[[nodiscard]] std::string word_of(const boost::json::object& request, std::string_view key);
/// {"error":"sentence"}
[[nodiscard]] boost::json::object error_answer(const core::Error& error);

/// Writes a piece of a long answer from what was copied for it. Runs in the thread of the
/// connections, so it owns all that it needs.
using ControlPiece = std::function<void(std::string& text)>;

/// A long answer: one line of JSON, in pieces.
class ControlDocument {
 public:
  virtual ~ControlDocument() = default;
  /// In the loop, once a turn: copies the next bounded part of what is to be told. Empty: that was
  /// all.
  virtual ControlPiece next() = 0;
};

/// Begins a document: calls `made` once, now or later from the loop.
using ControlDocumentMaker =
    std::function<void(std::function<void(std::shared_ptr<ControlDocument>)> made)>;

/// True when a process accepts connections at `path` now; a file left by a crash refuses them. Does
/// not wait.
[[nodiscard]] bool somebody_listens(const std::string& path);

class ControlServer {
 public:
  /// Listens on `path` (mode 0666: reading is for everybody). A stale socket file is replaced; when
  /// a process still answers there this fails and says so.
  [[nodiscard]] static core::Result<std::unique_ptr<ControlServer>> listen(
      boost::asio::io_context& io, const std::string& path);
  /// Closes all connections and removes the socket file.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// One word may have two handlers: then those who may change things get theirs, and everybody
  /// else the other.
  void handle(std::string command, ControlAccess access, ControlHandler handler);
  /// For everybody. One is made at a time, for all who wait; root gets one that was begun after it
  /// asked, others one that may be kDocumentAge old (control_desk.hpp).
  void handle_document(std::string command, ControlDocumentMaker maker);

 private:
  struct State;
  explicit ControlServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// "measure-loop", for those who may change things: counts the loop's turns from zero, and tells
/// what was known until then.
void answer_about_turns(ControlServer& server);

}  // namespace holdfast::runtime
