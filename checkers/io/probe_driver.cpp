#include "checkers/io/probe_driver.hpp"

#include "checkers/io/datagram_session.hpp"
#include "checkers/io/file_session.hpp"
#include "checkers/io/probe_session.hpp"
#include "checkers/io/script_session.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace holdfast::checkers {

ProbeDriver::ProbeDriver(boost::asio::io_context& io, runtime::ScriptClient& scripts,
                         std::size_t limit, std::function<void(ProbeId, Outcome)> on_finished)
    : io_(io),
      scripts_(scripts),
      on_finished_(std::move(on_finished)),
      admission_(limit),
      self_(std::make_shared<ProbeDriver*>(this)) {}

ProbeDriver::~ProbeDriver() {
  *self_ = nullptr;
  for (auto& [id, session] : sessions_) session->cancel();
}

void ProbeDriver::start(ProbeId id, Lane lane, const ProbeSettings& settings) {
  waiting_.emplace(id, settings);
  admission_.enqueue(id, lane);
  admit_soon();
}

void ProbeDriver::stop(ProbeId id) {
  waiting_.erase(id);
  admission_.remove(id);
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  found->second->cancel();
  sessions_.erase(found);
  admit_soon();
}

void ProbeDriver::finished(ProbeId id, Outcome outcome) {
  sessions_.erase(id);
  admission_.remove(id);
  admit_soon();
  on_finished_(id, std::move(outcome));
}

void ProbeDriver::go_on_with(ProbeId id, ProbeSettings settings) {
  const Session session = session_for(id, std::move(settings));
  sessions_.insert_or_assign(id, session);
  session->begin();
}

void ProbeDriver::on_script_news(const runtime::ScriptClient::News& news) {
  const auto subject = subjects_.find(news.subject);
  if (subject == subjects_.end()) return;  // nobody waits for it any more
  const auto session = sessions_.find(subject->second);
  if (session == sessions_.end()) return;
  const auto script = std::static_pointer_cast<ScriptSession>(session->second);
  script->on_news(news);
}

ProbeDriver::Session ProbeDriver::session_for(ProbeId id, ProbeSettings settings) {
  Dialogue dialogue = std::move(settings.dialogue);
  return std::visit([&](auto& probe) { return make(id, std::move(settings), std::move(probe)); },
                    dialogue);
}

ProbeDriver::Session ProbeDriver::make(ProbeId id, ProbeSettings settings, TcpProbe probe) {
  return std::make_shared<ProbeSession>(io_, *this, id, std::move(settings), probe);
}
ProbeDriver::Session ProbeDriver::make(ProbeId id, ProbeSettings settings, HttpProbe probe) {
  return std::make_shared<ProbeSession>(io_, *this, id, std::move(settings), std::move(probe));
}
ProbeDriver::Session ProbeDriver::make(ProbeId id, ProbeSettings settings, SmtpProbe probe) {
  return std::make_shared<ProbeSession>(io_, *this, id, std::move(settings), std::move(probe));
}
ProbeDriver::Session ProbeDriver::make(ProbeId id, ProbeSettings settings, DnsProbe probe) {
  if (probe.by_stream)
    return std::make_shared<ProbeSession>(io_, *this, id, std::move(settings), std::move(probe));
  return std::make_shared<DatagramSession>(io_, *this, id, std::move(settings), std::move(probe));
}
ProbeDriver::Session ProbeDriver::make(ProbeId id, ProbeSettings settings, UdpProbe probe) {
  return std::make_shared<DatagramSession>(io_, *this, id, std::move(settings), std::move(probe));
}
ProbeDriver::Session ProbeDriver::make(ProbeId id, ProbeSettings settings, PingProbe probe) {
  return std::make_shared<DatagramSession>(io_, *this, id, std::move(settings), probe);
}
ProbeDriver::Session ProbeDriver::make(ProbeId id, ProbeSettings, ScriptProbe probe) {
  return std::make_shared<ScriptSession>(io_, *this, id, probe);
}
ProbeDriver::Session ProbeDriver::make(ProbeId id, ProbeSettings, FileProbe probe) {
  return std::make_shared<FileSession>(*this, id, std::move(probe));
}

std::optional<std::int32_t> ProbeDriver::number_in(const std::string& file) const {
  const auto found = numbers_.find(file);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

void ProbeDriver::admit_soon() {
  if (admission_.waiting() == 0 || std::exchange(admitting_soon_, true)) return;
  boost::asio::post(io_, [self = self_] {
    if (*self) (*self)->admit();
  });
}

void ProbeDriver::admit() {
  for (std::size_t begun = 0; begun < kStartsPerTurn; ++begun) {
    const auto id = admission_.admit();
    if (!id) break;
    const Session session = session_for(*id, std::move(waiting_.extract(*id).mapped()));
    sessions_.emplace(*id, session);
    session->begin();
  }
  admitting_soon_ = false;
  if (admission_.has_next()) admit_soon();
}

}  // namespace holdfast::checkers
