// The end of an object of a C library, for std::unique_ptr.
#pragma once

namespace holdfast::core {

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

}  // namespace holdfast::core
