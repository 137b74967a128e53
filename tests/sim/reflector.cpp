#include "tests/sim/reflector.hpp"

namespace holdfast::sim {

using namespace std::chrono_literals;

namespace {
constexpr Duration kRetryAfter = 1s;  // as ReflectorOptions has it
constexpr Duration kNetlinkDelay = 100us;
constexpr int kMaxFlushTurns = 1000;  // as reflector.cpp of the product has it
}  // namespace

Reflector::Reflector(World& world, Process& process, Kernel& kernel, netlink::OwnedList& record,
                     Listener* listener)
    : world_(world),
      process_(process),
      kernel_(kernel),
      record_(record),
      listener_(listener),
      keeper_(kRetryAfter) {
  ear_.on_readable = [this] { process_.later(kNetlinkDelay, [this] { turn(); }); };
}

Reflector::~Reflector() {
  kernel_.hang_up(ear_);
}

void Reflector::load() {
  kernel_.listen(ear_);
  mirror_ = kernel_.dump();
  keeper_.inherit(record_, netlink::OtherKeepers::none, mirror_);
  record_changes();
  arm();
}

void Reflector::claim(const core::RouterKey& owner,
                      std::vector<netlink::DesiredAddress> addresses) {
  keeper_.claim(owner, std::move(addresses));
  schedule();
}
void Reflector::hold(const core::RouterKey& owner, std::vector<netlink::DesiredAddress> addresses) {
  keeper_.hold(owner, std::move(addresses));
  schedule();
}
void Reflector::release(const core::RouterKey& owner) {
  keeper_.release(owner);
  schedule();
}
void Reflector::forget(const core::RouterKey& owner) {
  keeper_.forget(owner);
  schedule();
}
void Reflector::sweep_leftovers() {
  keeper_.sweep_leftovers();
  sweep_is_due_ = true;
  schedule();
}

const netlink::Link* Reflector::link(std::string_view name) const {
  return mirror_.links.find(name);
}
std::optional<core::IpAddress> Reflector::source(netlink::InterfaceIndex index,
                                                 core::Family family) const {
  return keeper_.source(mirror_, index, family);
}
netlink::Publication Reflector::publication(const core::RouterKey& owner) const {
  return keeper_.publication(owner, mirror_);
}

// ---- turns ----

void Reflector::schedule() {
  if (std::exchange(turn_is_planned_, true)) return;
  process_.later(0us, [this] {
    turn_is_planned_ = false;
    turn();
  });
}

void Reflector::turn() {
  progress();
  deliver();
  arm();
}

void Reflector::progress() {
  drain();
  std::vector<netlink::Batch> batches;
  std::vector<netlink::Notice> notices;
  keeper_.work(mirror_, world_.now(), batches, notices);
  for (netlink::Batch& batch : batches) pending_.push_back(std::move(batch));
  for (netlink::Notice& notice : notices) outbox_.emplace_back(std::move(notice));
  record_changes();
  send_batches();
  has_swept_ |= sweep_is_due_;
}

void Reflector::flush() {
  for (int turns = 0; turns < kMaxFlushTurns; ++turns) {
    progress();
    if (!keeper_.has_work() && pending_.empty()) break;
  }
  arm();
}

void Reflector::record_changes() {
  for (const netlink::OwnedChange& change : keeper_.take_owned_changes()) record_.apply(change);
}

void Reflector::send_batches() {
  while (!pending_.empty()) {
    const netlink::Batch batch = std::move(pending_.front());
    pending_.pop_front();
    // Without marks a death between the record and the kernel leaves a promise that a stranger's
    // address may fulfil: then nothing can tell the two apart.
    if (kernel_.keeps_marks()) process_.step();
    const std::vector<netlink::StepResult> results = kernel_.apply(batch);
    process_.moved();
    drain();
    keeper_.on_results(batch, results, mirror_, world_.now());
  }
}

void Reflector::drain() {
  const auto note_link = [this](const std::optional<netlink::LinkEvent>& event) {
    if (!event) return;
    keeper_.on_link(*event, world_.now());
    outbox_.emplace_back(*event);
  };
  const auto note_address = [this](const std::optional<netlink::AddressEvent>& event) {
    if (!event) return;
    keeper_.on_address(*event, mirror_, world_.now());
    outbox_.emplace_back(*event);
  };
  while (!ear_.waiting.empty()) {
    const NetlinkNews news = std::move(ear_.waiting.front());
    ear_.waiting.pop_front();
    if (const auto* address = std::get_if<netlink::AddressReport>(&news)) {
      note_address(address->gone ? mirror_.addresses.remove(address->address.key())
                                 : mirror_.addresses.upsert(address->address));
      continue;
    }
    const auto& link = std::get<netlink::LinkReport>(news);
    if (!link.gone) {
      note_link(mirror_.links.upsert(link.link));
      continue;
    }
    for (const auto& event : mirror_.addresses.remove_interface(link.link.index))
      note_address(event);
    note_link(mirror_.links.remove(link.link.index));
  }
}

void Reflector::deliver() {
  while (!outbox_.empty()) {
    const News news = std::move(outbox_.front());
    outbox_.pop_front();
    if (listener_ == nullptr) continue;
    if (const auto* link = std::get_if<netlink::LinkEvent>(&news)) {
      listener_->on_link(*link);
    } else if (const auto* address = std::get_if<netlink::AddressEvent>(&news)) {
      listener_->on_address(*address);
    } else {
      tell(std::get<netlink::Notice>(news));
    }
  }
}

void Reflector::tell(const netlink::Notice& notice) {
  if (const auto* published = std::get_if<netlink::Published>(&notice)) {
    listener_->on_published(published->owner, published->publication);
  } else if (const auto* lost = std::get_if<netlink::Lost>(&notice)) {
    listener_->on_published(lost->owner, publication(lost->owner));
  } else if (const auto* repaired = std::get_if<netlink::Repaired>(&notice)) {
    for (const core::RouterKey& owner : repaired->owners) listener_->on_repaired(owner);
  }
}

void Reflector::arm() {
  if (keeper_.has_work() || !pending_.empty() || !outbox_.empty()) schedule();
  const auto deadline = keeper_.deadline();
  if (!deadline || (armed_for_ && *armed_for_ <= *deadline)) return;
  armed_for_ = deadline;
  process_.later(std::max(*deadline - world_.now(), Duration::zero()), [this] {
    armed_for_.reset();
    turn();
  });
}

}  // namespace holdfast::sim
