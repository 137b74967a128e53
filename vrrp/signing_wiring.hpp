// auth_hmac of the configuration as the core's settings, with the keys of its files. Asked by
// wiring.cpp.
#pragma once

#include "config/model.hpp"
#include "config/signing_keys.hpp"
#include "config/started.hpp"
#include "vrrp/core/settings.hpp"

#include <map>
#include <string>
#include <vector>

namespace holdfast::vrrp {

/// By the name of the instance.
using SigningKeys = std::map<std::string, std::vector<config::KeyBytes>>;

/// Of all instances that are started. A file of keys that could be read a moment ago may be gone:
/// then its instance rests, and the sync group with it.
[[nodiscard]] SigningKeys read_signing_keys(const config::Model& model, config::NotStarted& rest);

[[nodiscard]] Signing signing_of(const config::AuthHmac& written, Duration interval,
                                 const std::vector<config::KeyBytes>& keys);

}  // namespace holdfast::vrrp
