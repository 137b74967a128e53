#include "netlink_reflector/firewall_impl.hpp"
#include "netlink_reflector/messages.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "runtime/small_file.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <sys/socket.h>
#include <utility>
#include <variant>

namespace holdfast::netlink {
namespace {

constexpr core::Duration kLastRetry = std::chrono::minutes(1);
/// Who removes the rules again and again gets them made again no more often than this.
constexpr core::Duration kRepairEvery = std::chrono::seconds(1);
/// For the end of a process.
constexpr core::Duration kLongestFlush = std::chrono::seconds(2);
/// News read in one turn of the loop; more of them are as good as an overrun.
constexpr int kMostNews = 256;
constexpr std::size_t kNewsBytes = std::size_t{64} << 10;

std::string describe(int error) {
  if (error == EOPNOTSUPP || error == EPROTONOSUPPORT || error == EAFNOSUPPORT)
    return "this kernel has no nf_tables (module nf_tables)";
  if (error == EPERM) return "this process may not change firewall rules (CAP_NET_ADMIN)";
  return core::fail_errno(error, "the kernel refuses").message;
}

}  // namespace

void Firewall::Impl::follow(const FirewallSettings& settings) {
  if (settings == settings_) return;
  if (is_built_ && settings.table != settings_.table) stale_.push_back(settings_.table);
  std::erase(stale_, settings.table);
  settings_ = settings;
  is_built_ = false;
  work(Part::all);
}

// ---- what is to be done ----

void Firewall::Impl::work(Part part) {
  if (job_) return;  // its end goes on
  if (retry_at_ && runtime::now() < *retry_at_) return;
  retry_at_.reset();
  const bool goes = wishes_.is_empty() && is_built_ && part == Part::all;
  if (goes) {
    stale_.push_back(settings_.table);
    is_built_ = false;
    wishes_.done_all({});
  }
  if (!wishes_.is_empty() && !is_built_) {
    if (!get_ready() || !is_ours_to_make()) return;
    record();
    Rebuild job{wishes_.wanted()};
    Bytes transaction = rebuild_firewall(settings_, mark_, elements(job.content));
    return submit(std::move(job), std::move(transaction));
  }
  if (is_built_) {
    Change job{wishes_.missing(),
               part == Part::all ? wishes_.surplus() : std::vector<ClosedAddress>{}};
    if (!job.added.empty() || !job.removed.empty()) {
      Bytes transaction = change_firewall(settings_, elements(job.added), elements(job.removed));
      return submit(std::move(job), std::move(transaction));
    }
  }
  if (part == Part::all && !stale_.empty() && get_ready()) {
    Remove job{stale_.front()};
    stale_.pop_front();
    submit(job, remove_firewall({job.table}));
  }
}

void Firewall::Impl::close() {
  work(Part::closing);
  if (!writer_ || is_slow_) return;
  const core::Instant until = runtime::now() + kMostWait;
  // What was under way may have been something else.
  while (job_ && writer_->wait(until) && runtime::now() < until) {
  }
  is_slow_ = job_.has_value();
}

void Firewall::Impl::flush() {
  retry_at_.reset();
  work(Part::all);
  const core::Instant until = runtime::now() + kLongestFlush;
  while (writer_ && job_ && writer_->wait(until) && runtime::now() < until) {
  }
}

/// All of the family inet. Does not wait for transactions.
TableList Firewall::Impl::read_tables_now() const {
  TableList list;
  if (!questions_) {
    auto socket = open_firewall_socket(Listens::no);
    if (!socket) {
      list.error = socket.error().system_errno;
      return list;
    }
    questions_ = std::move(*socket);
  }
  const int fd = questions_->fd.get();
  const Bytes request = ask_for_tables();
  if (::send(fd, request.data(), request.size(), 0) < 0) {
    list.error = errno;
    return list;
  }
  Bytes buffer(kNewsBytes);
  while (!list.is_complete) {
    const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      list.error = count < 0 ? errno : EIO;
      break;
    }
    read_tables(std::span(buffer.data(), static_cast<std::size_t>(count)), list);
  }
  return list;
}

bool Firewall::Impl::may_have_left() const {
  std::error_code ignored;
  return record_path_.empty() || std::filesystem::exists(record_path_, ignored);
}

