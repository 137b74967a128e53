#include "vrrp/io/advert_ports.hpp"

#include "runtime/clock.hpp"
#include "runtime/turn_meter.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <system_error>

namespace holdfast::vrrp {
namespace {

/// Packets between two looks at the clock.
constexpr std::size_t kPiece = 128;
/// A socket that has packets again so soon after the last ones has many to come.
constexpr Duration kCrowded = std::chrono::milliseconds(1);
/// Those are gathered for so long: to be woken for each of hundreds that come one after the other
/// costs more than to hear them, and costs a sender on the same host as well. What is due hears
/// every socket first, gathering or not.
constexpr Duration kGather = std::chrono::microseconds(500);
/// All that an interface can have.
std::array<PortKey, 3> ports_of(const std::string& interface) {
  return {PortKey{interface, core::Family::v4, Carrier::ip},
          PortKey{interface, core::Family::v4, Carrier::ah},
          PortKey{interface, core::Family::v6, Carrier::ip}};
}

std::string why_not_tried(const SendAdvert& advert) {
  const std::string& device = advert.departure->device;
  if (!device.empty()) return "there is no interface " + device;
  const std::string& interface = advert.router->key.interface;
  return interface.empty() ? "there is no socket for peers without an interface"
                           : "there is no socket on " + interface;
}

}  // namespace

struct AdvertPorts::Port {
  Port(boost::asio::io_context& io, std::string interface, AdvertSocket opened)
      : name(std::move(interface)),
        socket(std::move(opened)),
        readiness(io, socket.fd()),
        gathering(io) {}
  ~Port() { close(); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  void close() {
    is_closed = true;
    stop_watching();
    gathering.cancel();
  }
  /// The descriptor belongs to the socket; Asio only watches it, and is woken by what nobody waits
  /// for, too.
  void stop_watching() {
    if (readiness.is_open()) readiness.release();
  }

  std::string name;
  AdvertSocket socket;
  boost::asio::posix::stream_descriptor readiness;
  boost::asio::steady_timer gathering;
  bool is_closed = false;
  Instant woke_at{};  ///< For packets, the last time.
  PacketQueue queue;
  std::size_t may_hear = 0;  ///< Packets that this hearing still reads; 0: it is done here.
};

AdvertPorts::AdvertPorts(boost::asio::io_context& io,
                         std::function<void(const std::string&)> on_readable, ExitAt exit_at)
    : io_(io),
      on_readable_(
          std::make_shared<const std::function<void(const std::string&)>>(std::move(on_readable))),
      exit_at_(std::move(exit_at)) {}

AdvertPorts::~AdvertPorts() {
  for (const auto& [key, port] : ports_) port->close();
}

core::Result<void> AdvertPorts::open(const PortKey& key, std::uint32_t index) {
  const auto found = ports_.find(key);
  if (found != ports_.end() && found->second->socket.index() == index) return {};
  if (found != ports_.end()) close(found);
  auto socket = AdvertSocket::open(key.interface, index, key.family, key.carrier);
  if (!socket) return socket.error();
  const auto port = std::make_shared<Port>(io_, key.interface, std::move(*socket));
  ports_.emplace(key, port);
  wait(port);
  return {};
}

void AdvertPorts::wait(const std::shared_ptr<Port>& port) {
  port->readiness.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                             [this, weak = std::weak_ptr(port),
                              on_readable = on_readable_](boost::system::error_code error) {
                               const auto self = weak.lock();
                               if (error || !self || self->is_closed) return;
                               const Instant now = runtime::turn_began();
                               const bool crowded = now - self->woke_at < kCrowded;
                               self->woke_at = now;
                               (*on_readable)(self->name);
                               if (self->is_closed) return;
                               crowded ? gather(self) : wait(self);
                             });
}

void AdvertPorts::gather(const std::shared_ptr<Port>& port) {
  port->stop_watching();
  port->gathering.expires_after(kGather);
  port->gathering.async_wait([this, weak = std::weak_ptr(port)](boost::system::error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->is_closed) return;
    boost::system::error_code refused;  // no memory for it: it is heard without being watched
    self->readiness.assign(self->socket.fd(), refused);
    if (!refused) return wait(self);
    (*on_readable_)(self->name);
    gather(self);
  });
}

