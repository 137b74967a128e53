// Names and keys: what makes a check the same check after a reload or a restart, and what it is
// called in messages.
#pragma once

#include "checkers/core/settings.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::checkers {

/// A 64-bit key of a text, the same in every process and build; never 0. FNV-1a.
[[nodiscard]] std::uint64_t hash_text(std::string_view text);

/// What a probe does on the network, as text. Equal exactly when the settings are equal, apart from
/// the timeout, which is how long we wait and not what we ask.
[[nodiscard]] std::string identity(const ProbeSettings& probe);

/// Equal exactly when one run can serve both: the same question at the same pace with the same
/// patience.
[[nodiscard]] std::string sharing_identity(const CheckSettings& check);

/// Keys of records in the handover page. A check keeps its verdict when only its pace or patience
/// changes.
[[nodiscard]] std::uint64_t service_record_key(const ServiceSettings& service);
[[nodiscard]] std::uint64_t check_record_key(const ServiceSettings& service,
                                             const core::Endpoint& server,
                                             const ProbeSettings& probe);

/// What a service is called: "TCP 192.0.2.1:80", "FWM 7", "TCP group web".
[[nodiscard]] std::string name_of(const ServiceSettings& service);
/// What a server is called: "TCP 192.0.2.1:80: server 10.0.0.1:80".
[[nodiscard]] std::string subject_of(const ServiceSettings& service, const core::Endpoint& server);

/// "TCP_CHECK", "HTTP_GET": the word of the configuration.
[[nodiscard]] std::string_view type_name(const Dialogue& dialogue);
/// "TCP_CHECK 192.168.1.67:8099".
[[nodiscard]] std::string name_of(const ProbeSettings& probe);

}  // namespace holdfast::checkers
