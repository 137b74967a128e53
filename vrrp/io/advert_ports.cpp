#include "vrrp/io/advert_ports.hpp"

#include "vrrp/io/ipv4_header.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <system_error>

namespace holdfast::vrrp {

struct AdvertPorts::Port {
  Port(boost::asio::io_context& io, std::string interface, AdvertSocket opened)
      : name(std::move(interface)), socket(std::move(opened)), readiness(io, socket.fd()) {}
  ~Port() { close(); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  /// The descriptor belongs to the socket; Asio only watches it.
  void close() {
    if (readiness.is_open()) readiness.release();
  }

  std::string name;
  AdvertSocket socket;
  boost::asio::posix::stream_descriptor readiness;
  PacketQueue queue;
};

AdvertPorts::AdvertPorts(boost::asio::io_context& io,
                         std::function<void(const std::string&)> on_readable)
    : io_(io),
      on_readable_(
          std::make_shared<const std::function<void(const std::string&)>>(std::move(on_readable))) {
}

AdvertPorts::~AdvertPorts() {
  for (const auto& [name, port] : ports_) port->close();
}

core::Result<void> AdvertPorts::open(const std::string& interface, std::uint32_t index) {
  const auto found = ports_.find(interface);
  if (found != ports_.end() && found->second->socket.index() == index) return {};
  close(interface);
  auto socket = AdvertSocket::open(interface, index);
  if (!socket) return socket.error();
  const auto port = std::make_shared<Port>(io_, interface, std::move(*socket));
  ports_.emplace(interface, port);
  wait(port);
  return {};
}

void AdvertPorts::wait(const std::shared_ptr<Port>& port) {
  port->readiness.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                             [this, weak = std::weak_ptr(port),
                              on_readable = on_readable_](boost::system::error_code error) {
                               const auto self = weak.lock();
                               if (error || !self || !self->readiness.is_open()) return;
                               (*on_readable)(self->name);
                               if (self->readiness.is_open()) wait(self);
                             });
}

void AdvertPorts::close(const std::string& interface) {
  const auto found = ports_.find(interface);
  if (found == ports_.end()) return;
  found->second->close();
  ports_.erase(found);
}

void AdvertPorts::retain(const std::set<std::string>& interfaces) {
  std::vector<std::string> unused;
  for (const auto& [name, port] : ports_) {
    if (!interfaces.contains(name)) unused.push_back(name);
  }
  for (const std::string& name : unused) close(name);
}

core::Result<void> AdvertPorts::set_vrids(const std::string& interface,
                                          const std::set<std::uint8_t>& vrids) {
  const auto found = ports_.find(interface);
  if (found == ports_.end()) return {};
  auto set = found->second->socket.set_vrids(vrids);
  if (!set) close(interface);
  return set;
}

bool AdvertPorts::drain(Port& port, const Sink& sink) {
  const auto drained = port.socket.drain(buffer_, [&](std::span<const std::uint8_t> bytes) {
    auto packet = decode_ipv4(bytes);
    if (packet.has_error()) return sink.stray(port.name, packet.error());
    packet->interface = port.name;
    sink.packet(*packet);
  });
  return drained == AdvertSocket::Drained::all;
}

bool AdvertPorts::drain(const std::string& interface, const Sink& sink) {
  const auto found = ports_.find(interface);
  return found == ports_.end() || drain(*found->second, sink);
}

bool AdvertPorts::drain_all(const Sink& sink) {
  bool complete = true;
  for (const auto& [name, port] : ports_) complete = drain(*port, sink) && complete;
  return complete;
}

void AdvertPorts::send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers) {
  constexpr int kNotTried = -1;
  std::vector<int> outcome(adverts.size(), kNotTried);  // 0: somebody was reached
  for (std::size_t i = 0; i < adverts.size(); ++i) {
    const auto found = ports_.find(adverts[i]->router->key.interface);
    if (found == ports_.end()) continue;
    outcome[i] = 0;
    for (const IpAddress& destination : adverts[i]->departure->destinations)
      found->second->queue.add(*adverts[i], destination, i);
  }
  for (const auto& [name, port] : ports_) {
    auto& queue = port->queue;  // no lambda of clang 14 captures `port`
    if (queue.empty()) continue;
    std::map<std::size_t, std::size_t> refusals;
    port->socket.send(queue, [&](std::size_t index, int error) {
      const std::size_t advert = queue.tag(index);
      if (++refusals[advert] == adverts[advert]->departure->destinations.size())
        outcome[advert] = error;
    });
    queue.clear();
  }
  for (std::size_t i = 0; i < adverts.size(); ++i) {
    const SendAdvert& advert = *adverts[i];
    if (outcome[i] == 0) {
      answers.emplace_back(AdvertSent{advert.router->key, advert.priority});
    } else {
      answers.emplace_back(AdvertRefused{
          advert.router->key, advert.priority,
          outcome[i] == kNotTried ? "there is no socket on " + advert.router->key.interface
                                  : std::generic_category().message(outcome[i])});
    }
  }
}

}  // namespace holdfast::vrrp
