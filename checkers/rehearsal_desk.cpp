#include "checkers/rehearsal_desk.hpp"

#include "checkers/rehearse.hpp"

namespace holdfast::checkers {

namespace json = boost::json;

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

std::shared_ptr<CheckersCopy> RehearsalDesk::copy() const {
  auto copy = std::make_shared<CheckersCopy>(copy_());
  copy->is_wanted = job_.is_wanted();
  return copy;
}

void RehearsalDesk::rehearse(const json::object& request, const runtime::ControlReply& reply) {
  job_.read_snapshot<Settings>(
      request, read_settings_,
      [this, reply](Settings next) {
        job_.answer(
            [copy = copy(), next = std::make_shared<Settings>(std::move(next))] {
              return rehearse_reload(std::move(*copy), std::move(*next));
            },
            reply);
      },
      reply);
}

void RehearsalDesk::suppose(const json::object& request, const runtime::ControlReply& reply) {
  if (runtime::word_of(request, "what") != "server")
    return reply({{"error", "only a server can be supposed up or down here"}});
  job_.answer(
      [copy = copy(), server = runtime::word_of(request, "name"),
       value = runtime::word_of(request, "value")] {
        auto answer = rehearse_what_if(std::move(*copy), server, value);
        return answer ? std::move(*answer) : runtime::error_answer(answer.error());
      },
      reply);
}

}  // namespace holdfast::checkers
