// What a session needs of files before its process becomes nobody: the password, and the
// authorities whom it believes. Read anew for each session.
#pragma once

#include "core/result.hpp"

#include "mail/core/settings.hpp"
#include "mail/core/submission.hpp"
#include "tls/context.hpp"
#include <optional>

namespace holdfast::mail {

struct OpenedKeys {
  std::optional<Login> login{};
  std::optional<tls::Context> context{};  ///< none: without TLS
};

/// An error is a sentence, and never holds the password.
[[nodiscard]] core::Result<OpenedKeys> open_keys(const Keys& keys);

}  // namespace holdfast::mail
