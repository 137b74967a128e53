#include "netlink_reflector/reflector.hpp"

#include "netlink_reflector/core/keeper.hpp"
#include "netlink_reflector/messages.hpp"
#include "netlink_reflector/news.hpp"
#include "netlink_reflector/owned_file.hpp"
#include "netlink_reflector/presence.hpp"
#include "netlink_reflector/requests.hpp"
#include "netlink_reflector/socket.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <cerrno>
#include <deque>
#include <linux/rtnetlink.h>

namespace holdfast::netlink {
namespace {

/// Events read in one go. At the bound the rest is read on the next turn, after other handlers.
constexpr int kMaxDrainDatagrams = 16384;
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

class Reflector::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& io, runtime::Logger& logger, ReflectorOptions options)
      : io_(io),
        logger_(logger),
        options_(std::move(options)),
        keeper_(options_.retry_after),
        news_(logger),
        owned_(options_.run_dir),
        readable_(io),
        timer_(io, [this] { schedule(); }) {}

  ~Impl() {
    if (readable_.is_open()) readable_.release();  // the socket closes its own descriptor
  }

  core::Result<void> load();
  void schedule();
  void flush();
  bool advance(core::Instant until);

  Keeper& keeper() { return keeper_; }
  [[nodiscard]] bool has_inherited() const { return has_inherited_; }
  [[nodiscard]] const Mirror& mirror() const { return mirror_; }
  News& news() { return news_; }

 private:
  /// A batch, and the answers to as many of its steps as were sent.
  struct Sending {
    Batch batch;
    std::vector<StepResult> results;
  };

  void wait_for_events();
  void turn();
  void progress(core::Instant until);
  void drain_events();
  void take(const Payload& payload);
  void note(const std::optional<LinkEvent>& event);
  void note(const std::optional<AddressEvent>& event);
  core::Result<void> read_everything();
  core::Result<void> read_addresses();
  void look_for_late_addresses(const Batch& batch, const std::vector<StepResult>& results);
  void resync();
  void inherit();
  void record_changes();
  void send_batches(core::Instant until);
  void send_piece(Sending& sending);
  [[nodiscard]] bool is_working() const { return keeper_.has_work() || !pending_.empty(); }
  void arm();

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  ReflectorOptions options_;
  Keeper keeper_;
  News news_;
  OwnedFile owned_;
  std::optional<Presence> presence_;
  Mirror mirror_;
  std::optional<RouteSocket> events_;
  std::optional<Requests> requests_;
  boost::asio::posix::stream_descriptor readable_;
  runtime::DeadlineTimer timer_;
  std::deque<Sending> pending_;
  bool turn_is_posted_ = false;
  bool resync_is_due_ = false;
  bool undrained_ = false;
  bool has_inherited_ = false;
  bool record_is_broken_ = false;
  std::optional<core::Instant> resync_at_;
};

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

void Reflector::Impl::drain_events() {
  if (!events_) return;
  undrained_ = true;
  for (int count = 0; count < kMaxDrainDatagrams; ++count) {
    const RouteSocket::Read read = events_->read();
    switch (read.outcome) {
      case ReadOutcome::data:
        decode_datagram(read.datagram, [this](const Message& message) { take(message.payload); });
        break;
      case ReadOutcome::overrun:
        ++keeper_.counters().overruns;
        logger_.log(kOverrun, "lost link and address events, reading everything again");
        resync_is_due_ = true;
        break;
      case ReadOutcome::failed:
        logger_.log(kReadFailed, "cannot read netlink events: {}",
                    std::generic_category().message(read.system_errno));
        resync_is_due_ = true;
        undrained_ = false;
        return;
      case ReadOutcome::nothing:
        undrained_ = false;
        return;
    }
  }
}

void Reflector::Impl::take(const Payload& payload) {
  if (const auto* report = std::get_if<LinkReport>(&payload)) {
    const InterfaceIndex index = report->link.index;
    if (!report->gone) {
      note(mirror_.links.upsert(report->link));
      return;
    }
    // Addresses first: whoever hears of their end can still look up the interface.
    for (const AddressEvent& event : mirror_.addresses.remove_interface(index)) note(event);
    note(mirror_.links.remove(index));
  } else if (const auto* address = std::get_if<AddressReport>(&payload)) {
    note(address->gone ? mirror_.addresses.remove(address->address.key())
                       : mirror_.addresses.upsert(address->address));
  }
}

void Reflector::Impl::note(const std::optional<LinkEvent>& event) {
  if (!event) return;
  keeper_.on_link(*event, runtime::now());
  news_.add(*event);
}

void Reflector::Impl::note(const std::optional<AddressEvent>& event) {
  if (!event) return;
  keeper_.on_address(*event, mirror_, runtime::now());
  news_.add(*event);
}

/// Mark and sweep: what the kernel does not mention any more is gone. Nothing is swept after an
/// incomplete dump.
core::Result<void> Reflector::Impl::read_everything() {
  const auto keep = [this](const Payload& payload) { take(payload); };
  auto read = requests_->dump(
      encode_dump_links, [this] { mirror_.links.begin_resync(); }, keep);
  if (!read) return read;
  for (const LinkEvent& event : mirror_.links.sweep()) {
    const InterfaceIndex index = std::get<LinkVanished>(event).link.index;
    for (const AddressEvent& gone : mirror_.addresses.remove_interface(index)) note(gone);
    note(event);
  }
  return read_addresses();
}

