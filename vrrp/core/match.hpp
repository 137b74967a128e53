// What the files of Instance share besides its header.
#pragma once

#include "vrrp/core/settings.hpp"

namespace holdfast::vrrp {

/// One lambda for each alternative; a missing one does not compile.
template <class... Handlers>
struct Match : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Match(Handlers...) -> Match<Handlers...>;

/// For sentences.
inline double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace holdfast::vrrp
