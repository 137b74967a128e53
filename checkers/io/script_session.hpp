// One run of MISC_CHECK's command, in the process that runs scripts. Used by ProbeDriver only.
#pragma once

#include "checkers/io/probe.hpp"
#include "checkers/io/probe_driver.hpp"
#include "runtime/loop.hpp"
#include "runtime/script_client.hpp"

#include <memory>
#include <string>

namespace holdfast::checkers {

/// A command that is over its limit by this has failed, whether or not it can be ended.
inline constexpr core::Duration kScriptPatience = std::chrono::milliseconds(300);

class ScriptSession : public Probe, public std::enable_shared_from_this<ScriptSession> {
 public:
  ScriptSession(boost::asio::io_context& io, ProbeDriver& driver, ProbeId id,
                const ScriptProbe& probe);

  void begin() override;
  void cancel() override;
  void on_news(const runtime::ScriptClient::News& news);

 private:
  void on_limit();
  void finish(Outcome outcome);

  runtime::DeadlineTimer timer_;
  ProbeDriver* driver_;  // null after the end
  ProbeId id_;
  ScriptProbe probe_;
  std::string subject_;
};

}  // namespace holdfast::checkers
