// What a rehearsal says, as the answer to {"command":"rehearse"} and {"command":"what-if"}. Pure:
// runs in a thread beside the loop, on copies.
#pragma once

#include "core/result.hpp"
#include "vrrp/core/rehearsal.hpp"
#include "vrrp/wiring.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <string>

namespace holdfast::vrrp {

using InterfacesByName = std::map<std::string, InterfaceStatus>;

/// What could be: one word of holdfastctl what-if.
struct Supposition {
  std::string what;   ///< "interface", "priority" or "peer"
  std::string name;   ///< of the interface, of the instance, or the peer's address
  std::string value;  ///< "up", "down", "80", "silent"
};

/// The running director takes `next` into use. `interfaces`: those of `next`; `running`: the
/// scripts that instances have now.
[[nodiscard]] boost::json::object rehearse_reload(DirectorCopy copy, Wiring next,
                                                  const InterfacesByName& interfaces,
                                                  const KnownScripts& running);
/// An error is a sentence, with the nearest names where one is not known. `interfaces`: all that
/// the host has.
[[nodiscard]] core::Result<boost::json::object> rehearse_what_if(DirectorCopy copy,
                                                                 const Supposition& supposition,
                                                                 const InterfacesByName& interfaces,
                                                                 const KnownScripts& running);

}  // namespace holdfast::vrrp
