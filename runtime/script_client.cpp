#include "runtime/script_client.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <utility>

namespace holdfast::runtime {

using core::ScriptEnd;
using core::ScriptOutcome;

ScriptClient::ScriptClient(boost::asio::io_context& io, OnNews on_news)
    : io_(io), on_news_(std::move(on_news)), self_(std::make_shared<ScriptClient*>(this)) {}

ScriptClient::~ScriptClient() {
  *self_ = nullptr;
}

void ScriptClient::connect(UniqueFd end) {
  if (pipe_) on_closed();
  pipe_ = std::make_unique<MessagePipe>(
      io_, std::move(end),
      MessagePipe::Callbacks{
          .on_message = [this](std::span<const std::uint8_t> bytes) { on_message(bytes); },
          .on_closed = [this] { on_closed(); },
          .on_room = [this] { pump(); }});
  pump();
}

void ScriptClient::run(std::string subject, std::string state,
                       std::vector<core::Command> commands) {
  drop_unsent(subject);
  const std::uint64_t id = ++last_id_;
  const std::size_t count = commands.size();
  newest_unsent_[subject] = id;
  const auto [newest, is_first] = newest_.try_emplace(subject, id);
  if (!is_first) jobs_.at(std::exchange(newest->second, id)).has_passed = true;
  jobs_.emplace(id, Job{.request = {id, std::move(subject), std::move(state), std::move(commands)},
                        .begun = std::vector<bool>(count, false),
                        .over = std::vector<bool>(count, false)});
  unsent_.insert(unsent_.end(), id);
  pump();
}

/// An older state that nobody has been told of yet.
void ScriptClient::drop_unsent(const std::string& subject) {
  const auto newest = newest_unsent_.find(subject);
  if (newest == newest_unsent_.end()) return;
  const std::uint64_t id = newest->second;
  newest_unsent_.erase(newest);
  unsent_.erase(id);
  boost::asio::post(io_, [self = self_, id] {
    if (!*self) return;
    const std::size_t count = (*self)->jobs_.at(id).request.commands.size();
    for (std::uint32_t index = 0; index < count; ++index)
      (*self)->settle(id, index, {.end = ScriptEnd::skipped});
    if (count == 0) (*self)->erase(id);
  });
}

void ScriptClient::pump() {
  while (pipe_ && pipe_->has_room() && !unsent_.empty()) {
    const std::uint64_t id = *unsent_.begin();
    unsent_.erase(unsent_.begin());
    Job& job = jobs_.at(id);
    const ScriptJob& request = job.request;
    newest_unsent_.erase(request.subject);
    const auto bytes = encode(request);
    if (bytes.size() > MessagePipe::kMaxMessage) {
      const std::size_t count = request.commands.size();
      for (std::uint32_t index = 0; index < count; ++index)
        settle(id, index, {.end = ScriptEnd::not_started, .code = E2BIG});
      continue;
    }
    pipe_->send(bytes);
    job.is_sent = true;
    if (request.commands.empty()) erase(id);
  }
  while (pipe_ && pipe_->has_room() && outbox_.has_unsent()) {
    const Tidings next = outbox_.take_unsent();
    const auto bytes = encode(next);
    if (bytes.size() <= MessagePipe::kMaxMessage)
      pipe_->send(bytes);
    else  // a name of a quarter megabyte: nobody can be told
      outbox_.on({next.id, TidingsReport::What::settled});
  }
  look_whether_idle();
}

void ScriptClient::look_whether_idle() {
  if (idle() && on_idle_) std::exchange(on_idle_, {})();
}

void ScriptClient::tell(Tidings tidings) {
  outbox_.add(std::move(tidings));
  pump();
}

void ScriptClient::on_message(std::span<const std::uint8_t> bytes) {
  if (const auto told = decode_tidings_report(bytes)) {
    outbox_.on(*told);
    return look_whether_idle();
  }
  const auto report = decode_script_report(bytes);
  const auto found = report ? jobs_.find(report->job) : jobs_.end();
  if (found == jobs_.end() || report->index >= found->second.begun.size()) return;
  if (report->what == ScriptReport::What::ended)
    return settle(report->job, report->index, report->outcome);
  Job& job = found->second;
  job.begun[report->index] = true;
  const core::Command& command = job.request.commands[report->index];
  on_news_({job.request.subject, job.request.state, command, report->what, report->outcome});
}

/// The last word about one command.
void ScriptClient::settle(std::uint64_t id, std::uint32_t index, core::ScriptOutcome outcome) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end() || found->second.over[index]) return;
  Job& job = found->second;
  job.over[index] = true;
  on_news_({job.request.subject, job.request.state, job.request.commands[index],
            ScriptReport::What::ended, outcome});
  for (const bool over : job.over)
    if (!over) return;
  erase(id);
  look_whether_idle();
}

void ScriptClient::erase(std::uint64_t id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  const auto newest = newest_.find(found->second.request.subject);
  if (newest != newest_.end() && newest->second == id) newest_.erase(newest);
  jobs_.erase(found);
}

// Asked for again in the old order, as new jobs. What a newer state has overtaken is not, whatever
// has become of that one.
void ScriptClient::on_closed() {
  pipe_.reset();
  outbox_.on_disconnected();
  std::vector<std::uint64_t> sent;
  for (const auto& [id, job] : jobs_)
    if (job.is_sent) sent.push_back(id);
  std::vector<ScriptJob> again;
  for (const std::uint64_t id : sent) {
    const Job job = jobs_.at(id);
    ScriptJob rest{.subject = job.request.subject, .state = job.request.state};
    for (std::uint32_t index = 0; index < job.begun.size(); ++index)
      if (!job.begun[index] && !job.over[index])
        rest.commands.push_back(job.request.commands[index]);
    for (std::uint32_t index = 0; index < job.begun.size(); ++index) {
      if (job.over[index]) continue;
      if (job.begun[index])
        settle(id, index, {.end = ScriptEnd::lost});
      else if (job.has_passed)
        settle(id, index, {.end = ScriptEnd::skipped});
    }
    erase(id);
    if (!job.has_passed && !rest.commands.empty()) again.push_back(std::move(rest));
  }
  for (ScriptJob& job : again)
    run(std::move(job.subject), std::move(job.state), std::move(job.commands));
}

std::string ScriptClient::unsent() const {
  constexpr std::size_t kMostNamed = 5;
  std::string list;
  std::size_t count = 0;
  for (const std::uint64_t id : unsent_) {
    const ScriptJob& request = jobs_.at(id).request;
    if (request.commands.empty() || ++count > kMostNamed) continue;
    list += fmt::format("{}{} for {}", list.empty() ? "" : ", ", request.subject, request.state);
  }
  if (count > kMostNamed) list += fmt::format(" and {} more", count - kMostNamed);
  return list;
}

void ScriptClient::when_idle(std::function<void()> on_idle) {
  if (idle()) return on_idle();
  on_idle_ = std::move(on_idle);
}

}  // namespace holdfast::runtime
