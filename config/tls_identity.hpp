// The texts of the files that SSL names. Asked by the reader, which warns, and by the wiring of the
// checkers, which leaves SSL_GET untried where they cannot be used.
#pragma once

#include "config/model_service.hpp"
#include "core/result.hpp"

#include "tls/context.hpp"

namespace holdfast::config {

/// An error names the file, and never says the password.
[[nodiscard]] core::Result<tls::Identity> texts_of(const TlsIdentity& written);
/// These texts, tried out.
[[nodiscard]] core::Result<tls::Context> context_of(const TlsIdentity& written,
                                                    const core::Result<tls::Identity>& texts);

/// Root, or the process that reads the configuration with root's right to read
/// (CAP_DAC_READ_SEARCH): what it does not find is not there.
[[nodiscard]] bool sees_every_file();
/// What root may read with all its rights, as the reader has them, but the checkers may not: they
/// gave CAP_DAC_OVERRIDE away. A sentence; empty: they can.
[[nodiscard]] std::string unreadable_for_checkers(const TlsIdentity& written);

}  // namespace holdfast::config
