#include "netlink_reflector/routing.hpp"

#include "netlink_reflector/messages.hpp"
#include "netlink_reflector/owned_file.hpp"
#include "netlink_reflector/reflector.hpp"
#include "netlink_reflector/requests.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "runtime/small_file.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <cerrno>
#include <deque>
#include <linux/rtnetlink.h>

namespace holdfast::netlink {
namespace {

constexpr int kRequestBufferBytes = 1 << 20;
/// Lost events cost a look, nothing else.
constexpr int kEventBufferBytes = 256 << 10;
/// Events read in one go; the rest waits for the next turn.
constexpr int kMaxDrainDatagrams = 1024;
/// Who changes routes all the time gets us to look no more often than this.
constexpr core::Duration kLookEvery = std::chrono::milliseconds(20);
/// And so that looks take a small part of the time: this many times what the last one took.
constexpr int kLookShare = 10;
/// A turn of the loop sends steps for at most this long, but always one piece.
constexpr core::Duration kTurnTime = std::chrono::milliseconds(5);
/// A plan that the kernel accepted, but that did not come true, is made again this often.
constexpr int kMaxRounds = 3;
constexpr std::size_t kLongestRecord = std::size_t{16} << 20;

std::optional<InterfaceIndex> cut_off_by(const LinkEvent& event) {
  if (const auto* vanished = std::get_if<LinkVanished>(&event)) return vanished->link.index;
  const auto* changed = std::get_if<LinkChanged>(&event);
  const bool went_down = changed != nullptr && changed->before.up && !changed->after.up;
  return went_down ? std::optional(changed->after.index) : std::nullopt;
}

}  // namespace

class Routing::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& io, runtime::Logger& logger, Reflector& reflector,
       std::string run_dir)
      : io_(io),
        logger_(logger),
        reflector_(reflector),
        record_path_(run_dir.empty() ? std::string{} : run_dir + "/vrrp.routes"),
        readable_(io),
        timer_(io, [this] { run_in_turn(); }) {}
  ~Impl() {
    if (readable_.is_open()) readable_.release();  // the socket closes its own descriptor
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  core::Result<void> load();
  void watch();
  void schedule();
  void run(RoutingKeeper::Part part, core::Instant until);
  [[nodiscard]] bool is_interrupted() const { return is_interrupted_; }
  RoutingKeeper& keeper() { return keeper_; }
  void on_looked(std::function<void()> callback) { on_looked_ = std::move(callback); }

 private:
  void wait_for_events();
  void drain_events();
  void look_again();
  void arm();
  core::Result<std::vector<RoutingEntry>> read_kernel();
  void run_in_turn() { run(RoutingKeeper::Part::all, runtime::now() + kTurnTime); }
  [[nodiscard]] bool plan();
  void carry_out(std::span<const RoutingStep> steps);
  void record();
  void tell();
  [[nodiscard]] Surroundings surroundings() const;

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  Reflector& reflector_;
  std::string record_path_;
  std::function<void()> on_looked_;
  RoutingKeeper keeper_;
  std::optional<Requests> requests_;
  std::optional<RouteSocket> events_;
  boost::asio::posix::stream_descriptor readable_;
  runtime::DeadlineTimer timer_;
  std::uint64_t recorded_changes_ = 0;
  core::Instant looked_at_{};
  core::Duration look_took_{};
  /// The rest of a plan, and how often it may still be made again for what did not come true.
  std::deque<RoutingStep> pending_;
  int rounds_left_ = 0;
  bool is_interrupted_ = false;
  RoutingKeeper::Part part_ = RoutingKeeper::Part::all;
  bool is_posted_ = false;
  bool record_is_broken_ = false;
  std::optional<core::Instant> look_at_;
};

core::Result<void> Routing::Impl::load() {
  auto requests = RouteSocket::open(kRequestBufferBytes, {});
  if (!requests) return requests.error();
  requests->choose_in_dumps();
  requests_.emplace(std::move(*requests));
  const std::weak_ptr<Impl> weak = weak_from_this();
  // The kernel does not say which routes go with an address or a link of IPv4.
  reflector_.on_link([weak](const LinkEvent& event) {
    const auto self = weak.lock();
    if (!self) return;
    if (const auto index = cut_off_by(event)) self->keeper_.on_link_down(*index);
    self->look_again();
  });
  reflector_.on_address([weak](const AddressEvent&) {
    if (const auto self = weak.lock()) self->look_again();
  });
  if (record_path_.empty()) return {};
  const auto text = runtime::read_small_file(record_path_, kLongestRecord);
  if (!text && text.error().system_errno == ENOENT) return {};
  auto recorded =
      text ? parse_routing(*text, scope_of_record()) : core::Result<RoutingRecord>(text.error());
  if (!recorded) {
    logger_.log(kRecordFailed, "cannot use {}: {}", record_path_, recorded.error().message);
    return {};
  }
  keeper_.inherit(std::move(*recorded));
  return {};
}

