// What the configuration's tests share: load text under the name "t.conf", and one line per
// finding.
#pragma once

#include "config/load.hpp"

#include <string>

namespace holdfast::config::test {

inline Loaded load(std::string_view text, const LoadOptions& options = {}) {
  return load_text(text, "t.conf", options);
}

/// "3:5 error: message" for each finding, in order.
inline std::string findings(const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& one : diagnostics.all()) {
    out += fmt::format("{}{}:{} {}: {}", out.empty() ? "" : "\n", one.line, one.column,
                       to_string(one.severity), one.message);
  }
  return out;
}

/// An instance with everything it needs, and `extra` inside.
inline std::string instance(std::string_view extra, std::string_view name = "VI_1", int vrid = 51) {
  return fmt::format(
      "vrrp_instance {} {{\ninterface eth0\nvirtual_router_id {}\npriority 100\n"
      "virtual_ipaddress {{\n192.168.1.200\n}}\n{}\n}}\n",
      name, vrid, extra);
}

/// A service with one checked server, `extra` in the service and `in_server` in the server.
inline std::string service(std::string_view extra, std::string_view in_server = "TCP_CHECK {\n}") {
  return fmt::format(
      "virtual_server 192.168.1.200 80 {{\nprotocol TCP\n{}\nreal_server 192.168.1.67 80 "
      "{{\n{}\n}}\n"
      "}}\n",
      extra, in_server);
}

}  // namespace holdfast::config::test
