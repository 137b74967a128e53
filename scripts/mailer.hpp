// The mail of the director: lets the queue decide what leaves when, and starts a process for each
// session with the relay (mail/postman.hpp). Waits for nothing; whatever the relay or a name
// service does costs letters, never a script.
#pragma once

#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "runtime/message_pipe.hpp"

#include <boost/json/object.hpp>

#include "mail/core/queue.hpp"
#include "mail/core/settings.hpp"
#include "scripts/running.hpp"
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace holdfast::scripts {

class Mailer {
 public:
  /// Of one session. Letters that it has not decided by then are tried again.
  static constexpr core::Duration kLongestSession = std::chrono::minutes(5);

  /// Nothing more will become of this letter.
  using OnSettled = std::function<void(mail::LetterId)>;
  Mailer(boost::asio::io_context& io, runtime::Logger& logger, OnSettled on_settled);
  ~Mailer();
  Mailer(const Mailer&) = delete;
  Mailer& operator=(const Mailer&) = delete;

  void use(mail::Settings settings);
  /// Without a relay or receivers it is settled at once.
  void post(mail::LetterId id, const std::string& subject, std::string title, std::string body);
  /// Calls once when no session is under way and nothing could begin one at once.
  void when_quiet(std::function<void()> on_quiet);

  [[nodiscard]] std::size_t waiting() const { return queue_.waiting(); }
  /// {"sent", "failed", "overtaken", "refused_receivers", "waiting", "last_error": {…} or null}.
  [[nodiscard]] boost::json::object status(core::Instant now) const;

 private:
  struct Session;

  void handle(mail::Event event);
  void perform(const mail::Begin& action);
  void perform(const mail::Settled& action);
  void perform(const mail::Troubled& action);
  [[nodiscard]] core::Result<void> start_session(const std::vector<mail::LetterId>& letters);
  [[nodiscard]] mail::Parcel parcel_of(mail::LetterId id) const;
  void on_report(std::span<const std::uint8_t> bytes);
  void look_whether_over();
  void end_session(const std::string& why);

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  OnSettled on_settled_;
  mail::Settings settings_;
  mail::Queue queue_;
  runtime::DeadlineTimer timer_;
  runtime::DeadlineTimer session_limit_;
  std::unique_ptr<Session> session_;
  std::vector<mail::Event> events_;  // an action's answer waits for the step that runs
  bool handling_ = false;
  bool in_trouble_ = false;
  runtime::RateLimiter refusal_noise_{std::chrono::minutes(10)};
  std::function<void()> on_quiet_;
};

}  // namespace holdfast::scripts
