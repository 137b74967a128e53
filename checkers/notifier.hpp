// Tells the operator's scripts what becomes of servers and services, through the process that runs
// scripts, and remembers what became of them for the status. Waits for nothing.
#pragma once

#include "checkers/core/action.hpp"
#include "runtime/log.hpp"
#include "runtime/script_client.hpp"

#include <map>
#include <set>
#include <string>

namespace holdfast::checkers {

/// By subject: "TCP 192.0.2.1:80" or "TCP 192.0.2.1:80: server 10.0.0.1:80".
using ScriptRecords = std::map<std::string, core::ScriptRecord>;

class Notifier {
 public:
  /// `on_check`: news about commands of MISC_CHECK.
  Notifier(boost::asio::io_context& io, runtime::Logger& logger,
           runtime::ScriptClient::OnNews on_check);

  void tell(const std::string& subject, NotifyKind kind, const Script& script);
  /// Another configuration is in use: subjects that it does not have are forgotten, refusals are
  /// said again.
  void keep_only(const std::set<std::string>& subjects);

  [[nodiscard]] const ScriptRecords& records() const { return records_; }
  [[nodiscard]] runtime::ScriptClient& client() { return client_; }

 private:
  void on_news(const runtime::ScriptClient::News& news);
  void say(const runtime::ScriptClient::News& news);

  runtime::Logger& logger_;
  runtime::ScriptClient::OnNews on_check_;
  ScriptRecords records_;
  std::set<std::string> refusals_;  // said since the configuration came into use
  runtime::ScriptClient client_;
};

}  // namespace holdfast::checkers