void Routing::Impl::watch() {
  if (events_ || !keeper_.has_wishes()) return;
  auto events = RouteSocket::open(kEventBufferBytes, {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
                                                      RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE});
  if (!events) {
    logger_.log(kReadFailed, "cannot hear of routes: {}", events.error().message);
    return;
  }
  events_.emplace(std::move(*events));
  readable_.assign(events_->fd());
  wait_for_events();
}

void Routing::Impl::wait_for_events() {
  readable_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [weak = weak_from_this()](const boost::system::error_code& error) {
                         const auto self = weak.lock();
                         if (!self || error) return;
                         self->drain_events();
                         self->wait_for_events();
                       });
}

// Strangers' routes are none of our business, however many there are.
void Routing::Impl::drain_events() {
  const std::set<std::uint8_t> protocols = keeper_.protocols();
  bool concerns_us = false;
  for (int count = 0; count < kMaxDrainDatagrams; ++count) {
    const RouteSocket::Read read = events_->read();
    if (read.outcome == ReadOutcome::nothing || read.outcome == ReadOutcome::failed) break;
    if (read.outcome == ReadOutcome::overrun) concerns_us = true;
    if (read.outcome != ReadOutcome::data) continue;
    decode_datagram(read.datagram, [&](const Message& message) {
      const auto* report = std::get_if<RoutingReport>(&message.payload);
      if (report != nullptr && protocols.contains(report->entry.protocol)) concerns_us = true;
    });
  }
  if (concerns_us) look_again();
}

void Routing::Impl::look_again() {
  if (!keeper_.has_wishes()) return;
  keeper_.retry_now();
  const core::Duration pause = std::max(kLookEvery, kLookShare * look_took_);
  look_at_ = std::max(looked_at_ + pause, runtime::now());
  arm();
}

void Routing::Impl::schedule() {
  watch();
  if (is_posted_ || !requests_) return;
  is_posted_ = true;
  boost::asio::post(io_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->is_posted_ = false;
    self->run_in_turn();
  });
}

void Routing::Impl::arm() {
  std::optional<core::Instant> deadline = keeper_.deadline();
  if (look_at_ && (!deadline || *look_at_ < *deadline)) deadline = look_at_;
  timer_.arm(deadline);
}

// Who began or ended to hold makes a former plan void; else its rest goes on.
void Routing::Impl::run(RoutingKeeper::Part part, core::Instant until) {
  if (!requests_ || !keeper_.has_wishes()) return;
  const bool resumes = std::exchange(is_interrupted_, false) && !keeper_.has_moved();
  if (!resumes) {
    for (const RoutingStep& each : std::exchange(pending_, {})) keeper_.drop(each);
    rounds_left_ = kMaxRounds;
    part_ = part;
  }
  while (!pending_.empty() || plan()) {
    const std::size_t count = std::min(Requests::kMaxInFlight, pending_.size());
    const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(count);
    const std::vector<RoutingStep> piece(std::make_move_iterator(pending_.begin()),
                                         std::make_move_iterator(end));
    pending_.erase(pending_.begin(), end);
    carry_out(piece);
    if (runtime::now() < until) continue;
    is_interrupted_ = true;
    schedule();
    break;
  }
  record();
  tell();
  arm();
  if (!is_interrupted_ && on_looked_) on_looked_();
}

/// False: there is nothing to do, or nothing that helps.
bool Routing::Impl::plan() {
  if (rounds_left_ == 0) return false;
  --rounds_left_;
  const core::Instant began = runtime::now();
  const auto actual = read_kernel();
  looked_at_ = runtime::now();
  if (part_ == RoutingKeeper::Part::all) look_at_.reset();
  if (!actual) {
    logger_.log(kReadFailed, "{}", actual.error().message);
    look_at_ = looked_at_ + RoutingKeeper::kRetryAfter;
    rounds_left_ = 0;
    return false;
  }
  for (RoutingStep& step : keeper_.plan(*actual, surroundings(), looked_at_, part_))
    pending_.push_back(std::move(step));
  record();  // before the kernel is asked
  look_took_ = runtime::now() - began;
  if (pending_.empty()) rounds_left_ = 0;
  return !pending_.empty();
}

core::Result<std::vector<RoutingEntry>> Routing::Impl::read_kernel() {
  std::vector<RoutingEntry> all;
  const std::set<std::uint8_t> protocols = keeper_.protocols();
  const auto read = [&](RoutingKind kind, core::Family family, std::uint8_t protocol) {
    std::vector<RoutingEntry> found;
    auto done = requests_->dump(
        [&](std::uint32_t sequence) {
          return encode_dump_routing(kind, family, protocol, sequence);
        },
        [&] { found.clear(); },
        [&](const Payload& payload) {
          const auto* report = std::get_if<RoutingReport>(&payload);
          if (report != nullptr && protocols.contains(report->entry.protocol))
            found.push_back(report->entry);
        },
        kind == RoutingKind::route ? "routes" : "routing rules");
    // A table that changes all the time may have holes: what is missing is seen by the next look.
    if (!done && done.error().system_errno == EINTR) done = {};
    for (RoutingEntry& each : found) all.push_back(std::move(each));
    return done;
  };
  for (const core::Family family : {core::Family::v4, core::Family::v6}) {
    for (const std::uint8_t protocol : protocols)
      if (auto done = read(RoutingKind::route, family, protocol); !done) return done.error();
    if (auto done = read(RoutingKind::rule, family, 0); !done) return done.error();
  }
  return all;
}

