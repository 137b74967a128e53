// What this process does with tidings: a line for the pipes, a letter for the mailer, an answer to
// whoever told.
#pragma once

#include "runtime/tidings.hpp"

#include "scripts/mailer.hpp"
#include "scripts/pipes.hpp"
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace holdfast::scripts {

class Crier {
 public:
  /// At the end a session with the relay that is under way gets this long.
  static constexpr core::Duration kMailPatience = std::chrono::seconds(2);

  /// `director`: as of Pipes.
  Crier(boost::asio::io_context& io, runtime::Logger& logger, const std::string& director);

  /// Of a configuration that may come into use.
  void prepare(Correspondence correspondence);
  /// The one that was prepared last is in use.
  void commit();
  using Answer = std::function<void(runtime::TidingsReport)>;
  void take(const std::string& owner, runtime::Tidings tidings, Answer answer);
  /// Nobody has anything to tell any more. `on_left` once, within seconds.
  void leave(std::function<void()> on_left);
  /// {"mail": {…}, "pipes": […]} as text.
  [[nodiscard]] std::string status() const;

 private:
  struct Waiting {
    std::uint64_t id = 0;  // the teller's
    Answer answer;
  };

  void on_settled(mail::LetterId id);
  void end();

  runtime::Logger& logger_;
  std::optional<Correspondence> prepared_;
  bool has_committed_ = false;
  Pipes pipes_;
  std::map<mail::LetterId, Waiting> letters_;  // for whose end somebody waits
  Mailer mailer_;
  runtime::DeadlineTimer patience_;
  mail::LetterId last_letter_ = 0;
  std::function<void()> on_left_;
};

}  // namespace holdfast::scripts
