#include "netlink_reflector/devices.hpp"

#include "netlink_reflector/messages.hpp"
#include "netlink_reflector/presence.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace holdfast::netlink {
namespace {

constexpr int kRequestBufferBytes = 256 << 10;
/// Made, given its settings and looked at: what is not right then is tried again after a pause.
constexpr int kMaxRounds = 4;

/// A link group that people do not use ("HoFa"): what is deleted together is in it for a moment.
constexpr std::uint32_t kGroupOfTheEnd = 0x486f4661;

std::string settings_path(const std::string& run_dir) {
  return run_dir + "/vrrp.settings";
}

/// "holdfast RUN_DIR DEVICE.INODE", as our devices have it for an alias.
struct Mark {
  std::string run_dir;
  std::string identity;
};
std::optional<Mark> read_mark(std::string_view alias) {
  constexpr std::string_view kStem = "holdfast ";
  const std::size_t space = alias.rfind(' ');
  if (!alias.starts_with(kStem) || space < kStem.size()) return std::nullopt;
  return Mark{std::string(alias.substr(kStem.size(), space - kStem.size())),
              std::string(alias.substr(space + 1))};
}

/// RFC 9568 §7.3.
bool is_virtual(const core::MacAddress& mac) {
  const std::uint8_t vrid = mac.bytes.back();
  return mac == virtual_mac(core::Family::v4, vrid) || mac == virtual_mac(core::Family::v6, vrid);
}

int rp_filter_of_all() {
  const auto value = read_setting("ipv4/conf/all/rp_filter");
  return value && *value == "1" ? 1 : 0;
}

/// What may help.
std::string hint_for(int error) {
  switch (error) {
    case EOPNOTSUPP:
      return " (this kernel has no such interfaces: load the module macvlan or ipvlan)";
    case EADDRINUSE:
      return " (another interface there has this MAC address: look for what a killed VRRP daemon "
             "left)";
    case EBUSY:
      return " (macvlan and ipvlan cannot be above one interface together)";
    case EPERM:
      return " (it needs root or CAP_NET_ADMIN)";
    default:
      return {};
  }
}

std::string text_of(const StepResult& result) {
  return fmt::format("{}{}{}", std::generic_category().message(result.system_errno),
                     result.text.empty() ? "" : ": " + result.text, hint_for(result.system_errno));
}

}  // namespace

Devices::Devices(boost::asio::io_context& io, runtime::Logger& logger, Reflector& reflector,
                 const std::string& run_dir)
    : io_(io),
      logger_(logger),
      reflector_(reflector),
      run_dir_(run_dir),
      borrowed_(run_dir.empty() ? std::string{} : settings_path(run_dir)),
      timer_(io, [this] { work(); }) {}

core::Result<void> Devices::load() {
  auto requests = RouteSocket::open(kRequestBufferBytes, {});
  if (!requests) return requests.error();
  requests_.emplace(std::move(*requests));
  know_marks();
  if (auto loaded = borrowed_.load(); !loaded) complain(loaded.error());
  const std::weak_ptr<Life> life = life_;
  reflector_.before_work([this, life] {
    if (life.lock() && follows_) work();
  });
  reflector_.on_address([this, life](const AddressEvent&) {
    if (!life.lock() || unwanted_.empty()) return;
    boost::asio::post(io_, [this, life] {
      if (life.lock()) work();
    });
  });
  return {};
}

// A container that was made anew has another directory of the same name.
void Devices::know_marks() {
  const std::string stem = "holdfast " + run_dir_;
  mark_ = fmt::format("{} {}", stem, identity_of(run_dir_));
  marks_ = {mark_};
  // A mark without a number may be a neighbour's of an older version.
  const bool is_alone = keepers_beside(run_dir_) == OtherKeepers::none;
  for (const Link& link : reflector_.links()) {
    if (is_alone && link.alias == stem) of_old_versions_.insert(link.index);
    if (!link.alias.starts_with(stem + " ") || marks_.contains(link.alias)) continue;
    if (!keeper_lives(link.alias.substr(stem.size() + 1))) marks_.insert(link.alias);
  }
}

