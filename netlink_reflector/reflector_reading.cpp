// How the mirror is kept: events as they come, and everything anew after some were lost.
#include "netlink_reflector/messages.hpp"
#include "netlink_reflector/reflector_impl.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"

namespace holdfast::netlink {
namespace {

/// Events read in one go. At the bound the rest is read on the next turn, after other handlers.
constexpr int kMaxDrainDatagrams = 16384;

}  // namespace

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
  links_have_moved_ = true;
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

}  // namespace holdfast::netlink
