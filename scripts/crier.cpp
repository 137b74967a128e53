#include "scripts/crier.hpp"

#include "runtime/clock.hpp"

#include <boost/json/serialize.hpp>

#include "scripts/messages.hpp"
#include <utility>

namespace holdfast::scripts {

using runtime::Tidings;
using runtime::TidingsReport;

Crier::Crier(boost::asio::io_context& io, runtime::Logger& logger, const std::string& director)
    : logger_(logger),
      pipes_(io, logger, director),
      mailer_(io, logger, [this](mail::LetterId id) { on_settled(id); }),
      patience_(io, [this] { end(); }) {}

void Crier::prepare(Correspondence correspondence) {
  prepared_ = std::move(correspondence);
}

void Crier::commit() {
  if (!prepared_) return;
  has_committed_ = true;
  const Correspondence now = *std::exchange(prepared_, std::nullopt);
  mailer_.use(now.mail);
  pipes_.use(now.pipes);
  pipes_.tell_of_reload();
}

void Crier::take(const std::string& owner, Tidings tidings, Answer answer) {
  if (!has_committed_) commit();  // the teller heard of it before us
  const PipeKind kind = tidings.scope == Tidings::Scope::vrrp ? PipeKind::vrrp : PipeKind::lvs;
  if (tidings.lost != 0) pipes_.count_lost(kind, tidings.lost);
  if (!tidings.line.empty()) pipes_.write(kind, tidings.line);
  answer({tidings.id, TidingsReport::What::taken});
  if (tidings.title.empty()) return;
  const mail::LetterId letter = ++last_letter_;
  letters_.emplace(letter, Waiting{tidings.id, std::move(answer)});
  mailer_.post(letter, fmt::format("{} {}", owner, tidings.subject), std::move(tidings.title),
               std::move(tidings.body));
}

void Crier::on_settled(mail::LetterId id) {
  const auto waiting = letters_.extract(id);
  if (waiting) waiting.mapped().answer({waiting.mapped().id, TidingsReport::What::settled});
}

void Crier::leave(std::function<void()> on_left) {
  on_left_ = std::move(on_left);
  pipes_.leave([this] {
    patience_.arm(runtime::now() + kMailPatience);
    mailer_.when_quiet([this] { end(); });
  });
}

void Crier::end() {
  if (!on_left_) return;
  patience_.arm(std::nullopt);
  if (mailer_.waiting() != 0)
    logger_.log(kMailLeft, "{} letters are not sent any more", mailer_.waiting());
  std::exchange(on_left_, {})();
}

std::string Crier::status() const {
  return boost::json::serialize(
      boost::json::object{{"mail", mailer_.status(runtime::now())}, {"pipes", pipes_.status()}});
}

}  // namespace holdfast::scripts
