#include "ipvs_wrapper/client.hpp"

#include <algorithm>

namespace holdfast::ipvs {
namespace {

constexpr int kServerListAttempts = 5;

// The servers of one answer; nullopt when one came twice, which means that the list moved under the
// reading.
struct ServerList {
  std::map<core::Endpoint, Server> servers;
  std::map<core::Endpoint, ServerCounters> counters;
};

std::optional<ServerList> servers_of(const std::vector<Reply>& replies) {
  ServerList list;
  for (const auto& reply : replies) {
    const auto* server = std::get_if<ServerReply>(&reply.body);
    if (server == nullptr) continue;
    if (!list.servers.emplace(server->endpoint, server->server).second) return std::nullopt;
    list.counters.emplace(server->endpoint, server->counters);
  }
  return list;
}

bool same_keys(const ServerList& left, const ServerList& right) {
  return std::equal(left.servers.begin(), left.servers.end(), right.servers.begin(),
                    right.servers.end(),
                    [](const auto& one, const auto& other) { return one.first == other.first; });
}

}  // namespace

core::Result<Progress> ReadJob::run_slice() {
  if (attempts_ == 0) return list_services();
  return next_ < keys_.size() ? list_servers() : compare_list();
}

core::Result<Progress> ReadJob::list_services() {
  const auto answers = client_->list_services();
  if (!answers) return answers.error();
  ++attempts_;
  observed_ = {};
  keys_.clear();
  next_ = 0;
  for (const auto& reply : answers->replies) {
    const auto* service = std::get_if<ServiceReply>(&reply.body);
    if (service == nullptr) continue;
    observed_.table.services.insert_or_assign(service->key, Service{service->settings, {}});
    observed_.counters.insert_or_assign(service->key, ServiceCounters{service->stats, {}});
  }
  for (const auto& [key, service] : observed_.table.services) keys_.push_back(key);
  return Progress::more;
}

// A list that fits one datagram is made by the kernel at one go. A longer one continues at a
// position, which entries that come and go meanwhile make wrong: it is read until two readings
// agree.
core::Result<Progress> ReadJob::list_servers() {
  const auto end = std::min(next_ + kRequestsPerSlice, keys_.size());
  for (; next_ < end; ++next_) {
    const auto& key = keys_[next_];
    std::optional<ServerList> list;
    for (int attempt = 0; attempt < kServerListAttempts; ++attempt) {
      const auto answers = client_->list_servers(key);
      if (!answers) return answers.error();
      auto again = servers_of(answers->replies);
      const bool agreed = again && (answers->datagrams <= 2 || (list && same_keys(*list, *again)));
      if (again) list = std::move(again);
      if (agreed) break;
    }
    if (!list)
      return core::fail("the servers of {} change faster than they can be read", to_string(key));
    observed_.table.services[key].servers = std::move(list->servers);
    observed_.counters[key].servers = std::move(list->counters);
  }
  return Progress::more;
}

core::Result<Progress> ReadJob::compare_list() {
  const auto answers = client_->list_services();
  if (!answers) return answers.error();
  std::vector<ServiceKey> now;
  for (const auto& reply : answers->replies) {
    if (const auto* service = std::get_if<ServiceReply>(&reply.body)) now.push_back(service->key);
  }
  std::sort(now.begin(), now.end());
  if (now == keys_ || attempts_ >= kReadAttempts) return Progress::finished;
  return list_services();
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