bool Devices::is_ours(const Link& link) const {
  return marks_.contains(link.alias) ||
         (of_old_versions_.contains(link.index) && link.alias == "holdfast " + run_dir_);
}

void Devices::on_changed(std::function<void(const std::string& parent)> callback) {
  on_changed_ = std::move(callback);
}

void Devices::on_up(std::function<void(const std::string& device)> callback) {
  on_up_ = std::move(callback);
}

void Devices::follow(std::vector<DesiredDevice> wanted) {
  std::map<std::string, Kept> next;
  for (DesiredDevice& each : wanted) {
    const auto known = kept_.find(each.name);
    Kept& kept = next[each.name];
    if (known != kept_.end()) kept = std::move(known->second);
    if (kept.device != each) {  // other settings perhaps
      kept.prepared = 0;
      kept.is_new = true;
    }
    kept.device = std::move(each);
  }
  kept_ = std::move(next);
  follows_ = true;
  work();
}

// Anything that changes a link leads here, our own changes too.
void Devices::work() {
  if (works_) return;
  works_ = true;
  is_refused_ = false;
  reflector_.look();
  borrow();
  for (int round = 0; round < kMaxRounds; ++round) {
    bool has_moved = false;
    for (auto& [name, kept] : kept_) has_moved = improve(kept) || has_moved;
    if (!has_moved) break;
    reflector_.look();
  }
  remove_unwanted();
  works_ = false;
  std::optional<core::Instant> next;
  for (const auto& [index, since] : unwanted_)
    next = std::min(next.value_or(core::Instant::max()),
                    std::max(since + kPatience, runtime::now() + kPause));
  if (is_refused_) {
    next = std::min(next.value_or(core::Instant::max()), runtime::now() + pause_);
    pause_ = std::min(2 * pause_, kLongestPause);
  } else {
    pause_ = kPause;
  }
  timer_.arm(next);
}

bool Devices::improve(Kept& kept) {
  const Link* device = reflector_.link(kept.device.name);
  const Link* parent = reflector_.link(kept.device.parent);
  const bool has_mark = device != nullptr && is_ours(*device);
  Judgement judged = judge(kept.device, device, parent, has_mark ? device->alias : mark_);
  switch (judged.step) {
    case DeviceStep::create:
      return create(kept, *parent);
    case DeviceStep::set_up:
      return set_up(kept, *device);
    case DeviceStep::remove:
      remove(*device);
      return true;
    case DeviceStep::none:
      break;
  }
  if (judged.problem.empty() && device->index != kept.prepared) return set_up(kept, *device);
  set_problem(kept, std::move(judged.problem));
  return false;
}

bool Devices::create(Kept& kept, const Link& parent) {
  const StepResult result = ask([&](std::size_t, std::uint32_t sequence, Bytes& datagram) {
    append_device(kept.device, parent.index, sequence, datagram);
  });
  kept.is_made = result.system_errno == 0;
  if (kept.is_made) return true;
  is_refused_ = true;
  set_problem(kept, fmt::format("{} could not be made above {}: {}", kept.device.name,
                                kept.device.parent, text_of(result)));
  return false;
}