void Firewall::Impl::record() {
  if (record_path_.empty()) return;
  if (auto made = runtime::create_file(record_path_, 0600, 0); !made)
    logger_.log(kRecordFailed, "{}", made.error().message);
}

void Firewall::Impl::forget_record() {
  std::error_code ignored;
  if (!record_path_.empty()) std::filesystem::remove(record_path_, ignored);
}

void Firewall::Impl::sweep() {
  if (std::exchange(is_swept_, true) || !may_have_left()) return;
  for (const FirewallTable& each : read_tables_now().tables) {
    const bool is_wanted = each.name == settings_.table && (!wishes_.is_empty() || is_built_);
    if (each.comment != mark_ || is_wanted) continue;
    logger_.log(kFirewallLeftOver, "the nftables table inet {} goes", each.name);
    stale_.push_back(each.name);
  }
  work(Part::all);
}

bool Firewall::Impl::has_leftovers() const {
  return may_have_left() &&
         std::ranges::any_of(read_tables_now().tables,
                             [&](const FirewallTable& each) { return each.comment == mark_; });
}

// A new interface of an old name has another number.
void Firewall::Impl::on_link() {
  if (!settings_.by_index || !is_built_) return;
  const auto wanted = wishes_.wanted();
  if (std::ranges::all_of(wanted, [](const auto& each) { return each.interface.empty(); })) return;
  is_built_ = false;
  work(Part::all);
}

std::vector<ClosedElement> Firewall::Impl::elements(
    const std::vector<ClosedAddress>& closed) const {
  std::vector<ClosedElement> result;
  result.reserve(closed.size());
  for (const ClosedAddress& each : closed) {
    const Link* link = each.interface.empty() ? nullptr : reflector_.link(each.interface);
    result.push_back({each, link == nullptr ? InterfaceIndex{} : link->index});
  }
  return result;
}

// ---- doing it ----

bool Firewall::Impl::get_ready() {
  if (writer_) return true;
  auto writer = FirewallWriter::start(io_, [this](const FirewallAnswer& answer) { end(answer); });
  if (!writer) {
    const int error = writer.error().system_errno;
    fail(error == 0 ? writer.error().message : describe(error));
    return false;
  }
  writer_ = std::move(*writer);
  listen();
  return true;
}

// Nobody's table is overwritten, also not that of another director.
bool Firewall::Impl::is_ours_to_make() {
  const TableList list = read_tables_now();
  const auto found = std::ranges::find(list.tables, settings_.table, &FirewallTable::name);
  if (found == list.tables.end() || found->comment == mark_) return true;
  fail(fmt::format(
      "there is a table inet {} already that is not this director's{}: remove it, or "
      "name another one with 'nftables NAME' in global_defs",
      settings_.table, found->comment.empty() ? "" : fmt::format(" ('{}')", found->comment)));
  return false;
}

void Firewall::Impl::submit(Job job, Bytes transaction) {
  job_ = std::move(job);
  was_touched_ = false;
  writer_->submit(std::move(transaction));
}

void Firewall::Impl::end(const FirewallAnswer& answer) {
  is_slow_ = false;
  const Job job = std::move(*std::exchange(job_, std::nullopt));
  std::visit([&](const auto& each) { end_job(each, answer.error); }, job);
  work(Part::all);
}

void Firewall::Impl::end_job(const Rebuild& job, int error) {
  if (error != 0) return fail(describe(error));
  wishes_.done_all(job.content);
  is_built_ = !was_touched_;
  succeed();
}

void Firewall::Impl::end_job(const Change& job, int error) {
  if (error == 0) return wishes_.done(job.added, job.removed);
  is_built_ = false;  // somebody changed the table: a new one tells what is wrong, if anything is
}

void Firewall::Impl::end_job(const Remove& job, int error) {
  if (error == 0 || error == ENOENT) {
    if (stale_.empty() && !is_built_ && wishes_.is_empty()) forget_record();
    return;
  }
  stale_.push_back(job.table);
  fail(describe(error));
}

