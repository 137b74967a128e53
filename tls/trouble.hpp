// What OpenSSL has against something, in its words.
#pragma once

#include <string>

namespace holdfast::tls {

struct Trouble {
  std::string words = "unknown error";  ///< "wrong version number"
  bool is_alert = false;                ///< the other side said it (RFC 8446 §6)
};

/// The first error that OpenSSL has noted in this thread; none is left.
[[nodiscard]] Trouble take_trouble();
void forget_trouble();

}  // namespace holdfast::tls
