// What a configuration says, as facts that two programs can be compared by: "instance VI_1 vrid" →
// "51". Objects and the entries of lists are facts too, so that what one side alone holds is seen.
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
  bool entry = false;        ///< an object or an entry of a list: its mere presence says something
  std::string or_else = {};  ///< another spelling of the value
};
using Facts = std::map<std::string, Fact>;

/// Makes facts. Keys that repeat are numbered: "x", "x #2".
class Collector {
 public:
  std::string object(std::string key, std::string feature);
  void property(const std::string& object, std::string_view name, std::string value,
                std::string or_else = {});
  /// `what`: "address", "peer"; `text`: the entry in one common spelling.
  void entry(const std::string& object, std::string_view what, std::string_view text);
  Facts take() { return std::move(facts_); }

 private:
  Facts facts_;
  std::map<std::string, int> seen_;
};

struct Comparison {
  std::vector<std::pair<std::string, std::string>> missing;  ///< feature, and the first example
  std::vector<std::pair<std::string, std::string>> extra;    ///< what only we hold
};

[[nodiscard]] Facts facts_of(const Model& model);
/// From keepalived's dump, a NAME.loaded.json. Throws on text that is no such dump.
[[nodiscard]] Facts facts_of_dump(const std::string& json);
[[nodiscard]] Comparison compare(const Facts& theirs, const Facts& ours);

/// "10.0.0.1", "fe80::1/64": an address in one spelling, its whole length left out.
[[nodiscard]] std::string plain_prefix(std::string_view text);
[[nodiscard]] std::string spell(const core::IpPrefix& prefix);
/// "IPv6 " for text with a colon, else nothing: features are counted apart.
[[nodiscard]] std::string family_word(std::string_view address);

}  // namespace holdfast::config::test
