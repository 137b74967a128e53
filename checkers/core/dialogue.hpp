// How a conversation with a server looks to the driver that moves its bytes: what came in goes to
// advance(), which says what to do next. A dialogue is one connection; it knows no socket and no
// clock (the driver owns the deadline).
#pragma once

#include "checkers/core/outcome.hpp"
#include "checkers/core/settings.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace holdfast::checkers {

/// Read again.
struct NeedMore {
  bool operator==(const NeedMore&) const = default;
};
/// Write all of this, then call advance again with what has come in meanwhile. Valid until the next
/// call.
struct Send {
  std::string_view bytes;
  bool operator==(const Send&) const = default;
};
/// The connection has served its purpose. `outcome.took` is the driver's to fill in.
struct Verdict {
  Outcome outcome;
  bool operator==(const Verdict&) const = default;
};
using Step = std::variant<NeedMore, Send, Verdict>;

/// TCP_CHECK: that advance() is called at all means that the connection was accepted.
class TcpDialogue {
 public:
  [[nodiscard]] Step advance(std::string_view received, bool peer_closed);
};

/// Names of HTTP status ranges for messages: "200-299, 404".
[[nodiscard]] std::string to_string(const std::vector<StatusRange>& ranges);

}  // namespace holdfast::checkers
