// holdfastctl drain, undrain, weight, resign, priority and check-now: what an operator asks of the
// running processes beside their configuration.
#pragma once

#include "core/result.hpp"
#include "ctl/commands.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::ctl {

struct OrderRequest {
  std::string subject = {};  ///< an instance or a server
  std::string value = {};    ///< of weight and priority, as it was typed
  std::string within = {};   ///< "10m"; empty: until it is taken back
  bool take_back = false;
  Format format = Format::text;
};

/// `verb`: "drain", "undrain", "weight", "resign" or "priority".
[[nodiscard]] int order(const Target& target, const std::string& verb, const OrderRequest& request);
/// Empty `server`: all of them.
[[nodiscard]] int check_now(const Target& target, const std::string& server);

/// What goes to which process; error: what was typed makes no sense.
struct OrderQuestion {
  std::string process;
  boost::json::object question;
};
[[nodiscard]] core::Result<OrderQuestion> order_question(const std::string& verb,
                                                         const OrderRequest& request,
                                                         const std::string& author);
/// "order 3: 192.0.2.10:80 has weight 0, for 10 min 0 s"
[[nodiscard]] std::string order_text(const boost::json::object& order);

}  // namespace holdfast::ctl