void Firewall::Impl::fail(std::string problem) {
  retry_at_ = runtime::now() + retry_after_;
  retry_after_ = std::min(2 * retry_after_, kLastRetry);
  timer_.arm(retry_at_);
  if (std::exchange(problem_, problem) == problem) return;
  logger_.log(kFirewallRefused, "{}; meanwhile {} addresses answer although they should not",
              problem, wishes_.count());
}

void Firewall::Impl::succeed() {
  retry_after_ = kFirstRetry;
  if (std::exchange(problem_, {}).empty()) return;
  logger_.log(kFirewallWorks, "the rules are in place in table inet {}", settings_.table);
}

// ---- what others do ----

void Firewall::Impl::listen() {
  auto socket = open_firewall_socket(Listens::yes);
  if (!socket) {
    logger_.log(kFirewallRefused, "{}; rules that others remove are not made again",
                socket.error().message);
    return;
  }
  news_.assign(socket->fd.release());
  hear();
}

void Firewall::Impl::hear() {
  news_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const auto& error) {
    if (error) return;
    FirewallNews news;
    Bytes buffer(kNewsBytes);
    int count = 0;
    for (; count < kMostNews; ++count) {
      const ssize_t got = ::recv(news_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got < 0 && errno == ENOBUFS) news.is_touched = true;  // whoever asks too much is told no
      if (got < 0 && (errno == EINTR || errno == ENOBUFS)) continue;
      if (got <= 0) break;
      read_firewall_news(std::span(buffer.data(), static_cast<std::size_t>(got)), settings_.table,
                         writer_->port(), news);
    }
    hear();
    if (!news.is_touched || (!is_built_ && !job_)) return;
    is_built_ = false;
    was_touched_ = true;
    ++repairs_;
    if (const auto held_back = told_.admit("repaired", runtime::now()))
      logger_.log(kFirewallRepaired, "{} changed or removed the nftables table inet {}{}",
                  news.program.empty() ? "somebody" : "'" + news.program + "'", settings_.table,
                  *held_back == 0 ? "" : fmt::format(" ({} more times before)", *held_back));
    const core::Instant now = runtime::now();
    const bool at_once = !repaired_at_ || now - *repaired_at_ >= kRepairEvery;
    if (at_once) {
      repaired_at_ = now;
      return work(Part::all);
    }
    repaired_at_ = *repaired_at_ + kRepairEvery;
    retry_at_ = repaired_at_;
    timer_.arm(retry_at_);
  });
}

FirewallState Firewall::Impl::state() const {
  return {.table = "inet " + settings_.table,
          .closed = wishes_.count(),
          .in_place = is_built_ && wishes_.missing().empty(),
          .problem = problem_,
          .repairs = repairs_};
}

// ---- the object itself ----

Firewall::Firewall(boost::asio::io_context& io, runtime::Logger& logger, Reflector& reflector,
                   std::string run_dir)
    : impl_(std::make_shared<Impl>(io, logger, reflector, run_dir)) {
  const std::weak_ptr<Impl> weak = impl_;
  reflector.on_link([weak](const LinkEvent&) {
    if (const auto alive = weak.lock()) alive->on_link();
  });
}

Firewall::~Firewall() = default;

void Firewall::follow(const FirewallSettings& settings) {
  impl_->follow(settings);
}
void Firewall::claim(const core::RouterKey& owner, std::vector<ClosedAddress> addresses) {
  impl_->wishes().claim(owner, std::move(addresses));
}
void Firewall::hold(const core::RouterKey& owner) {
  impl_->wishes().hold(owner);
}
void Firewall::release(const core::RouterKey& owner) {
  impl_->wishes().release(owner);
}
void Firewall::forget(const core::RouterKey& owner) {
  impl_->wishes().forget(owner);
}
void Firewall::close() {
  impl_->close();
}
void Firewall::settle() {
  impl_->work(Impl::Part::all);
}
void Firewall::sweep_leftovers() {
  impl_->sweep();
}
void Firewall::flush() {
  impl_->flush();
}
std::size_t Firewall::claimed(const core::RouterKey& owner) const {
  return impl_->wishes().claimed(owner);
}
FirewallState Firewall::state() const {
  return impl_->state();
}
bool Firewall::has_leftovers() const {
  return impl_->has_leftovers();
}

}  // namespace holdfast::netlink
