#include "scripts/mailer.hpp"

#include "runtime/clock.hpp"

#include "mail/order.hpp"
#include "scripts/messages.hpp"
#include "scripts/spawn.hpp"
#include <csignal>
#include <unistd.h>
#include <utility>

namespace holdfast::scripts {

/// One process and the letters that it carries.
struct Mailer::Session {
  std::vector<mail::LetterId> letters;
  std::shared_ptr<Running> process;            // until it was reaped
  std::unique_ptr<runtime::MessagePipe> pipe;  // until all that it said was heard
  std::string why;                             // it ended badly
};

Mailer::Mailer(boost::asio::io_context& io, runtime::Logger& logger, OnSettled on_settled)
    : io_(io),
      logger_(logger),
      on_settled_(std::move(on_settled)),
      timer_(io, [this] { handle(mail::Tick{}); }),
      session_limit_(io, [this] {
        if (session_ && session_->process)
          session_->process->strike(SIGKILL, core::EndedBy::time_limit);
      }) {}

Mailer::~Mailer() {
  if (!session_ || !session_->process) return;
  session_->process->strike(SIGKILL, core::EndedBy::farewell);
  session_->process->forget();
}

void Mailer::use(mail::Settings settings) {
  if (settings == settings_) return;
  settings_ = std::move(settings);
  handle(mail::SettingsChanged{.can_send = settings_.is_complete()});
}

void Mailer::post(mail::LetterId id, const std::string& subject, std::string title,
                  std::string body) {
  if (!settings_.is_complete()) return on_settled_(id);
  const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(
                                   (runtime::now() + runtime::utc_ahead()).time_since_epoch())
                                   .count();
  handle(mail::Posted{id,
                      subject,
                      {.title = std::move(title),
                       .body = std::move(body),
                       .written_at = seconds,
                       .id = fmt::format("{}.{}.{}", seconds, ::getpid(), id)}});
}

void Mailer::handle(mail::Event event) {
  events_.push_back(std::move(event));
  if (std::exchange(handling_, true)) return;
  mail::Actions actions;
  for (std::size_t i = 0; i < events_.size(); ++i) {
    const mail::Event next = std::move(events_[i]);
    actions.clear();
    queue_.step(next, runtime::now(), actions);
    for (const mail::Action& action : actions)
      std::visit([this](const auto& one) { perform(one); }, action);
  }
  events_.clear();
  handling_ = false;
  timer_.arm(queue_.deadline());
  const bool is_quiet = !session_;
  if (is_quiet && on_quiet_) std::exchange(on_quiet_, {})();
}

void Mailer::when_quiet(std::function<void()> on_quiet) {
  if (!session_) return on_quiet();
  on_quiet_ = std::move(on_quiet);
}

void Mailer::perform(const mail::Begin& action) {
  if (const auto started = start_session(action.letters); !started)
    end_session(started.error().message);
}

mail::Parcel Mailer::parcel_of(mail::LetterId id) const {
  mail::Parcel parcel{.sender = settings_.sender.address,
                      .receivers = queue_.only_for(id),
                      .text = mail::compose(queue_.letter(id), settings_)};
  if (!parcel.receivers.empty()) return parcel;
  for (const mail::Mailbox& box : settings_.receivers) parcel.receivers.push_back(box.address);
  return parcel;
}

core::Result<void> Mailer::start_session(const std::vector<mail::LetterId>& letters) {
  session_ = std::make_unique<Session>();
  session_->letters = letters;
  mail::Order order{.relay = settings_.relay,
                    .port = settings_.port,
                    .patience = settings_.patience,
                    .helo = settings_.helo,
                    .keys = settings_.keys};
  for (const mail::LetterId id : letters) order.parcels.push_back(parcel_of(id));
  std::vector<std::uint8_t> bytes = encode(order);
  // Very many receivers: what does not fit waits for the next session.
  while (bytes.size() > runtime::MessagePipe::kMaxMessage && order.parcels.size() > 1) {
    order.parcels.resize(order.parcels.size() / 2);
    bytes = encode(order);
  }
  if (bytes.size() > runtime::MessagePipe::kMaxMessage)
    return core::fail("one letter to {} receivers is too large", settings_.receivers.size());
  auto ends = runtime::make_pipe_pair();
  if (!ends) return ends.error();
  // As this process is: the postman gives up by itself what it has.
  const core::Command command{.argv = {"holdfast", "--role=mail"},
                              .user = {::geteuid(), ::getegid(), {::getegid()}}};
  auto spawned = spawn("/proc/self/exe", command, {.standard_input = ends->other.get()});
  if (!spawned) return spawned.error();
  session_->process = std::make_shared<Running>(
      io_, std::move(*spawned), runtime::now(), [this](const core::ScriptOutcome& outcome) {
        constexpr std::int32_t kSaidWhy = 2;
        const bool is_fine = outcome.end == core::ScriptEnd::exited &&
                             (outcome.code == 0 || outcome.code == kSaidWhy);
        if (!is_fine)
          session_->why = fmt::format("the process that carries mail {}", outcome.to_string());
        session_->process.reset();
        look_whether_over();
      });
  session_->process->wait();
  session_->pipe = std::make_unique<runtime::MessagePipe>(
      io_, std::move(ends->one),
      runtime::MessagePipe::Callbacks{
          .on_message = [this](std::span<const std::uint8_t> said) { on_report(said); },
          .on_closed =
              [this] {
                session_->pipe.reset();
                look_whether_over();
              }});
  session_->pipe->send(bytes);
  session_limit_.arm(runtime::now() + kLongestSession);
  return {};
}

void Mailer::on_report(std::span<const std::uint8_t> bytes) {
  const auto report = mail::decode_report(bytes);
  if (!report || report->parcel >= session_->letters.size()) return;
  handle(mail::Decided{session_->letters[report->parcel], report->delivery});
}

void Mailer::look_whether_over() {
  if (session_ && !session_->process && !session_->pipe) end_session(session_->why);
}

void Mailer::end_session(const std::string& why) {
  session_limit_.arm(std::nullopt);
  session_.reset();
  handle(mail::SessionOver{why});
}

void Mailer::perform(const mail::Settled& action) {
  using How = mail::Settled::How;
  if (action.how == How::sent && std::exchange(in_trouble_, false))
    logger_.log(kMailWorks, "mail leaves again; {} letters wait", queue_.waiting());
  const bool is_failure =
      action.how == How::refused || action.how == How::given_up || action.how == How::lost;
  const bool is_partial = action.how == How::sent && !action.why.empty();
  if ((is_failure || is_partial) && refusal_noise_.admit(action.why, runtime::now()))
    logger_.log(kMailLost, "mail about {} {}: {}", action.subject,
                is_failure ? "is not sent" : "does not reach everybody", action.why);
  on_settled_(action.id);
}

void Mailer::perform(const mail::Troubled& action) {
  in_trouble_ = true;
  logger_.log(kMailWaits, "{}; {} letters wait, the next try is in {} s", action.why,
              queue_.waiting(), action.pause / std::chrono::seconds(1));
}

boost::json::object Mailer::status(core::Instant now) const {
  const mail::Queue::Counts& counts = queue_.counts();
  boost::json::object page{
      {"sent", counts.sent},           {"failed", counts.failed},
      {"overtaken", counts.overtaken}, {"refused_receivers", counts.refused_receivers},
      {"sessions", counts.sessions},   {"waiting", queue_.waiting()},
      {"last_error", nullptr}};
  if (const auto& trouble = queue_.last_trouble())
    page["last_error"] = {
        {"message", trouble->why},
        {"ago_ms", static_cast<double>((now - trouble->at) / std::chrono::milliseconds(1))}};
  return page;
}

}  // namespace holdfast::scripts
