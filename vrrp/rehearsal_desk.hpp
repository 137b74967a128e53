// The commands of the control socket that rehearse: they read, copy the running director and step
// the copy in a thread beside the loop. In the loop is only the copying. Made by the daemon.
#pragma once

#include "netlink_reflector/reflector.hpp"
#include "runtime/control_socket.hpp"
#include "runtime/side_job.hpp"
#include "vrrp/io/engine.hpp"
#include "vrrp/notifier.hpp"
#include "vrrp/rehearse.hpp"

namespace holdfast::vrrp {

class RehearsalDesk {
 public:
  /// Snapshot → plan, without touching anything of the process.
  using ReadPlan = std::function<core::Result<Plan>(std::string_view bytes)>;

  /// All of them outlive it.
  RehearsalDesk(boost::asio::io_context& io, const Engine& engine,
                const netlink::Reflector& reflector, const Notifier& notifier, ReadPlan read_plan);

  /// "rehearse" and "what-if", for those who may change things: both cost processor time.
  void answer_on(runtime::ControlServer& server);

 private:
  void rehearse(const boost::json::object& request, const runtime::ControlReply& reply);
  void step_through(Plan next, const runtime::ControlReply& reply);
  void suppose(const boost::json::object& request, const runtime::ControlReply& reply);
  /// Makes the answer in the thread and gives it in the loop.
  void answer_aside(std::function<boost::json::object()> make, const runtime::ControlReply& reply);
  [[nodiscard]] InterfacesByName interfaces() const;

  const Engine& engine_;
  const netlink::Reflector& reflector_;
  const Notifier& notifier_;
  ReadPlan read_plan_;
  runtime::SideJob job_;
};

}  // namespace holdfast::vrrp
