#include "ctl/real_server.hpp"

#include "ctl/client.hpp"
#include "ctl/real_server_session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace holdfast::ctl {
namespace {

int failed(const core::Error& error) {
  complain(error.message);
  return kFailed;
}

core::Result<std::vector<core::IpAddress>> parse_addresses(const std::vector<std::string>& words) {
  std::vector<core::IpAddress> out;
  for (const std::string& word : words) {
    const auto address = core::IpAddress::parse(word);
    if (!address || address->is_unspecified() || address->is_multicast() ||
        address->is_link_local())
      return core::fail("'{}' is no virtual address: write it without a length, as 192.0.2.1",
                        word);
    out.push_back(*address);
  }
  return out;
}

/// The device for an address, raised when it is a tunnel's.
core::Result<std::string> device_for(RealServerSession& session, const RealServerRequest& request,
                                     ServerTunnel tunnel, const core::IpAddress& address) {
  if (tunnel == ServerTunnel::none)
    return request.device.empty() ? std::string("lo") : request.device;
  const auto device = tunnel_device(tunnel, address.family());
  if (!device) {
    return core::fail("a {} tunnel carries no packets for {}", request.tunnel, address.to_string());
  }
  if (tunnel == ServerTunnel::gue) {
    if (const auto opened = session.open_gue(request.gue_port); !opened) return opened.error();
  }
  if (const auto raised = session.raise(*device); !raised) return raised.error();
  return request.device.empty() ? device->name : request.device;
}

core::Result<void> bring_up(RealServerSession& session, const RealServerRequest& request,
                            ServerTunnel tunnel) {
  const auto addresses = parse_addresses(request.addresses);
  if (!addresses) return addresses.error();
  for (const core::IpAddress& address : *addresses) {
    const auto device = device_for(session, request, tunnel, address);
    if (!device) return device.error();
    if (const auto held = session.hold(address, *device); !held) return held;
    say(fmt::format("{} on {}: accepted, and not answered for\n", address.to_string(), *device));
  }
  return {};
}

core::Result<void> take_down(RealServerSession& session, const RealServerRequest& request) {
  auto addresses = parse_addresses(request.addresses);
  if (!addresses) return addresses.error();
  if (request.all) {
    for (const HeldAddress& one : session.record().addresses) addresses->push_back(one.address);
  }
  for (const core::IpAddress& address : *addresses) {
    if (session.record().find(address) == nullptr)
      remark(fmt::format("{}: not put here by `real-server up`, nothing to do\n",
                         address.to_string()));
    if (const auto released = session.release(address); !released) return released;
  }
  std::vector<std::string> left;
  const auto given_back = session.give_back(left);
  for (const std::string& sentence : left) complain(sentence);
  return given_back;
}

/// What is asked about: the named addresses, or all in the record; where they are, or should be.
core::Result<RealServerRecord> subject(const RealServerRecord& record,
                                       const std::map<std::string, ServerDevice>& devices,
                                       const RealServerRequest& request) {
  const auto addresses = parse_addresses(request.addresses);
  if (!addresses) return addresses.error();
  if (addresses->empty()) return record;
  RealServerRecord out = record;
  out.addresses.clear();
  for (const core::IpAddress& address : *addresses) {
    if (const HeldAddress* held = record.find(address)) {
      out.addresses.push_back(*held);
      continue;
    }
    std::string device = "lo";
    for (const auto& [name, found] : devices) {
      if (std::ranges::find(found.addresses, address) != found.addresses.end()) device = name;
    }
    out.addresses.push_back({address, device, true});
  }
  return out;
}

struct Findings {
  boost::json::array addresses;
  boost::json::array switches;
  std::vector<std::string> lines;
  int problems = 0;
};

void look_at_address(const HeldAddress& one, const std::map<std::string, ServerDevice>& devices,
                     Findings& out) {
  const auto device = devices.find(one.device);
  const bool there =
      device != devices.end() &&
      std::ranges::find(device->second.addresses, one.address) != device->second.addresses.end();
  const bool up = there && device->second.up;
  const bool silent = there && device->second.silent;
  std::string words = "there";
  if (!there) {
    words = "missing";
  } else if (!up) {
    words = "there, but the device is down";
  } else if (!silent) {
    words = "there, and answered for: this is a network interface";
  }
  out.problems += words == "there" ? 0 : 1;
  out.lines.push_back(fmt::format("{} {} on {}: {}", words == "there" ? "\u2713" : "\u2717",
                                  one.address.to_string(), one.device, words));
  out.addresses.push_back({{"address", one.address.to_string()},
                           {"device", one.device},
                           {"there", there},
                           {"up", up},
                           {"silent", silent},
                           {"found", one.found}});
}

void look_at_switch(const WantedSwitch& one, const RealServerRecord& record, Findings& out) {
  const auto now = RealServerHost::read_switch(one.path);
  const bool good = now && one.accepts(*now);
  out.problems += good ? 0 : 1;
  const ChangedSwitch* changed = record.find_switch(one.path);
  boost::json::object entry{{"path", one.path}, {"wanted", one.good.front()}, {"good", good}};
  entry["value"] = now ? boost::json::value(*now) : boost::json::value(nullptr);
  entry["found"] = changed ? boost::json::value(changed->found) : boost::json::value(nullptr);
  out.switches.push_back(std::move(entry));
  std::string words = now ? std::to_string(*now) : "not in this kernel";
  if (!good) words += fmt::format(", {} is needed", one.good.front());
  if (changed) words += fmt::format(" (was {})", changed->found);
  out.lines.push_back(fmt::format("{} net/{} = {}", good ? "\u2713" : "\u2717", one.path, words));
}

}  // namespace

