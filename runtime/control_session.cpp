#include "runtime/control_session.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace holdfast::runtime {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

}  // namespace

ControlDesk::Client::Client(Socket socket, uid_t user, bool is_owner, Desk desk)
    : socket_(std::move(socket)),
      user_(user),
      is_owner_(is_owner),
      desk_(std::move(desk)),
      limit_(socket_.get_executor()),
      input_(is_owner ? kMaxOwnersRequestBytes : kMaxRequestBytes) {}

void ControlDesk::Client::read() {
  hurry();
  asio::async_read_until(
      socket_, input_, '\n',
      [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
        self->calm();
        if (error == asio::error::not_found) {
          self->last_words(
              fmt::format("the request is longer than {} bytes", self->input_.max_size()));
        } else if (error) {
          self->close();
        } else {
          self->on_line(size);
        }
      });
}

void ControlDesk::Client::on_line(std::size_t size) {
  const auto* begin = static_cast<const char*>(input_.data().data());
  const std::string line(begin, size);
  input_.consume(size);
  boost::system::error_code error;
  json::value request = json::parse(line, error);
  if (error || !request.is_object()) return say_error("the request is not a JSON object");
  request.get_object()["caller_uid"] = user_;  // the kernel's word, whatever the request says
  desk_.ask(is_owner_, std::move(request.get_object()));
}

void ControlDesk::Client::say(Text text) {
  output_ = std::move(text);
  hurry();
  asio::async_write(socket_, asio::buffer(*output_),
                    [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                      self->calm();
                      self->output_.reset();
                      if (error || self->closing_) return self->close();
                      self->read();
                    });
}

void ControlDesk::Client::say_error(std::string_view sentence) {
  say(std::make_shared<const std::string>(json::serialize(json::object{{"error", sentence}}) +
                                          "\n"));
}

void ControlDesk::Client::last_words(std::string_view sentence) {
  closing_ = true;
  say_error(sentence);
}

void ControlDesk::Client::close() {
  calm();
  if (!socket_.is_open()) return;
  boost::system::error_code ignored;
  socket_.close(ignored);
  desk_.closed();
}

void ControlDesk::Client::hurry() {
  limit_.expires_after(is_owner_ ? kOwnersPatience : kStrangersPatience);
  limit_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (self && !error) self->close();
  });
}

void ControlDesk::Client::calm() {
  limit_.cancel();
}

}  // namespace holdfast::runtime