// Settings first: from the moment that it is up it would speak as it is told there.
bool Devices::set_up(Kept& kept, const Link& device) {
  for (const auto& [path, value] : settings_of_device(kept.device, rp_filter_of_all())) {
    if (auto written = write_setting(path, value); !written) complain(written.error());
  }
  // What others made does not become ours, and stays in its group where none is asked for.
  const std::string alias = kept.is_made ? mark_ : std::string{};
  DesiredDevice wanted = kept.device;
  if (!kept.is_made && !is_ours(device) && wanted.group == 0) wanted.group = device.group;
  const StepResult result = ask([&](std::size_t, std::uint32_t sequence, Bytes& datagram) {
    append_device_up(wanted, device, alias, sequence, datagram);
  });
  if (result.system_errno == ENODEV) return true;  // deleted meanwhile: the mirror will say so
  const bool has_waited = std::exchange(kept.waits, false);
  if (const std::string former = former_of(kept.device);
      result.system_errno == EADDRINUSE && !former.empty()) {
    kept.waits = true;
    set_problem(kept, fmt::format("{} waits for {}, which has its MAC address until its addresses "
                                  "have gone",
                                  kept.device.name, former));
    return false;
  }
  if (result.system_errno != 0) {
    is_refused_ = true;
    set_problem(kept,
                fmt::format("{} could not be taken up: {}", kept.device.name, text_of(result)));
    return false;
  }
  const bool is_repair = !kept.is_new && kept.problem.empty();
  if (is_repair) ++kept.repairs;
  logger_.log(is_repair ? kDeviceRepaired : kDeviceMade, "{} is {}, a {} above {}{}",
              kept.device.name, is_repair ? "there again" : "in use", to_string(kept.device.kind),
              kept.device.parent,
              kept.device.mac ? " with the address " + kept.device.mac->to_string() : "");
  kept.prepared = device.index;
  kept.is_new = false;
  kept.is_made = false;
  if (has_waited && on_up_) on_up_(kept.device.name);
  return true;
}

// A reload has given it another name: the addresses move first, and then the former one goes.
std::string Devices::former_of(const DesiredDevice& device) const {
  for (const Link& link : reflector_.links())
    if (is_ours(link) && link.mac == device.mac && !kept_.contains(link.name)) return link.name;
  return {};
}

// Addresses leave in their own time; a master hands over before.
void Devices::remove_unwanted() {
  if (!follows_) return;
  const core::Instant now = runtime::now();
  std::map<InterfaceIndex, core::Instant> waiting;
  for (const Link& link : reflector_.links()) {
    if (!is_ours(link) || kept_.contains(link.name)) continue;
    const auto known = unwanted_.find(link.index);
    const core::Instant since = known == unwanted_.end() ? now : known->second;
    const bool hands_over = reflector_.is_wanted(link.name);  // a master that takes its time
    const bool is_free =
        reflector_.addresses(link.index).empty() || (!hands_over && now - since >= kPatience);
    if (is_free && runtime::now() < now + kAtOnce)
      remove(link);
    else
      waiting.emplace(link.index, since);
  }
  unwanted_ = std::move(waiting);
}

void Devices::remove(const Link& device) {
  const std::string name = device.name;
  const StepResult result =
      ask([index = device.index](std::size_t, std::uint32_t sequence, Bytes& datagram) {
        append_device_end(index, sequence, datagram);
      });
  if (result.system_errno == 0) return;
  is_refused_ = true;
  logger_.log(kDeviceTrouble, "{} could not be deleted: {}", name, text_of(result));
}

void Devices::borrow() {
  std::vector<DesiredDevice> devices;
  for (const auto& [name, kept] : kept_) devices.push_back(kept.device);
  KernelSettings settings = settings_of_parents(devices);
  settings.merge(promotion_of(promoting_));
  const auto ask_others = [this] { return other_borrowers(); };
  for (const core::Error& each : borrowed_.want(settings, ask_others)) complain(each);
}

// A director shows itself by the mark of its devices, and its record tells what it will put back.
// One whose record is not there for us (a container) takes back what it needs when our devices go.
OtherBorrowers Devices::other_borrowers() const {
  OtherBorrowers others;
  for (const Link& link : reflector_.links()) {
    const Link* parent = is_ours(link) ? nullptr : reflector_.link(link.lower);
    if (parent == nullptr) continue;
    if (const auto mark = read_mark(link.alias)) {
      if (identity_of(mark->run_dir) == mark->identity && keeper_lives(mark->identity))
        others.former.merge(settings_on_record(settings_path(mark->run_dir)));
    } else if (link.mac && is_virtual(*link.mac)) {
      for (const auto& [path, value] : settings_of_parents({{.name = {}, .parent = parent->name}}))
        others.needed.insert(path);
    }
  }
  return others;
}

