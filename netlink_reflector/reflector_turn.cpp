// A turn of the reflector: what is read, what follows from it, what is sent, when it comes again.
#include "netlink_reflector/messages.hpp"
#include "netlink_reflector/reflector_impl.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"

#include <boost/asio/post.hpp>

#include <cerrno>
#include <linux/rtnetlink.h>

namespace holdfast::netlink {
namespace {

/// A turn of the loop sends steps for at most this long, but always one piece. A step takes the
/// kernel some 50 to 100 µs, ten times that on a busy host.
constexpr core::Duration kTurnTime = std::chrono::milliseconds(5);
/// Steps between two looks at the clock: those of one request.
constexpr std::size_t kPieceSteps = Requests::kMaxInFlight;
/// More turns than any sane flush needs; what is left then happens in the loop.
constexpr int kMaxFlushTurns = 1000;

/// How many of these steps go together: a piece, and whatever must follow it at once. What a
/// removal took along is put back right behind it, and what changes is not away for long.
std::size_t next_piece(std::span<const Step> steps) {
  std::size_t count = std::min(kPieceSteps, steps.size());
  while (count < steps.size() && steps[count].kind != StepKind::remove &&
         (steps[count].kind == StepKind::restore || steps[count - 1].kind != StepKind::add))
    ++count;
  return count;
}

}  // namespace

Reflector::Impl::Impl(boost::asio::io_context& io, runtime::Logger& logger,
                      ReflectorOptions options)
    : io_(io),
      logger_(logger),
      options_(std::move(options)),
      keeper_(options_.retry_after),
      news_(logger),
      owned_(options_.run_dir),
      readable_(io),
      timer_(io, [this] { schedule(); }) {}

Reflector::Impl::~Impl() {
  if (readable_.is_open()) readable_.release();  // the socket closes its own descriptor
}

core::Result<void> Reflector::Impl::load() {
  auto presence = Presence::announce(options_.run_dir, options_.company);
  if (!presence) return presence.error();
  presence_.emplace(std::move(*presence));
  auto requests = RouteSocket::open(options_.request_buffer_bytes, {});
  if (!requests) return requests.error();
  auto events = RouteSocket::open(options_.event_buffer_bytes,
                                  {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR});
  if (!events) return events.error();
  requests_.emplace(std::move(*requests));
  events_.emplace(std::move(*events));

  const core::Result<void> read = read_everything();
  if (!read && read.error().system_errno != EINTR) return read;
  // Interrupted each time: something is missing. The first turn of the loop reads it again.
  resync_is_due_ = !read;
  if (read) inherit();
  drain_events();
  news_.clear();  // nobody has a former state to compare with
  readable_.assign(events_->fd());
  wait_for_events();
  arm();
  return {};
}

/// Once the mirror is complete: what a predecessor left can only be told by looking at everything.
void Reflector::Impl::inherit() {
  has_inherited_ = true;
  auto listed = owned_.load();
  if (!listed) logger_.log(kRecordFailed, "{}", listed.error().message);
  keeper_.inherit(listed ? *listed : OwnedList{}, presence_->others(), mirror_);
  record_changes();
}

/// Before the kernel is asked. Without the record the address is still added: service first, and
/// its mark can be found.
void Reflector::Impl::record_changes() {
  const core::Result<void> noted = owned_.note(keeper_.take_owned_changes(), keeper_);
  if (!noted && !record_is_broken_) logger_.log(kRecordFailed, "{}", noted.error().message);
  record_is_broken_ = !noted;
}

void Reflector::Impl::wait_for_events() {
  readable_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [weak = weak_from_this()](const boost::system::error_code& error) {
                         const auto self = weak.lock();
                         if (!self || error) return;
                         self->wait_for_events();
                         self->turn();
                       });
}

void Reflector::Impl::schedule() {
  if (turn_is_posted_) return;
  turn_is_posted_ = true;
  boost::asio::post(io_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->turn_is_posted_ = false;
    self->turn();
  });
}

void Reflector::Impl::turn() {
  progress(runtime::now() + kTurnTime);
  news_.deliver();
  arm();
}

/// Reads before it judges: events, then a resync if some were lost, then what has to be done.
void Reflector::Impl::progress(core::Instant until) {
  drain_events();
  resync();
  if (std::exchange(links_have_moved_, false) && before_work_) before_work_();
  std::vector<Batch> batches;
  std::vector<Notice> notices;
  keeper_.work(mirror_, runtime::now(), batches, notices);
  for (Batch& batch : batches) pending_.push_back({std::move(batch), {}});
  for (Notice& notice : notices) news_.add(std::move(notice));
  record_changes();
  send_batches(until);
}

void Reflector::Impl::arm() {
  if (is_working() || !news_.is_empty() || undrained_ || resync_is_due_) schedule();
  std::optional<core::Instant> deadline = keeper_.deadline();
  if (resync_at_ && (!deadline || *resync_at_ < *deadline)) deadline = resync_at_;
  timer_.arm(deadline);
}

void Reflector::Impl::flush() {
  for (int turns = 0; turns < kMaxFlushTurns; ++turns) {
    progress(core::Instant::max());
    if (!is_working()) break;
  }
  arm();
}

bool Reflector::Impl::advance(core::Instant until) {
  do {
    progress(until);
  } while (is_working() && runtime::now() < until);
  arm();
  return !is_working();
}

void Reflector::Impl::send_batches(core::Instant until) {
  while (!pending_.empty()) {
    Sending& sending = pending_.front();
    send_piece(sending);
    if (sending.results.size() == sending.batch.steps.size()) {
      const Sending sent = std::move(sending);
      pending_.pop_front();
      look_for_late_addresses(sent.batch, sent.results);
      resync();
      keeper_.on_results(sent.batch, sent.results, mirror_, runtime::now());
    }
    if (runtime::now() >= until) return;
  }
}

void Reflector::Impl::send_piece(Sending& sending) {
  const auto rest = std::span<const Step>(sending.batch.steps).subspan(sending.results.size());
  for (StepResult& result : requests_->send(rest.first(next_piece(rest))))
    sending.results.push_back(std::move(result));
  drain_events();
}

}  // namespace holdfast::netlink