void Routing::Impl::carry_out(std::span<const RoutingStep> steps) {
  std::vector<RoutingKeeper::Outcome> outcomes;
  for (StepResult& result :
       requests_->send(steps.size(), [&](std::size_t at, std::uint32_t sequence, Bytes&datagram) {
         const bool adds = steps[at].kind == RoutingStep::Kind::add;
         append_routing(adds ? RoutingChange::add : RoutingChange::remove, steps[at].entry,
                        steps[at].placing, sequence, datagram);
       }))
    outcomes.push_back({result.system_errno, std::move(result.text)});
  keeper_.on_outcomes(steps, outcomes, runtime::now());
}

void Routing::Impl::record() {
  if (record_path_.empty() || recorded_changes_ == keeper_.record_changes()) return;
  const auto written =
      runtime::replace_file(record_path_, write_routing(keeper_.record(), scope_of_record()), 0644);
  if (written) recorded_changes_ = keeper_.record_changes();
  if (!written && !record_is_broken_) logger_.log(kRecordFailed, "{}", written.error().message);
  record_is_broken_ = !written;
}

void Routing::Impl::tell() {
  for (const RoutingNotice& notice : keeper_.take_notices()) {
    if (const auto* refused = std::get_if<RoutingRefused>(&notice))
      logger_.log(kRouteRefused, "{}", refused->sentence);
    else if (const auto* repaired = std::get_if<RoutingRepaired>(&notice))
      logger_.log(kRouteRepaired, "the {} was removed by somebody, and is there again",
                  repaired->text);
    else if (const auto* left = std::get_if<RoutingLeftOver>(&notice))
      logger_.log(kRoutesLeftOver, "{} routes and rules of a process that was killed are taken off",
                  left->count);
  }
}

Surroundings Routing::Impl::surroundings() const {
  return {.find = [this](const std::string& name) -> std::optional<InterfaceIndex> {
            const Link* link = reflector_.link(name);
            return link == nullptr ? std::nullopt : std::optional(link->index);
          },
          .is_up =
              [this](InterfaceIndex index) {
                const Link* link = reflector_.link(index);
                return link != nullptr && link->up;
              },
          .is_usable =
              [this](const core::IpAddress& address) {
                for (const Link& link : reflector_.links())
                  if (reflector_.is_usable(address, link.index)) return true;
                return false;
              }};
}

Routing::Routing(boost::asio::io_context& io, runtime::Logger& logger, Reflector& reflector,
                 std::string run_dir)
    : impl_(std::make_shared<Impl>(io, logger, reflector, std::move(run_dir))) {}
Routing::~Routing() = default;

core::Result<void> Routing::load() {
  return impl_->load();
}
void Routing::claim(const core::RouterKey& owner, std::vector<DesiredRouting> claimed) {
  impl_->keeper().claim(owner, std::move(claimed));
  impl_->schedule();
}
void Routing::hold(const core::RouterKey& owner) {
  impl_->keeper().hold(owner);
}
void Routing::release(const core::RouterKey& owner) {
  impl_->keeper().release(owner);
}
void Routing::forget(const core::RouterKey& owner) {
  impl_->keeper().forget(owner);
}
void Routing::sweep_leftovers(Statics statics) {
  impl_->keeper().sweep_leftovers(statics);
  impl_->schedule();
}
void Routing::withdraw() {
  if (impl_->keeper().has_moved())
    impl_->run(RoutingKeeper::Part::withdrawals, runtime::now() + kTurnTime);
}
void Routing::apply() {
  if (impl_->keeper().has_moved()) impl_->run(RoutingKeeper::Part::all, runtime::now() + kTurnTime);
}
void Routing::flush() {
  if (impl_->keeper().has_moved() || impl_->is_interrupted())
    impl_->run(RoutingKeeper::Part::all, core::Instant::max());
}
void Routing::on_looked(std::function<void()> callback) {
  impl_->on_looked(std::move(callback));
}
std::vector<RoutingState> Routing::states(const core::RouterKey& owner) const {
  return impl_->keeper().states(owner);
}
std::size_t Routing::owned_count() const {
  return impl_->keeper().owned().size();
}
std::size_t Routing::staying_count() const {
  return impl_->keeper().staying_count();
}
std::uint64_t Routing::repairs() const {
  return impl_->keeper().repairs();
}

}  // namespace holdfast::netlink
