// An immutable value that many hold and nobody copies: the name of a virtual router in all its
// actions, a list of addresses in settings and actions, the bytes of an advert.
#pragma once

#include <memory>
#include <utility>

namespace holdfast::core {

/// Never null. Equal when the values are equal, wherever they live. Copies cost a counter.
template <class T>
class Shared {
 public:
  Shared() : value_(std::make_shared<const T>()) {}
  // NOLINTNEXTLINE(google-explicit-constructor): a value may stand wherever a shared one is wanted.
  Shared(T value) : value_(std::make_shared<const T>(std::move(value))) {}

  [[nodiscard]] const T& operator*() const { return *value_; }
  [[nodiscard]] const T* operator->() const { return value_.get(); }

  friend bool operator==(const Shared& one, const Shared& other) {
    return one.value_ == other.value_ || *one == *other;
  }

 private:
  std::shared_ptr<const T> value_;
};

}  // namespace holdfast::core
