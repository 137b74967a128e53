// Buffers that are filled and emptied all day, so that a step allocates nothing.
#pragma once

#include <cstddef>
#include <vector>

namespace holdfast::core {

/// Empties the buffer for its next use. It keeps its room, unless a rare burst has made that larger
/// than `kept` elements: the burst's memory is not needed every day.
template <class T>
void empty_for_reuse(std::vector<T>& buffer, std::size_t kept) {
  if (buffer.capacity() > kept)
    std::vector<T>().swap(buffer);
  else
    buffer.clear();
}

}  // namespace holdfast::core
