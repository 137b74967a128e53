// SMTP_CHECK: waits for the whole greeting, says EHLO (HELO where that is not known), and takes its
// leave. One command at a time, never before the server has finished: who speaks early is taken for
// a spammer. Pure.
#pragma once

#include "checkers/core/dialogue.hpp"
#include "core/smtp_reply.hpp"

#include <optional>
#include <string>

namespace holdfast::checkers {

class SmtpDialogue {
 public:
  /// `helo_name`: never empty.
  explicit SmtpDialogue(std::string helo_name) : helo_name_(std::move(helo_name)) {}

  [[nodiscard]] Step advance(std::string_view received, bool peer_closed);

 private:
  enum class Stage : std::uint8_t { greeting, ehlo, helo, quit };

  [[nodiscard]] Step on_reply(const core::SmtpReply& reply);
  [[nodiscard]] Step say(Stage stage, std::string command);
  /// The verdict is given when the server has said goodbye.
  [[nodiscard]] Step conclude(const core::SmtpReply& reply, Outcome outcome);
  [[nodiscard]] Verdict on_close() const;

  std::string helo_name_;
  core::SmtpReplyReader reader_;
  Stage stage_ = Stage::greeting;
  std::string command_;
  std::optional<Outcome> outcome_;
};

}  // namespace holdfast::checkers
