// Seldom used parts of the model.
#pragma once

#include "core/rare.hpp"

namespace holdfast::config {

using core::Rare;

}  // namespace holdfast::config