int real_server_up(const Target& target, const RealServerRequest& request) {
  ServerTunnel tunnel = ServerTunnel::none;
  if (!request.tunnel.empty()) {
    const auto parsed = parse_tunnel(request.tunnel);
    if (!parsed) return failed(core::fail("'{}' is no tunnel", request.tunnel));
    tunnel = *parsed;
  }
  auto session = RealServerSession::open(target.run_dir);
  if (!session) return failed(session.error());
  if (const auto done = bring_up(*session, request, tunnel); !done) {
    // Not half: what this run could not finish needs no silence and no tunnel.
    std::vector<std::string> left;
    (void)session->give_back(left);
    return failed(done.error());
  }
  return kDone;
}

int real_server_down(const Target& target, const RealServerRequest& request) {
  if (request.addresses.empty() && !request.all)
    return failed(core::fail("name the addresses, or say --all"));
  auto session = RealServerSession::open(target.run_dir);
  if (!session) return failed(session.error());
  if (const auto done = take_down(*session, request); !done) return failed(done.error());
  return kDone;
}

int real_server_status(const Target& target, const RealServerRequest& request) {
  auto session = RealServerSession::open(target.run_dir);
  if (!session) return failed(session.error());
  const auto devices = session->host().devices();
  if (!devices) return failed(devices.error());
  const auto about = subject(session->record(), *devices, request);
  if (!about) return failed(about.error());
  Findings findings;
  for (const HeldAddress& one : about->addresses) look_at_address(one, *devices, findings);
  for (const WantedSwitch& one : wanted_switches(*about)) look_at_switch(one, *about, findings);
  if (request.format == Format::json) {
    say(boost::json::serialize(boost::json::object{{"addresses", findings.addresses},
                                                   {"switches", findings.switches},
                                                   {"problems", findings.problems}}) +
        "\n");
  } else {
    if (findings.lines.empty()) say("this host is no real server of ours\n");
    for (const std::string& line : findings.lines) say(line + "\n");
  }
  return findings.problems == 0 ? kDone : kFailed;
}

}  // namespace holdfast::ctl
