#include "watchdog/io/children.hpp"

#include "runtime/handover_page.hpp"

#include <csignal>
#include <utility>

namespace holdfast::watchdog {

namespace {

runtime::HandoverKind page_kind(Role role) {
  return role == Role::vrrp ? runtime::HandoverKind::vrrp : runtime::HandoverKind::checkers;
}

}  // namespace

Children::Children(boost::asio::io_context& io,
                   std::array<runtime::ChildOptions, kRoles.size()> options,
                   std::function<void(Event)> on_event)
    : io_(io), on_event_(std::move(on_event)) {
  for (const Role role : kRoles)
    slot(role).options = std::move(options[static_cast<std::size_t>(role)]);
}

core::Result<void> Children::spawn(Role role) {
  Slot& child = slot(role);
  if (!child.page) {
    auto page = runtime::create_handover_page(page_kind(role));
    if (!page) return page.error();
    child.page = std::move(*page);
  }
  auto ends = runtime::make_channel_pair();
  if (!ends) return ends.error();
  auto process = Process::spawn(io_,
                                {.arguments = runtime::to_arguments(child.options),
                                 .fd3 = ends->child.get(),
                                 .fd4 = child.page.get(),
                                 .fd5 = -1},
                                [this, role](ExitStatus status) { on_exit(role, status); });
  if (!process) return process.error();
  child.process = std::move(*process);
  child.channel = std::make_unique<runtime::Channel>(io_, std::move(ends->parent));
  // A closed channel says less than the death that follows it; a child that lives on without one
  // misses its heartbeats.
  child.channel->start([this, role](const runtime::Frame& frame) { on_frame(role, frame); },
                       [](const std::string&) {});
  introduce_vrrp_to_checkers();
  return {};
}

// When we are killed nobody orders the two: the table has to outlive the addresses, so the checkers
// process waits for the end of the VRRP process by itself. Without a free descriptor it cannot;
// both work nevertheless, and the next start of either tries again.
void Children::introduce_vrrp_to_checkers() {
  const Slot& vrrp = slot(Role::vrrp);
  const Slot& checkers = slot(Role::checkers);
  if (!vrrp.process || !checkers.process) return;
  auto pidfd = vrrp.process->pidfd();
  if (!pidfd) return;
  const auto pid = static_cast<std::uint64_t>(vrrp.process->pid());
  static_cast<void>(
      checkers.channel->send({runtime::FrameType::sibling, pid, {}, std::move(*pidfd)}));
}

core::Result<void> Children::send(Role role, runtime::Frame frame) {
  Slot& child = slot(role);
  if (!child.channel) return core::fail("the {} process has no channel", to_string(role));
  return child.channel->send(std::move(frame));
}

void Children::strike(Role role, Blow blow) {
  if (const auto& process = slot(role).process)
    process->signal(blow == Blow::abort ? SIGABRT : SIGKILL);
}

std::optional<pid_t> Children::pid(Role role) const {
  const auto& process = slots_[static_cast<std::size_t>(role)].process;
  if (!process) return std::nullopt;
  return process->pid();
}

void Children::on_exit(Role role, ExitStatus status) {
  Slot& child = slot(role);
  child.channel.reset();
  // Not destroyed from inside its own callback.
  const std::unique_ptr<Process> ended = std::move(child.process);
  on_event_(ChildExited{.role = role, .status = status, .sentence = to_sentence(status)});
}

void Children::on_frame(Role role, const runtime::Frame& frame) {
  using runtime::FrameType;
  switch (frame.type) {
    case FrameType::hello:
    case FrameType::heartbeat:
      return on_event_(HeartbeatReceived{role});
    case FrameType::prepared:
      return on_event_(PreparedReceived{role, frame.number});
    case FrameType::refused:
      return on_event_(RefusedReceived{role, frame.number, frame.text});
    case FrameType::committed:
      return on_event_(CommittedReceived{role, frame.number});
    case FrameType::prepare:
    case FrameType::commit:
    case FrameType::abort:
    case FrameType::stop:
    case FrameType::sibling:
      return;  // ours to send: a child that sends them is broken, and says nothing by it
  }
}

}  // namespace holdfast::watchdog
