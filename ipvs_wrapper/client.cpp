#include "ipvs_wrapper/client.hpp"

#include "ipvs_wrapper/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace holdfast::ipvs {
namespace {

// Marks for throw-away services, from the top of the range, where nobody's marks are.
constexpr std::uint32_t kProbeMarks[] = {0xfffffffe, 0xfffffffd, 0xfffffffc};

constexpr int kUnanswered = -1;

}  // namespace

std::string KernelInfo::version_text() const {
  return fmt::format("{}.{}.{}", version >> 16 & 0xff, version >> 8 & 0xff, version & 0xff);
}

core::Result<Client> Client::open() {
  auto opened = open_netlink_link();
  if (!opened) return opened.error();
  return Client(std::move(opened->link), opened->family);
}

Client::Client(std::unique_ptr<Link> link, std::uint16_t family)
    : link_(std::move(link)), family_(family) {}

core::Result<Client::Answers> Client::exchange(std::string_view what, std::uint32_t sequence,
                                               core::Family service_family) {
  const auto access = [what](int error) { return core::Error{explain_access(what, error), error}; };
  if (const int error = link_->send(out_)) return access(error);
  Answers answers;
  std::span<const std::uint8_t> datagram;
  while (true) {
    if (const int error = link_->receive(datagram, kReplyTimeout)) return access(error);
    auto replies = decode_replies(datagram, family_, service_family);
    if (!replies) return replies.error();
    ++answers.datagrams;
    for (auto& reply : *replies) {
      if (reply.sequence != sequence) continue;  // a late answer to a request that was given up
      if (const auto* outcome = std::get_if<Outcome>(&reply.body)) {
        if (outcome->system_errno != 0) return access(outcome->system_errno);
        return answers;
      }
      const bool single = std::holds_alternative<InfoReply>(reply.body) ||
                          std::holds_alternative<Timeouts>(reply.body);  // come without an end
      answers.replies.push_back(std::move(reply));
      if (single) return answers;
    }
  }
}

core::Result<KernelInfo> Client::info() {
  out_.clear();
  append_info_request(out_, {family_, ++sequence_});
  const auto answers = exchange("ask for the version of IPVS", sequence_, core::Family::v4);
  if (!answers) return answers.error();
  if (answers->replies.empty()) return core::fail("the kernel told no version of IPVS");
  const auto* reply = std::get_if<InfoReply>(&answers->replies.front().body);
  if (reply == nullptr) return core::fail("the kernel told no version of IPVS");
  return KernelInfo{reply->version, reply->connection_table_size};
}

ApplyReport Client::apply(const Plan& steps) {
  ApplyReport report;
  for (std::size_t first = 0; first < steps.size() && report.not_tried == 0;
       first += kRequestsPerSlice)
    apply_batch(steps, first, std::min(kRequestsPerSlice, steps.size() - first), report);
  return report;
}

// Only the last request asks for an answer. The kernel works in order and answers every refusal, so
// when the last one is answered, those without an answer are done.
void Client::apply_batch(const Plan& steps, std::size_t first, std::size_t count,
                         ApplyReport& report) {
  out_.clear();
  const auto base = sequence_ + 1;
  for (std::size_t i = 0; i < count; ++i) {
    append_step(out_, {family_, ++sequence_}, i + 1 == count ? Answer::always : Answer::on_failure,
                steps[first + i]);
  }

  std::vector<int> errors(count, kUnanswered);
  std::span<const std::uint8_t> datagram;
  int broken = link_->send(out_);
  while (broken == 0 && errors.back() == kUnanswered) {
    broken = link_->receive(datagram, kReplyTimeout);
    if (broken != 0) break;
    const auto replies = decode_replies(datagram, family_, core::Family::v4);
    if (!replies) {
      broken = EPROTO;
      break;
    }
    for (const auto& reply : *replies) {
      const auto* outcome = std::get_if<Outcome>(&reply.body);
      const auto index = reply.sequence - base;  // wraps to a large number for older requests
      if (outcome != nullptr && index < count) errors[index] = outcome->system_errno;
    }
  }

  std::size_t not_permitted = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int error = errors[i] != kUnanswered ? errors[i] : broken;
    not_permitted += error == EPERM ? 1U : 0U;
    if (error == 0 || is_already_true(steps[first + i], error))
      ++report.done;
    else
      report.failures.push_back({first + i, error, explain(steps[first + i], error)});
  }
  if (broken != 0 || not_permitted == count) report.not_tried = steps.size() - first - count;
}

int Client::apply_one(const Step& step) {
  ApplyReport report;
  apply_batch({step}, 0, 1, report);
  return report.failures.empty() ? 0 : report.failures.front().system_errno;
}

core::Result<bool> Client::has_scheduler(std::string_view name) {
  for (const auto mark : kProbeMarks) {
    const MarkKey key{mark, core::Family::v4};
    Settings settings;
    settings.scheduler = name;
    const int error = apply_one(AddService{key, settings});
    if (error == EEXIST)
      continue;  // somebody's, or left by a probe that was killed: not ours to delete
    if (error == ENOENT) return false;
    if (error != 0)
      return core::Error{explain_access(fmt::format("probe for the scheduler {}", name), error),
                         error};
    if (const int left = apply_one(DeleteService{key}))
      return core::Error{explain(DeleteService{key}, left), left};
    return true;
  }
  return core::fail(
      "cannot probe for the scheduler {}: all firewall marks kept for probes are in use", name);
}

core::Result<std::vector<std::string>> Client::schedulers() {
  std::vector<std::string> found;
  for (const auto name : kKnownSchedulers) {
    const auto has = has_scheduler(name);
    if (!has) return has.error();
    if (*has) found.emplace_back(name);
  }
  return found;
}

Progress ApplyJob::run_slice() {
  if (next_ < steps_.size()) {
    const auto count = std::min(kRequestsPerSlice, steps_.size() - next_);
    client_->apply_batch(steps_, next_, count, report_);
    next_ += count;
  }
  return next_ < steps_.size() && report_.not_tried == 0 ? Progress::more : Progress::finished;
}

}  // namespace holdfast::ipvs
