// What is there, and what others do to it.
#include "netlink_reflector/firewall_impl.hpp"
#include "netlink_reflector/messages.hpp"
#include "runtime/clock.hpp"
#include "runtime/small_file.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <sys/socket.h>
#include <utility>

namespace holdfast::netlink {
namespace {

/// Who removes the rules again and again gets them made again no more often than this.
constexpr core::Duration kRepairEvery = std::chrono::seconds(1);
/// News read in one turn of the loop; more of them are as good as an overrun.
constexpr int kMostNews = 256;
constexpr std::size_t kNewsBytes = std::size_t{64} << 10;
/// Others may change tables so fast that a list is never whole.
constexpr int kMostLooks = 3;

/// Asking costs nothing: nf_tables is loaded, or nothing can be loaded.
bool has_nf_tables() {
  std::error_code ignored;
  return std::filesystem::exists("/sys/module/nf_tables", ignored) ||
         !std::filesystem::exists("/proc/modules", ignored);
}

}  // namespace

// ---- what is there ----

bool Firewall::Impl::is_without_nf_tables(int error) {
  return error == EOPNOTSUPP || error == EPROTONOSUPPORT || error == EAFNOSUPPORT;
}

/// All of the family inet. Does not wait for transactions.
TableList Firewall::Impl::read_tables_now() {
  TableList list = ask_once();
  for (int looks = 1; list.error == 0 && list.is_interrupted && looks < kMostLooks; ++looks)
    list = ask_once();
  return list;
}

TableList Firewall::Impl::ask_once() {
  TableList list;
  list.question = ++question_;
  if (!questions_) {
    auto socket = open_firewall_socket(Listens::no);
    if (!socket) {
      list.error = socket.error().system_errno;
      return list;
    }
    questions_ = std::move(*socket);
  }
  const int fd = questions_->fd.get();
  const Bytes request = ask_for_tables(list.question);
  ssize_t count = ::send(fd, request.data(), request.size(), 0);
  Bytes buffer(kNewsBytes);
  while (count >= 0 && !list.is_complete) {
    // The kernel answers within the calls themselves: there is nothing to wait for.
    count = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EINTR)
      count = 0;
    else if (count > 0)
      read_tables(std::span(buffer.data(), static_cast<std::size_t>(count)), list);
  }
  if (count < 0) {
    list.error = errno == EAGAIN ? EIO : errno;
    questions_.reset();  // whatever still comes there belongs to this question
  }
  return list;
}

bool Firewall::Impl::may_have_left() const {
  std::error_code ignored;
  return record_path_.empty() || std::filesystem::exists(record_path_, ignored) || has_nf_tables();
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
  if (std::exchange(is_swept_, true)) return;
  sweep_is_due_ = may_have_left();
  work();
}

/// False: it is not known what there is.
bool Firewall::Impl::find_leftovers() {
  const TableList list = read_tables_now();
  if (list.error != 0 && !is_without_nf_tables(list.error)) {
    be_stuck(fmt::format("cannot tell whether tables of nftables were left over: {}",
                         describe(list.error)));
    return false;
  }
  sweep_is_due_ = false;
  stuck_.clear();
  for (const FirewallTable& each : list.tables) {
    if (each.comment != mark_ || !tables_.insert(each.name).second) continue;
    if (each.name != settings_.table || wishes_.is_empty())
      logger_.log(kFirewallLeftOver, "the nftables table inet {} goes", each.name);
  }
  if (tables_.empty()) forget_record();
  return true;
}

core::Result<bool> Firewall::Impl::has_leftovers() {
  if (!may_have_left()) return false;
  const TableList list = read_tables_now();
  if (is_without_nf_tables(list.error)) return false;
  if (list.error != 0)
    return core::fail("cannot tell whether the nftables table of this director is still there: {}",
                      describe(list.error));
  return std::ranges::find(list.tables, mark_, &FirewallTable::comment) != list.tables.end();
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
    bool is_overrun = false;
    Bytes buffer(kNewsBytes);
    for (int count = 0; count < kMostNews; ++count) {
      const ssize_t got = ::recv(news_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got < 0 && errno == ENOBUFS) is_overrun = true;
      if (got < 0 && (errno == EINTR || errno == ENOBUFS)) continue;
      if (got <= 0) break;
      read_firewall_news(std::span(buffer.data(), static_cast<std::size_t>(got)), settings_.table,
                         writer_->port(), news);
    }
    hear();
    if (news.is_touched || is_overrun) react(news);
  });
}

/// Without a touch: news were lost, and any of them may have been about our table.
void Firewall::Impl::react(const FirewallNews& news) {
  if (wishes_.is_empty()) {
    is_built_ = false;
    if (!is_swept_) return;           // a successor does not know yet what it closes
    tables_.insert(settings_.table);  // it may have come back out of a saved ruleset
    was_touched_ = true;
  } else {
    if (!is_built_ && !job_) return;
    // What is in a table that is still there is not known either: it is made again, and nobody
    // is accused of anything.
    const bool is_changed = news.is_touched || (is_made_ && is_gone());
    is_built_ = false;
    was_touched_ = true;
    if (is_changed) tell_repair(news.program);
  }
  const core::Instant now = runtime::now();
  if (!repaired_at_ || now - *repaired_at_ >= kRepairEvery) {
    repaired_at_ = now;
    return work();
  }
  if (*repaired_at_ <= now) repaired_at_ = *repaired_at_ + kRepairEvery;  // else it is set already
  retry_at_ = repaired_at_;
  timer_.arm(retry_at_);
}

bool Firewall::Impl::is_gone() {
  const TableList list = read_tables_now();
  return list.error == 0 && !list.is_interrupted &&
         std::ranges::none_of(list.tables, [this](const FirewallTable& each) {
           return each.name == settings_.table && each.comment == mark_;
         });
}

void Firewall::Impl::tell_repair(const std::string& program) {
  is_made_ = false;
  ++repairs_;
  if (const auto held_back = told_.admit("repaired", runtime::now()))
    logger_.log(kFirewallRepaired, "{} changed or removed the nftables table inet {}{}",
                program.empty() ? "somebody" : "'" + program + "'", settings_.table,
                *held_back == 0 ? "" : fmt::format(" ({} more times before)", *held_back));
}

}  // namespace holdfast::netlink
