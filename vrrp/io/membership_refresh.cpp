#include "vrrp/io/membership_refresh.hpp"

#include "runtime/clock.hpp"
#include "vrrp/io/membership_report.hpp"

#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <string>
#include <sys/socket.h>

namespace holdfast::vrrp {
namespace {

constexpr std::size_t kTypeOffset = std::size_t{2} * ETH_ALEN;

int setting(const std::string& interface, std::string_view name) {
  int value = 0;
  std::ifstream(fmt::format("/proc/sys/net/{}/conf/{}/{}",
                            name == "force_igmp_version" ? "ipv4" : "ipv6", interface, name)) >>
      value;
  return value;
}

// As the kernel chooses: what "all" has counts first. 0: the latest.
ReportForm form_on(const std::string& interface, core::Family family) {
  const std::string_view name =
      family == core::Family::v4 ? "force_igmp_version" : "force_mld_version";
  const int latest = family == core::Family::v4 ? 3 : 2;
  int version = setting("all", name);
  if (version == 0) version = setting(interface, name);
  return version == 0 || version >= latest ? ReportForm::latest : ReportForm::old;
}

}  // namespace

MembershipRefresh::MembershipRefresh(boost::asio::io_context& io,
                                     const netlink::Reflector& reflector, const AdvertPorts& ports)
    : reflector_(reflector), ports_(ports), timer_(io, [this] { on_time(); }) {}

void MembershipRefresh::set_interval(core::Duration every) {
  if (every == every_) return;
  every_ = every;
  waiting_.clear();
  if (every == core::Duration::zero()) return timer_.arm(std::nullopt);
  timer_.arm(runtime::now() + every);
}

void MembershipRefresh::on_time() {
  if (waiting_.empty()) gather();
  send_some();
  timer_.arm(runtime::now() + (waiting_.empty() ? every_ : kPause));
}

void MembershipRefresh::gather() {
  for (const AdvertPorts::Membership& each : ports_.memberships()) {
    const netlink::Link* link = reflector_.link(each.interface);
    if (link == nullptr || !link->mac || !link->is_usable()) continue;
    const auto source = each.group.is_v4() ? reflector_.primary_v4(link->index)
                                           : reflector_.link_local(link->index);
    if (!source) continue;
    waiting_.push_back(
        {link->index, membership_report(*link->mac, *source, each.group,
                                        form_on(each.interface, each.group.family()))});
  }
}

// One that is lost comes again.
void MembershipRefresh::send_some() {
  if (!fd_)  // protocol 0: the kernel hands us nothing
    fd_ = runtime::UniqueFd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  for (std::size_t count = 0; count < kReportsAtOnce && !waiting_.empty(); ++count) {
    const Report& report = waiting_.back();
    sockaddr_ll target{};
    target.sll_family = AF_PACKET;
    std::memcpy(&target.sll_protocol, report.frame.data() + kTypeOffset,
                sizeof target.sll_protocol);
    target.sll_ifindex = static_cast<int>(report.interface_index);
    target.sll_halen = ETH_ALEN;
    std::memcpy(target.sll_addr, report.frame.data(), ETH_ALEN);
    std::ignore = ::sendto(fd_.get(), report.frame.data(), report.frame.size(), 0,
                           reinterpret_cast<const sockaddr*>(&target), sizeof target);
    waiting_.pop_back();
  }
}

}  // namespace holdfast::vrrp
