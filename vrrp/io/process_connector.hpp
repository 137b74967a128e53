// What the kernel tells of every process: forks, execs, new names, ends. NETLINK_CONNECTOR,
// linux/cn_proc.h. Only in the first namespaces of a host, and with CAP_NET_ADMIN.
#pragma once

#include "core/result.hpp"
#include "vrrp/core/process_checks.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>

namespace holdfast::vrrp {

class ProcessConnector {
 public:
  /// Messages read in one turn of the loop: adverts get theirs in between.
  static constexpr int kMostPerTurn = 64;

  struct Callbacks {
    /// It is another program now, or has another name.
    std::function<void(ProcessNumber)> on_changed;
    std::function<void(ProcessNumber parent, ProcessNumber child)> on_forked;
    std::function<void(ProcessNumber)> on_ended;
    /// Some were lost: more came than there is room for.
    std::function<void()> on_lost;
  };

  /// Has the kernel's answer: it tells from now on.
  [[nodiscard]] static core::Result<std::unique_ptr<ProcessConnector>> open(
      boost::asio::io_context& io, Callbacks callbacks);
  ~ProcessConnector();
  ProcessConnector(const ProcessConnector&) = delete;
  ProcessConnector& operator=(const ProcessConnector&) = delete;

 private:
  struct State;
  explicit ProcessConnector(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace holdfast::vrrp
