#include "ctl/host_links.hpp"

#include "netlink_reflector/core/hearing.hpp"
#include "netlink_reflector/requests.hpp"

#include <variant>
#include <vector>

namespace holdfast::ctl {
namespace {

constexpr int kBufferBytes = 1 << 20;

std::vector<netlink::Link> read_links() {
  std::vector<netlink::Link> links;
  auto socket = netlink::RouteSocket::open(kBufferBytes, {});
  if (!socket) return links;
  netlink::Requests requests(std::move(*socket));
  const auto read = requests.dump(
      netlink::encode_dump_links, [&] { links.clear(); },
      [&](const netlink::Payload& payload) {
        if (const auto* report = std::get_if<netlink::LinkReport>(&payload))
          links.push_back(report->link);
      });
  if (!read) links.clear();
  return links;
}

}  // namespace

std::map<std::string, std::map<std::string, std::string>> read_unheard() {
  std::map<std::string, std::map<std::string, std::string>> all;
  const std::vector<netlink::Link> links = read_links();
  std::vector<netlink::Link> takers;
  std::map<netlink::InterfaceIndex, const netlink::Link*> by_index;
  for (const netlink::Link& each : links) {
    by_index.emplace(each.index, &each);
    if (netlink::may_take_frames(each)) takers.push_back(each);
  }
  for (const netlink::Link& each : links) {
    std::vector<netlink::Link> others = takers;
    if (const auto master = by_index.find(each.master); master != by_index.end())
      others.push_back(*master->second);
    netlink::Unheard unheard = netlink::unheard_on(each, others);
    if (!unheard.empty()) all.emplace(each.name, std::move(unheard));
  }
  return all;
}

}  // namespace holdfast::ctl
