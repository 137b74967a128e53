// The thread behind a control socket: accepts, reads and writes, so that no client can hold up the
// loop of its process. Made by ControlServer; the loop and the desk only post to each other.
//
// What strangers can take is bounded: a few connections in all and for each user, of which root
// needs none; a limit for a request and for reading an answer; a pace at which their requests reach
// the loop; a bound on answers that wait in memory for slow readers.
#pragma once

#include "core/time.hpp"
#include "runtime/control_socket.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <thread>
#include <utility>
#include <vector>

namespace holdfast::runtime {

/// A request line longer than this ends the connection with an error.
inline constexpr std::size_t kMaxRequestBytes = 64 * 1024;
/// The same for root and the process's own user, who send a configuration to be rehearsed.
inline constexpr std::size_t kMaxOwnersRequestBytes = std::size_t{64} << 20;
/// What others than root are told may be this old.
inline constexpr core::Duration kDocumentAge = std::chrono::seconds(1);
/// A stranger's connection without a whole request for so long is closed; likewise one that has not
/// taken its answer by then.
inline constexpr core::Duration kStrangersPatience = std::chrono::seconds(5);
/// The same for root and the process's own user.
inline constexpr core::Duration kOwnersPatience = std::chrono::seconds(60);
/// Between two requests of strangers that reach the loop; others wait in their order.
inline constexpr core::Duration kStrangersPace = std::chrono::milliseconds(50);
/// Documents in memory occupy at most this and the latest one; then the readers of the oldest are
/// cut off.
inline constexpr std::size_t kMaxHeldBytes = std::size_t{32} << 20;

/// How many connections may be open. Further ones are told "too many clients" and closed.
struct ControlSlots {
  std::size_t owners = 0;     ///< Of root and the process's own user: never taken by others.
  std::size_t strangers = 0;  ///< Of all other users together.
  std::size_t per_user = 0;   ///< Of each of these.

  /// A process that may open few files keeps them for its work.
  [[nodiscard]] static ControlSlots within(std::size_t descriptors);
};

/// Who asks, for the loop. The number is never used again.
struct ControlCaller {
  std::uint64_t client = 0;
  bool may_change = false;
};

class ControlDesk {
 public:
  using Acceptor = boost::asio::local::stream_protocol::acceptor;
  using Socket = boost::asio::local::stream_protocol::socket;
  /// What the desk wants of the loop. Called in the desk's thread: they post.
  struct Wishes {
    std::function<void(ControlCaller caller, boost::json::object request)> answer;
    std::function<void(std::string command)> begin_document;
    std::function<void(std::string command)> next_piece;
  };

  /// `listener`: a socket that listens, owned from now on.
  ControlDesk(int listener, Wishes wishes);
  /// Answers that were given before are written as far as the sockets take them.
  ~ControlDesk();
  ControlDesk(const ControlDesk&) = delete;
  ControlDesk& operator=(const ControlDesk&) = delete;

  // From the loop.
  void give(std::uint64_t client, boost::json::object answer);
  /// The answer is a document.
  void give_document(ControlCaller caller, std::string command);
  /// Empty: the document is complete.
  void give_piece(std::string command, ControlPiece piece);

 private:
  class Client;
  using Text = std::shared_ptr<const std::string>;
  struct Document {
    Text latest;  ///< For strangers; while it is fresh.
    core::Instant complete_at;
    core::Instant begun_at;
    bool in_work = false;
    std::string text;                    ///< In work.
    std::vector<std::uint64_t> served;   ///< By the one in work.
    std::vector<std::uint64_t> waiting;  ///< By the one after that.
    std::shared_ptr<boost::asio::steady_timer> pause;
    std::shared_ptr<boost::asio::steady_timer> freshness;
  };

  void run();
  void accept();
  void accept_after_pause();
  void receive(Socket socket);
  [[nodiscard]] bool has_slot(uid_t uid) const;
  [[nodiscard]] std::shared_ptr<Client> find(std::uint64_t client) const;
  void closed(std::uint64_t client);

  void ask(ControlCaller caller, boost::json::object request);
  void ask_for_next_stranger();
  void want_document(ControlCaller caller, const std::string& command);
  void begin(const std::string& command);
  void take_piece(const std::string& command, const ControlPiece& piece);
  void complete(const std::string& command);
  void keep_while_fresh(const std::string& command, const Text& text);
  void hold(const Text& text);
  void shut();

  Wishes wishes_;
  uid_t owner_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  Acceptor acceptor_;
  boost::asio::steady_timer accept_pause_;
  std::map<std::uint64_t, std::shared_ptr<Client>> clients_;
  std::uint64_t last_client_ = 0;
  std::map<std::string, Document, std::less<>> documents_;
  std::deque<std::weak_ptr<const std::string>> held_;  // oldest first
  /// One of each stranger's connection at most.
  std::deque<std::pair<ControlCaller, boost::json::object>> strangers_;
  boost::asio::steady_timer strangers_pace_;
  bool strangers_pause_ = false;
  std::thread thread_;
};

}  // namespace holdfast::runtime
