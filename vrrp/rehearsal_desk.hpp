// The commands of the control socket that rehearse: they read, copy the running director and step
// the copy in a thread beside the loop. In the loop is only the copying. Made by the daemon.
#pragma once

#include "netlink_reflector/devices.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/control_socket.hpp"
#include "runtime/side_job.hpp"
#include "vrrp/io/runner.hpp"
#include "vrrp/notifier.hpp"
#include "vrrp/rehearse.hpp"

namespace holdfast::vrrp {

class RehearsalDesk {
 public:
  /// Snapshot → wiring, without touching anything of the process.
  using ReadWiring = std::function<core::Result<Wiring>(std::string_view bytes)>;

  /// All of them outlive it.
  RehearsalDesk(boost::asio::io_context& io, const Runner& runner,
                const netlink::Reflector& reflector, const netlink::Devices& devices,
                const Notifier& notifier, ReadWiring read_wiring);

  /// "rehearse" and "what-if", for those who may change things: both cost processor time.
  void answer_on(runtime::ControlServer& server);

 private:
  void rehearse(const boost::json::object& request, const runtime::ControlReply& reply);
  void suppose(const boost::json::object& request, const runtime::ControlReply& reply);
  [[nodiscard]] std::shared_ptr<DirectorCopy> copy() const;
  /// As the runner reads them, for the instances that there are and for `coming`; without trouble
  /// of sockets.
  [[nodiscard]] InterfacesByName interfaces(const std::vector<InstanceSettings>& coming = {}) const;

  const Runner& runner_;
  const netlink::Reflector& reflector_;
  const netlink::Devices& devices_;
  const Notifier& notifier_;
  ReadWiring read_wiring_;
  runtime::SideJob job_;
};

}  // namespace holdfast::vrrp
