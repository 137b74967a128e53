// A set of reasons for one condition (FAULT, server down): the condition holds while the set is not
// empty. Every source adds and removes only its own reason, so two causes never cancel each other.
#pragma once

#include <map>
#include <string>

namespace holdfast::core {

/// Keyed by source ("interface eth0"), with a sentence for the operator ("eth0 has no carrier").
class ReasonSet {
 public:
  /// True when the set was empty before. A source that is already there only gets the new sentence.
  bool add(std::string source, std::string sentence) {
    const bool was_empty = reasons_.empty();
    reasons_.insert_or_assign(std::move(source), std::move(sentence));
    return was_empty;
  }
  /// True when this removed the last reason.
  bool remove(const std::string& source) { return reasons_.erase(source) != 0 && reasons_.empty(); }

  [[nodiscard]] bool empty() const { return reasons_.empty(); }
  [[nodiscard]] const std::map<std::string, std::string>& all() const { return reasons_; }
  bool operator==(const ReasonSet&) const = default;

 private:
  std::map<std::string, std::string> reasons_;
};

}  // namespace holdfast::core
