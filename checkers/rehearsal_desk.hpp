// The commands of the control socket that rehearse: they read, copy engine and table keeper, and
// step the copies in a thread beside the loop. In the loop is only the copying. Made by Runner.
#pragma once

#include "checkers/core/rehearsal.hpp"
#include "runtime/control_socket.hpp"
#include "runtime/side_job.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <memory>
#include <string_view>

namespace holdfast::checkers {

class RehearsalDesk {
 public:
  /// Snapshot → settings, without touching anything of the process.
  using ReadSettings = std::function<core::Result<Settings>(std::string_view bytes)>;
  using Copy = std::function<CheckersCopy()>;

  RehearsalDesk(boost::asio::io_context& io, Copy copy, ReadSettings read_settings);

  /// "rehearse" and "what-if", for those who may change things: both cost processor time.
  void answer_on(runtime::ControlServer& server);

 private:
  void rehearse(const boost::json::object& request, const runtime::ControlReply& reply);
  void suppose(const boost::json::object& request, const runtime::ControlReply& reply);

  [[nodiscard]] std::shared_ptr<CheckersCopy> copy() const;

  Copy copy_;
  ReadSettings read_settings_;
  runtime::SideJob job_;
};

}  // namespace holdfast::checkers
