// An immutable list that many hold and nobody copies: the addresses of a virtual router in its
// settings and in all its actions; what the reflector is asked to hold.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace holdfast::core {

/// Equal when the elements are equal, wherever they live. Copies cost a counter.
template <class T>
class SharedList {
 public:
  using value_type = T;
  using const_iterator = const T*;

  SharedList() = default;
  SharedList(std::initializer_list<T> items) : SharedList(std::vector<T>(items)) {}
  // NOLINTNEXTLINE(google-explicit-constructor): what was collected may become the list.
  SharedList(std::vector<T> items) {
    if (items.empty()) return;
    items.shrink_to_fit();
    items_ = std::make_shared<const std::vector<T>>(std::move(items));
  }

  [[nodiscard]] const T* begin() const { return items_ ? items_->data() : nullptr; }
  [[nodiscard]] const T* end() const { return begin() + size(); }
  [[nodiscard]] std::size_t size() const { return items_ ? items_->size() : 0; }
  [[nodiscard]] bool empty() const { return !items_; }
  [[nodiscard]] const T& operator[](std::size_t at) const { return (*items_)[at]; }
  [[nodiscard]] const T& front() const { return items_->front(); }
  [[nodiscard]] const T& back() const { return items_->back(); }

  /// For changes: a copy that is nobody else's.
  [[nodiscard]] std::vector<T> copy() const { return {begin(), end()}; }
  /// Costs a copy of the list.
  void push_back(T item) {
    std::vector<T> items = copy();
    items.push_back(std::move(item));
    *this = SharedList(std::move(items));
  }

  friend bool operator==(const SharedList& one, const SharedList& other) {
    return one.items_ == other.items_ ||
           std::equal(one.begin(), one.end(), other.begin(), other.end());
  }

 private:
  std::shared_ptr<const std::vector<T>> items_;  // null: empty
};

}  // namespace holdfast::core
