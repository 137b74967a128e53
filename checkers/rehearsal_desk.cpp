#include "checkers/rehearsal_desk.hpp"

#include "checkers/rehearse.hpp"
#include "runtime/base64.hpp"

namespace holdfast::checkers {
namespace {

namespace json = boost::json;

std::string word_of(const json::object& request, std::string_view key) {
  const auto* value = request.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

json::object error_of(const core::Error& error) {
  return {{"error", error.message}};
}

}  // namespace

RehearsalDesk::RehearsalDesk(boost::asio::io_context& io, Copy copy, ReadSettings read_settings)
    : copy_(std::move(copy)), read_settings_(std::move(read_settings)), job_(io) {}

void RehearsalDesk::answer_on(runtime::ControlServer& server) {
  using Access = runtime::ControlAccess;
  server.handle("rehearse", Access::change,
                [this](const json::object& request, const runtime::ControlReply& reply) {
                  rehearse(request, reply);
                });
  server.handle("what-if", Access::change,
                [this](const json::object& request, const runtime::ControlReply& reply) {
                  suppose(request, reply);
                });
}

void RehearsalDesk::rehearse(const json::object& request, const runtime::ControlReply& reply) {
  const auto next = std::make_shared<core::Result<Settings>>(core::fail("it is no snapshot"));
  const auto started = job_.start(
      [this, text = word_of(request, "snapshot"), next] {
        if (const auto bytes = runtime::from_base64(text)) *next = read_settings_(*bytes);
      },
      [this, next, reply] {
        if (!*next) return reply(error_of(next->error()));
        answer_aside([copy = std::make_shared<CheckersCopy>(copy_()),
                      next] { return rehearse_reload(std::move(*copy), std::move(**next)); },
                     reply);
      });
  if (!started) reply(error_of(started.error()));
}

void RehearsalDesk::suppose(const json::object& request, const runtime::ControlReply& reply) {
  if (word_of(request, "what") != "server")
    return reply({{"error", "only a server can be supposed up or down here"}});
  answer_aside(
      [copy = std::make_shared<CheckersCopy>(copy_()), server = word_of(request, "name"),
       value = word_of(request, "value")] {
        auto answer = rehearse_what_if(std::move(*copy), server, value);
        return answer ? std::move(*answer) : error_of(answer.error());
      },
      reply);
}

void RehearsalDesk::answer_aside(std::function<json::object()> make,
                                 const runtime::ControlReply& reply) {
  const auto answer = std::make_shared<json::object>();
  const auto started = job_.start([answer, make = std::move(make)] { *answer = make(); },
                                  [answer, reply] { reply(std::move(*answer)); });
  if (!started) reply(error_of(started.error()));
}

}  // namespace holdfast::checkers