void Devices::remove_all() {
  kept_.clear();
  promoting_.clear();
  follows_ = true;
  timer_.arm(std::nullopt);
  reflector_.look();
  borrow();
  std::vector<Link> ours = reflector_.links();
  std::erase_if(ours, [this](const Link& link) { return !is_ours(link); });
  if (ours.size() < 2 || !remove_together(ours))
    for (const Link& link : ours) remove(link);
  reflector_.look();
  borrow();  // who ended with us may have gone
  borrowed_.leave_rest();
}

// One by one each takes the kernel milliseconds of waiting for readers; a group waits once.
bool Devices::remove_together(const std::vector<Link>& devices) {
  std::set<std::uint32_t> taken;
  for (const Link& link : reflector_.links()) taken.insert(link.group);
  std::uint32_t group = kGroupOfTheEnd;
  while (taken.contains(group)) ++group;
  const auto moved =
      requests_->send(devices.size(), [&](std::size_t at, std::uint32_t sequence, Bytes& datagram) {
        append_device_group(devices[at].index, group, sequence, datagram);
      });
  const auto is_there = [](const StepResult& each) { return each.system_errno == 0; };
  if (std::none_of(moved.begin(), moved.end(), is_there)) return false;
  const StepResult ended = ask([group](std::size_t, std::uint32_t sequence, Bytes& datagram) {
    append_group_end(group, sequence, datagram);
  });
  if (ended.system_errno != 0) return false;
  for (std::size_t at = 0; at < devices.size(); ++at)
    if (const int error = moved[at].system_errno; error != 0 && error != ENODEV)
      remove(devices[at]);  // it was not in the group
  return true;
}

void Devices::set_problem(Kept& kept, std::string problem) {
  if (kept.problem == problem) return;
  if (!problem.empty()) logger_.log(kDeviceTrouble, "{}", problem);
  kept.problem = std::move(problem);
  if (on_changed_) on_changed_(kept.device.parent);
}

// Each sentence once: a read-only /proc stays read-only.
void Devices::complain(const core::Error& error) {
  if (complaints_.insert(error.message).second) logger_.log(kSettingRefused, "{}", error.message);
}

StepResult Devices::ask(const Requests::Append& append) {
  return requests_->send(1, append).front();
}

std::vector<DesiredDevice> Devices::ours() const {
  std::vector<DesiredDevice> all;
  for (const Link& link : reflector_.links()) {
    const Link* parent = is_ours(link) ? reflector_.link(link.lower) : nullptr;
    if (parent == nullptr) continue;
    DesiredDevice& device = all.emplace_back();
    device.name = link.name;
    device.parent = parent->name;
    device.kind =
        link.kind == to_string(DeviceKind::ipvlan) ? DeviceKind::ipvlan : DeviceKind::macvlan;
    if (device.kind == DeviceKind::macvlan) device.mac = link.mac;
  }
  return all;
}

std::string Devices::problem(const std::string& name) const {
  const auto found = kept_.find(name);
  const bool is_stopped = found != kept_.end() && !found->second.waits;
  return is_stopped ? found->second.problem : std::string{};
}

std::optional<DeviceState> Devices::state(const std::string& name) const {
  const auto found = kept_.find(name);
  if (found == kept_.end()) return std::nullopt;
  const Link* link = reflector_.link(name);
  return DeviceState{found->second.device, found->second.problem, link != nullptr && is_ours(*link),
                     found->second.repairs};
}

}  // namespace holdfast::netlink
