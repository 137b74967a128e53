// Takes the orders of operators over a control socket, keeps them in a file of the run directory
// over restarts of the process (not of the machine), ends them in time and says all of that in the
// log. What they mean is the process's own.
#pragma once

#include "core/orders.hpp"
#include "core/result.hpp"
#include "runtime/control_socket.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"

#include <boost/json/array.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace holdfast::runtime {

/// No order lasts longer than this; longer ones last until they are taken back.
inline constexpr core::Duration kLongestOrder = std::chrono::hours(24 * 365);

class OrderDesk {
 public:
  /// What an order of this kind is about: its subject's proper name, and whether its value will do.
  using Judge = std::function<core::Result<std::string>(
      const std::string& kind, const std::string& subject, std::int64_t value)>;

  /// `on_change`: the orders are others than before; also after load().
  OrderDesk(boost::asio::io_context& io, Logger& logger, std::string path, Judge judge,
            std::function<void()> on_change);

  /// What a predecessor was asked.
  void load();
  /// "order", for those who may change things: {"kind", "subject", "value", "for_ms", "author"}, or
  /// with "take_back": true. The answer is the order as status_json() has it.
  void answer_on(ControlServer& server);

  [[nodiscard]] const core::Orders& orders() const { return orders_; }

 private:
  [[nodiscard]] core::Result<boost::json::object> take(const boost::json::object& request);
  [[nodiscard]] core::Result<boost::json::object> take_back(const std::string& kind,
                                                            const std::string& subject,
                                                            const std::string& author);
  void expire();
  void changed();

  Logger& logger_;
  std::string path_;
  std::string boot_id_;
  Judge judge_;
  std::function<void()> on_change_;
  core::Orders orders_;
  DeadlineTimer timer_;
};

/// [{"id", "kind", "subject", "value", "author", "uid", "given_at", "until_at" (null: until it is
/// taken back), "left_ms"}]
[[nodiscard]] boost::json::array status_json(const core::Orders& orders, core::Instant now);

/// The file: text of orders that were given on this boot, and back. What cannot be read is an
/// error, of another boot nothing.
[[nodiscard]] std::string write_orders(const core::Orders& orders, std::string_view boot_id);
[[nodiscard]] core::Result<std::vector<core::Order>> read_orders(std::string_view text,
                                                                 std::string_view boot_id);

}  // namespace holdfast::runtime
