// holdfastctl what-if: what the running director would do if an interface, a server or a peer
// failed or came back, or a priority were another. The process steps a copy of itself; changes
// nothing.
#pragma once

#include "ctl/commands.hpp"

#include <string>
#include <vector>

namespace holdfast::ctl {

struct WhatIfRequest {
  /// "eth1 down"; "server 192.0.2.10:80 down"; "priority VI_1 80"; "peer 192.0.2.2 silent".
  std::vector<std::string> words;
  Format format = Format::text;
  Colours colours = Colours::no;
};

[[nodiscard]] int what_if(const Target& target, const WhatIfRequest& request);

}  // namespace holdfast::ctl