core::Result<void> Reflector::Impl::read_addresses() {
  const core::Result<void> read = requests_->dump(
      encode_dump_addresses, [this] { mirror_.addresses.begin_resync(); },
      [this](const Payload& payload) { take(payload); });
  if (!read) return read;
  for (const AddressEvent& event : mirror_.addresses.sweep()) note(event);
  return {};
}

/// The kernel announces an IPv6 address without duplicate detection from a work queue, some time
/// after it is there (net/ipv6/addrconf.c: inet6_addr_add); a dump shows it at once.
void Reflector::Impl::look_for_late_addresses(const Batch& batch,
                                              const std::vector<StepResult>& results) {
  for (std::size_t at = 0; at < results.size(); ++at) {
    const Address& address = batch.steps[at].address;
    const bool added = batch.steps[at].kind != StepKind::remove && results[at].system_errno == 0;
    if (!added || address.prefix.address.is_v4()) continue;
    if (mirror_.addresses.find(address.key()) != nullptr) continue;
    if (!read_addresses()) resync_is_due_ = true;
    return;
  }
}

void Reflector::Impl::resync() {
  const core::Instant now = runtime::now();
  if (resync_at_ && *resync_at_ <= now) resync_is_due_ = true;
  if (!resync_is_due_ || !requests_) return;
  resync_is_due_ = false;
  resync_at_.reset();
  ++keeper_.counters().resyncs;
  if (const core::Result<void> read = read_everything(); !read) {
    logger_.log(kReadFailed, "{}", read.error().message);
    resync_at_ = now + options_.retry_after;
    return;
  }
  if (!has_inherited_) inherit();
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

// ---- the public face ----

Reflector::Reflector(boost::asio::io_context& io, runtime::Logger& logger, ReflectorOptions options)
    : impl_(std::make_shared<Impl>(io, logger, options)) {}

Reflector::~Reflector() = default;

core::Result<void> Reflector::load() {
  return impl_->load();
}

const Link* Reflector::link(std::string_view name) const {
  return impl_->mirror().links.find(name);
}
const Link* Reflector::link(InterfaceIndex index) const {
  return impl_->mirror().links.find(index);
}
std::vector<Link> Reflector::links() const {
  return impl_->mirror().links.all();
}

bool Reflector::holds(InterfaceIndex index, const core::IpAddress& address) const {
  return impl_->mirror().addresses.has(index, address);
}
std::vector<Address> Reflector::addresses(InterfaceIndex index) const {
  return impl_->mirror().addresses.on(index);
}
std::optional<core::IpAddress> Reflector::primary_v4(InterfaceIndex index) const {
  return impl_->keeper().source(impl_->mirror(), index, core::Family::v4);
}
std::optional<core::IpAddress> Reflector::link_local(InterfaceIndex index) const {
  return impl_->keeper().source(impl_->mirror(), index, core::Family::v6);
}
bool Reflector::is_usable(const core::IpAddress& address, InterfaceIndex from) const {
  const AddressTable& all = impl_->mirror().addresses;
  const bool is_of_the_link = !address.is_v4() && address.is_link_local();
  return is_of_the_link ? all.is_usable(from, address) : all.is_usable(address);
}

void Reflector::on_link(std::function<void(const LinkEvent&)> callback) {
  impl_->news().on_link.push_back(std::move(callback));
}
void Reflector::on_address(std::function<void(const AddressEvent&)> callback) {
  impl_->news().on_address.push_back(std::move(callback));
}
void Reflector::on_published(
    std::function<void(const core::RouterKey& owner, const Publication&)> callback) {
  impl_->news().on_published.push_back(std::move(callback));
}
void Reflector::on_lost(
    std::function<void(const core::RouterKey& owner, const Publication&)> callback) {
  impl_->news().on_lost.push_back(std::move(callback));
}
void Reflector::on_repaired(
    std::function<void(const core::RouterKey& owner, const std::vector<core::IpPrefix>&)>
        callback) {
  impl_->news().on_repaired.push_back(std::move(callback));
}

void Reflector::claim(const core::RouterKey& owner, std::vector<DesiredAddress> addresses) {
  impl_->keeper().claim(owner, std::move(addresses));
  impl_->schedule();
}
void Reflector::hold(const core::RouterKey& owner, std::vector<DesiredAddress> addresses) {
  impl_->keeper().hold(owner, std::move(addresses));
  impl_->schedule();
}
void Reflector::release(const core::RouterKey& owner) {
  impl_->keeper().release(owner);
  impl_->schedule();
}
void Reflector::forget(const core::RouterKey& owner) {
  impl_->keeper().forget(owner);
  impl_->schedule();
}
void Reflector::sweep_leftovers() {
  impl_->keeper().sweep_leftovers();
  impl_->schedule();
}
void Reflector::flush() {
  impl_->flush();
}
bool Reflector::advance(core::Instant until) {
  return impl_->advance(until);
}

Publication Reflector::publication(const core::RouterKey& owner) const {
  return impl_->keeper().publication(owner, impl_->mirror());
}
bool Reflector::is_complete() const {
  return impl_->has_inherited();
}
std::size_t Reflector::owned_count() const {
  return impl_->keeper().owned_count();
}
const ReflectorCounters& Reflector::counters() const {
  return impl_->keeper().counters();
}

}  // namespace holdfast::netlink
