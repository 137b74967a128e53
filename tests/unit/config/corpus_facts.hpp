// What a configuration says, as facts that two programs can be compared by: "instance VI_1 vrid" →
// "51".
#pragma once

#include "config/model.hpp"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::config::test {

/// One thing that a configuration says. `key` names the object and the property, `feature` groups
/// what a reader has to be able to do for it.
struct Fact {
  std::string value;
  std::string feature;
};
using Facts = std::map<std::string, Fact>;

struct Comparison {
  std::vector<std::pair<std::string, std::string>> missing;  ///< feature, and the first example
  bool extra = false;  ///< we hold what the other side does not
};

[[nodiscard]] Facts facts_of(const Model& model);
/// From keepalived's dump, a NAME.loaded.json.
[[nodiscard]] Facts facts_of_json(const std::string& json);
[[nodiscard]] Comparison compare(const Facts& theirs, const Facts& ours);

}  // namespace holdfast::config::test
