#include "vrrp/io/advert_ports.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

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

void AdvertPorts::set_vrids(const std::string& interface, const std::set<std::uint8_t>& vrids) {
  if (const auto found = ports_.find(interface); found != ports_.end())
    found->second->socket.set_vrids(vrids);
}

bool AdvertPorts::drain(Port& port, const Take& take) {
  const auto drained = port.socket.drain(
      buffer_, [&](std::span<const std::uint8_t> packet) { take(port.name, packet); });
  return drained == AdvertSocket::Drained::all;
}

bool AdvertPorts::drain(const std::string& interface, const Take& take) {
  const auto found = ports_.find(interface);
  return found == ports_.end() || drain(*found->second, take);
}

bool AdvertPorts::drain_all(const Take& take) {
  bool complete = true;
  for (const auto& [name, port] : ports_) complete = drain(*port, take) && complete;
  return complete;
}

PacketQueue* AdvertPorts::queue(const std::string& interface) {
  const auto found = ports_.find(interface);
  return found == ports_.end() ? nullptr : &found->second->queue;
}

void AdvertPorts::flush(const std::function<void(const std::string&, int)>& on_error) {
  for (const auto& [name, port] : ports_) {
    if (port->queue.empty()) continue;
    const int error = port->socket.send(port->queue);
    port->queue.clear();
    if (error != 0) on_error(name, error);
  }
}

}  // namespace holdfast::vrrp
