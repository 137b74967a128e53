#include "core/buffer.hpp"

#include <doctest/doctest.h>

using holdfast::core::empty_for_reuse;

TEST_CASE("a buffer that is emptied keeps the room of every day, not that of a burst") {
  std::vector<int> buffer(100);

  empty_for_reuse(buffer, 1000);

  CHECK(buffer.empty());
  CHECK(buffer.capacity() >= 100);

  buffer.resize(2000);
  empty_for_reuse(buffer, 1000);

  CHECK(buffer.empty());
  CHECK(buffer.capacity() == 0);
}
