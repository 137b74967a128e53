// A set of reasons for one condition (FAULT, server down): the condition holds while the set is not
// empty. Every source adds and removes only its own reason, so two causes never cancel each other.
#pragma once

#include "core/rare.hpp"

#include <map>
#include <string>

namespace holdfast::core {

/// Keyed by source ("interface eth0"), with a sentence for the operator ("eth0 has no carrier").
class ReasonSet {
 public:
  using Reasons = std::map<std::string, std::string>;

  /// True when the set was empty before. A source that is already there only gets the new sentence.
  bool add(std::string source, std::string sentence) {
    const bool was_empty = empty();
    reasons_.ensure().insert_or_assign(std::move(source), std::move(sentence));
    return was_empty;
  }
  /// True when this removed the last reason.
  bool remove(const std::string& source) {
    if (!reasons_ || reasons_->erase(source) == 0 || !reasons_->empty()) return false;
    reasons_.reset();
    return true;
  }

  [[nodiscard]] bool empty() const { return !reasons_.has_value(); }
  [[nodiscard]] const Reasons& all() const {
    static const Reasons kNone;
    return reasons_ ? *reasons_ : kNone;
  }
  bool operator==(const ReasonSet&) const = default;

 private:
  Rare<Reasons> reasons_;  // empty without a reason, which is how thousands of sets are
};

}  // namespace holdfast::core
