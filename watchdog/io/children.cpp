#include "watchdog/io/children.hpp"

#include "runtime/clock.hpp"
#include "runtime/handover_file.hpp"

#include <csignal>
#include <unistd.h>
#include <utility>

namespace holdfast::watchdog {

namespace {

runtime::HandoverKind page_kind(Role role) {
  return role == Role::vrrp ? runtime::HandoverKind::vrrp : runtime::HandoverKind::checkers;
}

std::string page_path(const runtime::ChildOptions& options) {
  return options.run_dir + "/vrrp.page";
}

}  // namespace

Children::Children(boost::asio::io_context& io,
                   std::array<runtime::ChildOptions, kRoles.size()> options,
                   std::function<void(Event)> on_event)
    : io_(io), on_event_(std::move(on_event)) {
  for (const Role role : kRoles)
    slot(role).options = std::move(options[static_cast<std::size_t>(role)]);
}

// Where a file cannot be had or would be worse, the page lives as long as this process.
core::Result<runtime::UniqueFd> Children::open_page(Role role) {
  if (role == Role::vrrp) {
    auto file = runtime::open_handover_file(page_path(slot(role).options));
    page_is_a_file_ = file.has_value();
    if (file) return file;
  }
  return runtime::create_handover_page(page_kind(role));
}

core::Result<void> Children::make_page(Role role) {
  auto page = open_page(role);
  if (!page) return page.error();
  if (role == Role::vrrp) {
    auto view = runtime::HandoverPage<runtime::VrrpRecord>::open(page->duplicate());
    if (!view) return view.error();
    vrrp_page_ = std::move(*view);
  }
  slot(role).page = std::move(*page);
  return {};
}

core::Result<void> Children::spawn(Role role) {
  Slot& child = slot(role);
  if (!child.page) {
    if (auto made = make_page(role); !made) return made;
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

std::vector<Observed> Children::observe() const {
  std::vector<Observed> all;
  for (const Role role : kRoles) {
    const auto& process = slots_[static_cast<std::size_t>(role)].process;
    const auto activity = process ? process->activity() : Process::Activity{};
    all.push_back({.role = role,
                   .stopped = activity.is_stopped,
                   .holds_until = holds_until(role),
                   .worked = activity.worked,
                   .is_working = activity.is_working});
  }
  return all;
}

std::optional<core::Instant> Children::holds_until(Role role) const {
  if (role != Role::vrrp || !vrrp_page_) return std::nullopt;
  return runtime::mastership_ends(*vrrp_page_, slots_[static_cast<std::size_t>(role)].served_until);
}

void Children::remove_page() {
  if (page_is_a_file_) ::unlink(page_path(slot(Role::vrrp).options).c_str());
}

void Children::make_page_void() {
  if (vrrp_page_) vrrp_page_->make_void(runtime::now());
}

std::optional<pid_t> Children::pid(Role role) const {
  const auto& process = slots_[static_cast<std::size_t>(role)].process;
  if (!process) return std::nullopt;
  return process->pid();
}

void Children::on_exit(Role role, ExitStatus status) {
  Slot& child = slot(role);
  child.takes_part = false;
  child.channel.reset();
  // Not destroyed from inside its own callback.
  const std::unique_ptr<Process> ended = std::move(child.process);
  on_event_(ChildExited{.role = role,
                        .status = status,
                        .sentence = to_sentence(status),
                        .holds_until = holds_until(role)});
}

void Children::on_frame(Role role, const runtime::Frame& frame) {
  using runtime::FrameType;
  Slot& child = slot(role);
  if (frame.type == FrameType::committed) child.takes_part = true;
  if (child.takes_part) child.served_until = runtime::now();
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
    case FrameType::dump:
      if (on_dump_) on_dump_(role, static_cast<int>(frame.number));
      return;
    case FrameType::prepare:
    case FrameType::commit:
    case FrameType::abort:
    case FrameType::stop:
    case FrameType::sibling:
    case FrameType::scripts:
    case FrameType::host_script:
      return;  // ours to send: a child that sends them is broken, and says nothing by it
  }
}

}  // namespace holdfast::watchdog
