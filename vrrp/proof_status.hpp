// How the adverts of an instance prove who has sent them, for the status.
#pragma once

#include "core/time.hpp"
#include "vrrp/core/instance.hpp"

#include <boost/json.hpp>

namespace holdfast::vrrp {

/// null: adverts prove nothing. Never a key or password.
[[nodiscard]] boost::json::value authentication_of(const Instance& instance, core::Instant now);

}  // namespace holdfast::vrrp
