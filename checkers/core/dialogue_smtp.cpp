#include "checkers/core/dialogue_smtp.hpp"

#include <fmt/format.h>

namespace holdfast::checkers {
namespace {

constexpr int kReady = 220;
constexpr int kDone = 250;
constexpr int kLeaving = 421;  // RFC 5321 §3.8: the server closes by itself

bool is_refusal(int code) {
  return code >= 500;
}

}  // namespace

Step SmtpDialogue::advance(std::string_view received, bool peer_closed) {
  reader_.feed(received);
  if (const auto reply = reader_.next()) return on_reply(*reply);
  if (!reader_.problem().empty()) {
    if (outcome_) return Verdict{*outcome_};
    return Verdict{
        failed(Cause::malformed_reply, fmt::format("not an SMTP reply: {}", reader_.problem()))};
  }
  if (peer_closed) return on_close();
  return NeedMore{};
}

Step SmtpDialogue::on_reply(const core::SmtpReply& reply) {
  switch (stage_) {
    case Stage::greeting:
      if (reply.code == kReady) return say(Stage::ehlo, fmt::format("EHLO {}\r\n", helo_name_));
      return conclude(
          reply, failed(Cause::wrong_status, fmt::format("greets with {}", reply.to_string())));
    case Stage::ehlo:
      if (reply.code == kDone) return conclude(reply, passed("takes EHLO"));
      if (is_refusal(reply.code)) return say(Stage::helo, fmt::format("HELO {}\r\n", helo_name_));
      return conclude(reply, failed(Cause::wrong_status,
                                    fmt::format("answers EHLO with {}", reply.to_string())));
    case Stage::helo:
      if (reply.code == kDone) return conclude(reply, passed("takes HELO"));
      return conclude(reply, failed(Cause::wrong_status,
                                    fmt::format("answers HELO with {}", reply.to_string())));
    case Stage::quit:
      break;
  }
  return Verdict{*outcome_};
}

Step SmtpDialogue::say(Stage stage, std::string command) {
  stage_ = stage;
  command_ = std::move(command);
  return Send{command_};
}

Step SmtpDialogue::conclude(const core::SmtpReply& reply, Outcome outcome) {
  if (reply.code == kLeaving) return Verdict{std::move(outcome)};
  outcome_ = std::move(outcome);
  return say(Stage::quit, "QUIT\r\n");
}

Verdict SmtpDialogue::on_close() const {
  switch (stage_) {
    case Stage::greeting:
      return Verdict{
          failed(Cause::closed_early, "the server closed the connection before it had greeted")};
    case Stage::ehlo:
    case Stage::helo:
      return Verdict{failed(Cause::closed_early,
                            fmt::format("the server closed the connection in place of an answer to "
                                        "{}",
                                        stage_ == Stage::ehlo ? "EHLO" : "HELO"))};
    case Stage::quit:
      break;
  }
  return Verdict{*outcome_};
}

}  // namespace holdfast::checkers
