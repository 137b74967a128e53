#include "checkers/io/probe_driver.hpp"

#include "checkers/io/probe_session.hpp"

#include <algorithm>

namespace holdfast::checkers {

ProbeDriver::ProbeDriver(boost::asio::io_context& io,
                         std::function<void(ProbeId, Outcome)> on_finished)
    : io_(io), on_finished_(std::move(on_finished)) {}

ProbeDriver::~ProbeDriver() {
  for (auto& [id, session] : sessions_) session->cancel();
}

void ProbeDriver::start(ProbeId id, const ProbeSettings& settings) {
  waiting_.emplace_back(id, settings);
  admit();
}

void ProbeDriver::stop(ProbeId id) {
  std::erase_if(waiting_, [&](const auto& entry) { return entry.first == id; });
  if (const auto found = sessions_.find(id); found != sessions_.end()) {
    found->second->cancel();
    sessions_.erase(found);
    admit();
  }
}

void ProbeDriver::finished(ProbeId id, Outcome outcome) {
  sessions_.erase(id);
  on_finished_(id, std::move(outcome));
  admit();
}

void ProbeDriver::admit() {
  // A probe can end inside begin() and come here again: the outer call goes on with the next one.
  if (admitting_) return;
  admitting_ = true;
  while (!waiting_.empty() && sessions_.size() < kMaxConcurrentProbes) {
    auto [id, settings] = std::move(waiting_.front());
    waiting_.pop_front();
    auto session = std::make_shared<ProbeSession>(io_, *this, id, std::move(settings));
    sessions_.emplace(id, session);
    session->begin();
  }
  admitting_ = false;
}

}  // namespace holdfast::checkers
