// Everything that reads: lists of services and servers, services by their keys, the jobs that put
// them together. A reading is whole or it is EAGAIN.
#include "ipvs_wrapper/client.hpp"
#include "ipvs_wrapper/explain.hpp"

#include <algorithm>
#include <cerrno>
#include <thread>

namespace holdfast::ipvs {
namespace {

constexpr std::string_view kReading = "read the IPVS table";
constexpr int kServerListAttempts = 5;
/// Entries and their end. A longer list continues at a position.
constexpr std::size_t kDatagramsOfOnePiece = 2;
/// Services that are read by their keys in one slice: a request each, the dump of the servers, and
/// a request again.
constexpr std::size_t kServicesPerSlice = 32;

core::Error reading_disagrees() {
  return {"the IPVS table changed while it was read", EAGAIN};
}

// The servers of one answer; nullopt when one came twice, which means that the list moved under the
// reading.
struct Servers {
  std::map<core::Endpoint, Server> servers;
  std::map<core::Endpoint, ServerCounters> counters;
};

std::optional<Servers> servers_of(const std::vector<Reply>& replies) {
  Servers list;
  for (const auto& reply : replies) {
    const auto* server = std::get_if<ServerReply>(&reply.body);
    if (server == nullptr) continue;
    if (!list.servers.emplace(server->endpoint, server->server).second) return std::nullopt;
    list.counters.emplace(server->endpoint, server->counters);
  }
  return list;
}

bool same_keys(const Servers& left, const Servers& right) {
  return std::equal(left.servers.begin(), left.servers.end(), right.servers.begin(),
                    right.servers.end(),
                    [](const auto& one, const auto& other) { return one.first == other.first; });
}

void note(const ServiceReply& service, Observed& into) {
  into.table.services.insert_or_assign(service.key, Service{service.settings, {}});
  into.counters.insert_or_assign(service.key, ServiceCounters{service.stats, {}});
}

}  // namespace

core::Result<Client::Answers> Client::dump_services() {
  out_.clear();
  append_list_services(out_, {family_, ++sequence_});
  return exchange(kReading, sequence_, core::Family::v4);
}

core::Result<Client::Answers> Client::dump_servers(const ServiceKey& key) {
  out_.clear();
  append_list_servers(out_, {family_, ++sequence_}, key);
  return exchange(kReading, sequence_, family_of(key));
}

// Each request has one answer of its own: the service, or that it is not there.
core::Result<std::vector<ServiceReply>> Client::get_services(std::span<const ServiceKey> keys) {
  out_.clear();
  const auto base = sequence_ + 1;
  for (const auto& key : keys) append_get_service(out_, {family_, ++sequence_}, key);
  const auto access = [](int error) { return core::Error{explain_access(kReading, error), error}; };
  if (const int error = link_->send(out_)) return access(error);

  std::vector<ServiceReply> found;
  std::span<const std::uint8_t> datagram;
  for (std::size_t answered = 0; answered < keys.size();) {
    if (const int error = link_->receive(datagram, kReplyTimeout)) return access(error);
    auto replies = decode_replies(datagram, family_, core::Family::v4);
    if (!replies) return replies.error();
    for (auto& reply : *replies) {
      if (reply.sequence - base >= keys.size()) continue;  // wraps to a large number for older ones
      ++answered;
      if (auto* service = std::get_if<ServiceReply>(&reply.body))
        found.push_back(std::move(*service));
      else if (const auto* outcome = std::get_if<Outcome>(&reply.body);
               outcome != nullptr && outcome->system_errno != ESRCH)
        return access(outcome->system_errno);
    }
  }
  return found;
}

core::Result<ServiceList> Client::list() {
  const auto answers = dump_services();
  if (!answers) return answers.error();
  ServiceList list;
  list.in_one_piece = answers->datagrams <= kDatagramsOfOnePiece;
  for (const auto& reply : answers->replies) {
    const auto* service = std::get_if<ServiceReply>(&reply.body);
    if (service == nullptr) continue;
    if (!list.services.emplace(service->key, service->settings).second) return reading_disagrees();
  }
  return list;
}

core::Result<Observed> Client::read() {
  for (int attempt = 1;; ++attempt) {
    ReadJob job(*this);
    auto progress = job.run_slice();
    while (progress && *progress == Progress::more) progress = job.run_slice();
    if (progress) return job.take();
    if (progress.error().system_errno != EAGAIN || attempt == kReadAttempts)
      return progress.error();
    std::this_thread::sleep_for(kRereadDelay);
  }
}

// A list that fits one datagram is made by the kernel at one go. A longer one continues at a
// position, which entries that come and go meanwhile make wrong: it is read until two readings
// agree.
core::Result<void> Client::read_servers(const ServiceKey& key, Observed& into) {
  std::optional<Servers> former;
  for (int attempt = 0; attempt < kServerListAttempts; ++attempt) {
    const auto answers = dump_servers(key);
    if (!answers) return answers.error();
    auto now = servers_of(answers->replies);
    const bool agreed =
        now && (answers->datagrams <= kDatagramsOfOnePiece || (former && same_keys(*former, *now)));
    if (agreed) {
      into.table.services[key].servers = std::move(now->servers);
      into.counters[key].servers = std::move(now->counters);
      return {};
    }
    former = std::move(now);
  }
  return reading_disagrees();
}

core::Result<Progress> ReadJob::run_slice() {
  if (!listed_) return list_services();
  return next_ < keys_.size() ? list_servers() : compare_list();
}

core::Result<Progress> ReadJob::list_services() {
  const auto answers = client_->dump_services();
  if (!answers) return answers.error();
  listed_ = true;
  in_one_piece_ = answers->datagrams <= kDatagramsOfOnePiece;
  std::size_t entries = 0;
  for (const auto& reply : answers->replies) {
    const auto* service = std::get_if<ServiceReply>(&reply.body);
    if (service == nullptr) continue;
    ++entries;
    note(*service, observed_);
  }
  if (entries != observed_.table.services.size()) return reading_disagrees();
  for (const auto& [key, service] : observed_.table.services) keys_.push_back(key);
  return Progress::more;
}

core::Result<Progress> ReadJob::list_servers() {
  const auto end = std::min(next_ + kRequestsPerSlice, keys_.size());
  for (; next_ < end; ++next_) {
    if (const auto read = client_->read_servers(keys_[next_], observed_); !read)
      return read.error();
  }
  return Progress::more;
}

core::Result<Progress> ReadJob::compare_list() {
  const auto again = client_->list();
  if (!again) return again.error();
  const bool equal =
      std::equal(again->services.begin(), again->services.end(), keys_.begin(), keys_.end(),
                 [](const auto& entry, const ServiceKey& key) { return entry.first == key; });
  if (!equal) return reading_disagrees();
  return Progress::finished;
}

core::Result<Progress> ReadServicesJob::run_slice() {
  const std::span<const ServiceKey> left = std::span(keys_).subspan(next_);
  const auto keys = left.first(std::min(kServicesPerSlice, left.size()));
  if (keys.empty()) return Progress::finished;  // the kernel takes an empty datagram amiss
  const auto before = client_->get_services(keys);
  if (!before) return before.error();
  std::vector<ServiceKey> without_servers;  // or gone meanwhile, which looks the same
  for (const ServiceReply& service : *before) {
    note(service, observed_);
    if (const auto read = client_->read_servers(service.key, observed_); !read) return read.error();
    if (observed_.table.services.at(service.key).servers.empty())
      without_servers.push_back(service.key);
  }
  if (!without_servers.empty()) {
    const auto again = client_->get_services(without_servers);
    if (!again) return again.error();
    if (again->size() != without_servers.size()) return reading_disagrees();
  }
  next_ += keys.size();
  return next_ < keys_.size() ? Progress::more : Progress::finished;
}

}  // namespace holdfast::ipvs
