#include "netlink_reflector/firewall.hpp"

#include "netlink_reflector/firewall_impl.hpp"
#include "netlink_reflector/messages.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <variant>

namespace holdfast::netlink {
namespace {

constexpr core::Duration kLastRetry = std::chrono::minutes(1);
/// For the end of a process.
constexpr core::Duration kLongestFlush = std::chrono::seconds(2);

}  // namespace

std::string Firewall::Impl::describe(int error) {
  if (is_without_nf_tables(error)) return "this kernel has no nf_tables (module nf_tables)";
  if (error == EPERM) return "this process may not change firewall rules (CAP_NET_ADMIN)";
  return core::fail_errno(error, "the kernel refuses").message;
}

void Firewall::Impl::follow(const FirewallSettings& settings) {
  if (settings != settings_) {
    settings_ = settings;
    is_built_ = is_made_ = false;
  }
  lift_pause();
  work();
}

// ---- what is to be done ----

void Firewall::Impl::work() {
  if (job_) return;  // its end goes on
  if (retry_at_ && runtime::now() < *retry_at_) return;
  retry_at_.reset();
  if (!is_loaded_ && (wishes_.has_claims() && (!was_asked_ || !wishes_.is_empty()))) {
    if (!get_ready()) return;
    return submit(Look{}, ask_for_tables(++question_));
  }
  if (sweep_is_due_ && !find_leftovers()) return;
  if (!wishes_.is_empty()) build();
  if (!job_ && !retry_at_ && part_ == Part::all) remove_others();
}

void Firewall::Impl::build() {
  if (is_built_) {
    Change job{wishes_.missing(),
               part_ == Part::all ? wishes_.surplus() : std::vector<ClosedAddress>{}};
    if (job.added.empty() && job.removed.empty()) return;
    Bytes transaction = change_firewall(settings_, elements(job.added), elements(job.removed));
    return submit(std::move(job), std::move(transaction));
  }
  if (!get_ready()) return;
  const auto there = former();
  if (!there) return;
  if (is_made_ && *there == Former::none) tell_repair({});  // news of it were lost
  tables_.insert(settings_.table);
  record();
  Rebuild job{settings_, part_ == Part::all ? wishes_.wanted() : wishes_.wanted_or_leaving()};
  Bytes transaction = rebuild_firewall(settings_, mark_, *there, elements(job.content));
  submit(std::move(job), std::move(transaction));
}

/// Those that nobody needs; one a call.
void Firewall::Impl::remove_others() {
  const auto goes = [this](const std::string& each) {
    return each != settings_.table || wishes_.is_empty();
  };
  if (std::ranges::none_of(tables_, goes) || !get_ready()) return;
  const TableList list = read_tables_now();
  if (list.error != 0)
    return be_stuck(
        fmt::format("cannot tell which tables of nftables there are: {}; those of "
                    "this director stay",
                    describe(list.error)));
  for (const std::string& each : std::vector(tables_.begin(), tables_.end())) {
    if (!goes(each)) continue;
    if (each == settings_.table) {
      is_built_ = is_made_ = false;
      wishes_.done_all({});
    }
    const auto found = std::ranges::find(list.tables, each, &FirewallTable::name);
    if (found != list.tables.end() && found->comment == mark_)
      return submit(Remove{each}, remove_firewall({each}));
    if (!list.is_interrupted) drop(each);  // others removed it, and may have made one of theirs
  }
}

void Firewall::Impl::close() {
  part_ = Part::closing;
  lift_pause();
  work();
  if (!writer_ || is_slow_) return;
  const core::Instant until = runtime::now() + kMostWait;
  // What was under way may have been something else.
  while (job_ && writer_->wait(until) && runtime::now() < until) {
  }
  is_slow_ = job_.has_value();
}

void Firewall::Impl::settle() {
  part_ = Part::all;
  lift_pause();
  work();
}

/// There is something new to do, and what was refused a while ago may do now. In a pause between
/// two repairs nothing was refused.
void Firewall::Impl::lift_pause() {
  if (!retry_at_ || (failed_at_ && runtime::now() - *failed_at_ < kFirstRetry)) return;
  if (wishes_.is_empty() ? !tables_.empty() : !wishes_.missing().empty()) retry_at_.reset();
}

void Firewall::Impl::flush() {
  retry_at_.reset();
  settle();
  const core::Instant until = runtime::now() + kLongestFlush;
  while (writer_ && job_ && writer_->wait(until) && runtime::now() < until) {
  }
}

// A new interface of an old name has another number.
void Firewall::Impl::on_link() {
  if (!settings_.by_index || !is_built_) return;
  const auto wanted = wishes_.wanted();
  if (std::ranges::all_of(wanted, [](const auto& each) { return each.interface.empty(); })) return;
  is_built_ = false;
  work();
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
std::optional<Former> Firewall::Impl::former() {
  const TableList list = read_tables_now();
  if (list.error != 0) {
    fail(describe(list.error));
    return std::nullopt;
  }
  const auto found = std::ranges::find(list.tables, settings_.table, &FirewallTable::name);
  if (found == list.tables.end()) return Former::none;
  if (found->comment == mark_) return Former::ours;
  fail(fmt::format(
      "there is a table inet {} already that is not this director's{}: remove it, or "
      "name another one with 'nftables NAME' in global_defs",
      settings_.table, found->comment.empty() ? "" : fmt::format(" ('{}')", found->comment)));
  return std::nullopt;
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
  work();
}

void Firewall::Impl::end_job(const Look&, int error) {
  was_asked_ = true;
  is_loaded_ = error == 0;
  // It is told when there is something to close.
  if (!is_loaded_ && !wishes_.is_empty()) fail(describe(error));
}

void Firewall::Impl::end_job(const Rebuild& job, int error) {
  if (error != 0) return fail(describe(error));
  wishes_.done_all(job.content);
  is_made_ = job.settings == settings_;
  is_built_ = is_made_ && !was_touched_;
  succeed();
}

void Firewall::Impl::end_job(const Change& job, int error) {
  if (error == 0) return wishes_.done(job.added, job.removed);
  is_built_ = false;  // somebody changed the table: a new one tells what is wrong, if anything is
}

void Firewall::Impl::end_job(const Remove& job, int error) {
  if (error != 0 && error != ENOENT)
    return be_stuck(
        fmt::format("the nftables table inet {} cannot be removed: {}; packets to the addresses "
                    "in it are still dropped",
                    job.table, describe(error)));
  stuck_.clear();
  if (problem_.empty()) succeed();
  // Somebody may have brought it back at once.
  if (!was_touched_ || job.table != settings_.table) drop(job.table);
}

void Firewall::Impl::drop(const std::string& table) {
  tables_.erase(table);
  if (!tables_.empty()) return;
  stuck_.clear();
  forget_record();
}

void Firewall::Impl::fail(std::string problem) {
  try_later();
  if (std::exchange(problem_, problem) == problem) return;
  logger_.log(kFirewallRefused, "{}{}", problem,
              wishes_.is_empty()
                  ? ""
                  : fmt::format("; meanwhile {} addresses answer although they should not",
                                wishes_.count()));
}

void Firewall::Impl::be_stuck(std::string problem) {
  try_later();
  if (std::exchange(stuck_, problem) == problem) return;
  logger_.log(kFirewallStuck, "{}", problem);
}

void Firewall::Impl::try_later() {
  failed_at_ = runtime::now();
  retry_at_ = *failed_at_ + retry_after_;
  retry_after_ = std::min(2 * retry_after_, kLastRetry);
  timer_.arm(retry_at_);
}

void Firewall::Impl::succeed() {
  retry_after_ = kFirstRetry;
  failed_at_.reset();
  if (std::exchange(problem_, {}).empty()) return;
  logger_.log(kFirewallWorks, "the rules are in place in table inet {}", settings_.table);
}

FirewallState Firewall::Impl::state() const {
  return {.table = "inet " + settings_.table,
          .closed = wishes_.count(),
          .in_place = is_built_ && wishes_.missing().empty(),
          .problem = problem_,
          .stuck = stuck_,
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
  impl_->settle();
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
core::Result<bool> Firewall::has_leftovers() const {
  return impl_->has_leftovers();
}

}  // namespace holdfast::netlink