void AdvertPorts::close(Ports::iterator port) {
  port->second->close();
  ports_.erase(port);
}

void AdvertPorts::close(const std::string& interface) {
  for (const PortKey& key : ports_of(interface)) {
    const auto found = ports_.find(key);
    if (found != ports_.end()) close(found);
  }
}

void AdvertPorts::retain(const std::set<PortKey>& wanted) {
  for (auto at = ports_.begin(); at != ports_.end();) {
    const auto port = at++;
    if (!wanted.contains(port->first)) close(port);
  }
}

Deafness AdvertPorts::listen_to(const PortKey& key, const Ears& wanted) {
  const auto found = ports_.find(key);
  return found == ports_.end() ? Deafness{} : found->second->socket.listen_to(wanted);
}

std::set<AdvertPorts::Membership> AdvertPorts::memberships() const {
  std::set<Membership> all;
  for (const auto& [key, port] : ports_)
    for (const IpAddress& group : port->socket.groups()) all.insert({key.interface, group});
  return all;
}

void AdvertPorts::begin_hearing(const std::string* interface) {
  is_flooded_ = false;
  for (const auto& [key, port] : ports_) {
    if (interface == nullptr || key.interface == *interface) port->may_hear = kMaxHeardPackets;
  }
}

AdvertPorts::Heard AdvertPorts::hear(const Sink& sink, Instant until) {
  for (const auto& [key, port] : ports_) {
    while (port->may_hear != 0) {
      drain_piece(*port, sink);
      if (runtime::now() >= until) return Heard::not_yet;
    }
  }
  return is_flooded_ ? Heard::enough : Heard::all;
}

void AdvertPorts::drain_piece(Port& port, const Sink& sink) {
  const auto drained = port.socket.drain(buffer_, kPiece, [&](Decoded<Received> packet) {
    if (packet.has_error()) return sink.stray(port.name, packet.error());
    packet->interface = port.name;
    sink.packet(*packet);
  });
  port.may_hear = drained == AdvertSocket::Drained::all ? 0 : port.may_hear - kPiece;
  if (drained != AdvertSocket::Drained::all && port.may_hear == 0) is_flooded_ = true;
}

bool AdvertPorts::queue(const SendAdvert& advert, std::size_t tag) {
  const std::string& device = advert.departure->device;
  if (!device.empty()) {
    const auto exit = exit_at_(device);
    if (!exit) return false;
    for (const Letter& letter : advert.departure->letters) frames_.add(*exit, advert, letter, tag);
    return true;
  }
  const RouterKey& router = advert.router->key;
  const auto found = ports_.find({router.interface, router.family, Carrier::ip});
  if (found == ports_.end()) return false;
  for (const Letter& letter : advert.departure->letters)
    found->second->queue.add(advert, letter, tag);
  return true;
}

void AdvertPorts::send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers) {
  constexpr int kNotTried = -1;
  std::vector<int> outcome(adverts.size(), kNotTried);  // 0: somebody was reached
  std::map<std::size_t, std::size_t> refusals;          // letters of an advert
  const auto refuse = [&](std::size_t advert, int error) {
    if (++refusals[advert] == adverts[advert]->departure->letters.size()) outcome[advert] = error;
  };
  for (std::size_t i = 0; i < adverts.size(); ++i)
    if (queue(*adverts[i], i)) outcome[i] = 0;
  if (!frames_.empty()) frames_.send(refuse);
  for (const auto& [key, port] : ports_) {
    auto& queue = port->queue;  // no lambda of clang 14 captures `port`
    if (queue.empty()) continue;
    port->socket.send(queue,
                      [&](std::size_t index, int error) { refuse(queue[index].tag, error); });
    queue.clear();
  }
  for (std::size_t i = 0; i < adverts.size(); ++i) {
    const SendAdvert& advert = *adverts[i];
    if (outcome[i] == 0) {
      answers.emplace_back(AdvertSent{advert.router->key, advert.priority});
    } else {
      answers.emplace_back(AdvertRefused{advert.router->key, advert.priority,
                                         outcome[i] == kNotTried
                                             ? why_not_tried(advert)
                                             : std::generic_category().message(outcome[i])});
    }
  }
}

}  // namespace holdfast::vrrp
