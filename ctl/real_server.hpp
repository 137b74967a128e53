// `holdfastctl real-server`: makes this host a real server of DR or tunnel services and undoes it.
// The virtual address is put where nobody is answered for it, before that ARP is made silent, and
// what was there is remembered. Asks the kernel, no process of ours.
#pragma once

#include "ctl/commands.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::ctl {

struct RealServerRequest {
  std::vector<std::string> addresses;  ///< empty, `status`: all that stand in the record
  std::string device;                  ///< empty: lo, or the tunnel's device
  std::string tunnel;                  ///< empty: none, packets arrive as they are (DR)
  std::uint16_t gue_port = 6080;       ///< linux: no default; 6080 is IANA's for GUE
  bool all = false;                    ///< `down`: everything in the record
  Format format = Format::text;
};

[[nodiscard]] int real_server_up(const Target& target, const RealServerRequest& request);
[[nodiscard]] int real_server_down(const Target& target, const RealServerRequest& request);
/// kFailed: something that an address needs is missing.
[[nodiscard]] int real_server_status(const Target& target, const RealServerRequest& request);

}  // namespace holdfast::ctl
