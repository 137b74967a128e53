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
        timer_(io, [this] { run(RoutingKeeper::Part::all); }) {}
  ~Impl() {
    if (readable_.is_open()) readable_.release();  // the socket closes its own descriptor
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  core::Result<void> load();
  void watch();
  void schedule();
  void run(RoutingKeeper::Part part);
  RoutingKeeper& keeper() { return keeper_; }

 private:
  void wait_for_events();
  void drain_events();
  void look_again();
  void arm();
  core::Result<std::vector<RoutingEntry>> read_kernel();
  void carry_out(const std::vector<RoutingStep>& steps);
  void record();
  void tell();
  [[nodiscard]] Surroundings surroundings() const;

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  Reflector& reflector_;
  std::string record_path_;
  RoutingKeeper keeper_;
  std::optional<Requests> requests_;
  std::optional<RouteSocket> events_;
  boost::asio::posix::stream_descriptor readable_;
  runtime::DeadlineTimer timer_;
  RoutingRecord recorded_;
  core::Instant looked_at_{};
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
  recorded_ = *recorded;
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
  look_at_ = std::max(looked_at_ + kLookEvery, runtime::now());
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
    self->run(RoutingKeeper::Part::all);
  });
}

void Routing::Impl::arm() {
  std::optional<core::Instant> deadline = keeper_.deadline();
  if (look_at_ && (!deadline || *look_at_ < *deadline)) deadline = look_at_;
  timer_.arm(deadline);
}

void Routing::Impl::run(RoutingKeeper::Part part) {
  if (!requests_ || !keeper_.has_wishes()) return;
  for (int round = 0; round < kMaxRounds; ++round) {
    const auto actual = read_kernel();
    looked_at_ = runtime::now();
    if (part == RoutingKeeper::Part::all) look_at_.reset();
    if (!actual) {
      logger_.log(kReadFailed, "{}", actual.error().message);
      look_at_ = looked_at_ + RoutingKeeper::kRetryAfter;
      break;
    }
    const auto steps = keeper_.plan(*actual, surroundings(), looked_at_, part);
    record();  // before the kernel is asked
    if (steps.empty()) break;
    carry_out(steps);
    record();
  }
  tell();
  arm();
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

void Routing::Impl::carry_out(const std::vector<RoutingStep>& steps) {
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
  if (record_path_.empty() || recorded_ == keeper_.record()) return;
  const auto written =
      runtime::replace_file(record_path_, write_routing(keeper_.record(), scope_of_record()), 0644);
  if (written) recorded_ = keeper_.record();
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
  if (impl_->keeper().has_moved()) impl_->run(RoutingKeeper::Part::withdrawals);
}
void Routing::apply() {
  if (impl_->keeper().has_moved()) impl_->run(RoutingKeeper::Part::all);
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
