// A text that is seldom there, in values of which there are thousands: costs one pointer while it
// is empty. Reads as a std::string.
#pragma once

#include "core/rare.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace holdfast::core {

class RareText {
 public:
  RareText() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a text may stand wherever a rare one is wanted.
  RareText(std::string text) {
    if (!text.empty()) text_ = std::move(text);
  }
  RareText(const char* text) : RareText(std::string(text)) {}  // NOLINT: as above

  [[nodiscard]] bool empty() const { return !text_.has_value(); }
  [[nodiscard]] std::size_t size() const { return str().size(); }
  [[nodiscard]] const std::string& str() const {
    static const std::string kNone;
    return text_ ? *text_ : kNone;
  }
  operator const std::string&() const { return str(); }  // NOLINT: it is one, to whoever reads it

  bool operator==(const RareText&) const = default;
  friend bool operator==(const RareText& one, std::string_view other) { return one.str() == other; }

 private:
  Rare<std::string> text_;
};

}  // namespace holdfast::core
