#include "core/assertion.hpp"

#include <cstdio>
#include <cstdlib>

namespace holdfast::core {

void assertion_failed(const char* condition, const char* why, const char* file, int line) {
  std::fprintf(stderr, "holdfast: broken invariant at %s:%d: %s (%s)\n", file, line, why,
               condition);
  std::abort();
}

}  // namespace holdfast::core
