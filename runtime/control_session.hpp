// One connection of a control socket: reads a line, waits for its reply, writes it, reads the next.
// Lives in the desk's thread.
#pragma once

#include "runtime/control_desk.hpp"

#include <boost/asio/streambuf.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast::runtime {

class ControlDesk::Client : public std::enable_shared_from_this<Client> {
 public:
  struct Desk {
    std::function<void(bool may_change, boost::json::object request)> ask;
    std::function<void()> closed;
  };

  Client(Socket socket, uid_t user, bool is_owner, Desk desk);

  void read();
  void say(Text text);
  void say_error(std::string_view sentence);
  void close();

  [[nodiscard]] uid_t user() const { return user_; }
  [[nodiscard]] bool is_owner() const { return is_owner_; }
  /// True while it has not taken all of this answer.
  [[nodiscard]] bool is_taking(const Text& text) const { return output_ == text; }

 private:
  void on_line(std::size_t size);
  void last_words(std::string_view sentence);
  /// The connection ends unless this is called again, or calm(), before the patience ends.
  void hurry();
  void calm();

  Socket socket_;
  uid_t user_;
  bool is_owner_;
  Desk desk_;
  boost::asio::steady_timer limit_;
  boost::asio::streambuf input_;
  Text output_;
  bool closing_ = false;
};

}  // namespace holdfast::runtime
