#include "checkers/io/probe_driver.hpp"

#include "checkers/io/probe_session.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace holdfast::checkers {

ProbeDriver::ProbeDriver(boost::asio::io_context& io, std::size_t limit,
                         std::function<void(ProbeId, Outcome)> on_finished)
    : io_(io),
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
    auto session =
        std::make_shared<ProbeSession>(io_, *this, *id, std::move(waiting_.extract(*id).mapped()));
    sessions_.emplace(*id, session);
    session->begin();
  }
  admitting_soon_ = false;
  if (admission_.has_next()) admit_soon();
}

}  // namespace holdfast::checkers
