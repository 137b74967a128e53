#include "core/address_words.hpp"

#include "core/address_scope.hpp"

namespace holdfast::core {

std::string scope_text(std::uint8_t scope) {
  switch (scope) {
    case kScopeGlobal:
      return "global";
    case kScopeSite:
      return "site";
    case kScopeLink:
      return "link";
    case kScopeHost:
      return "host";
    case kScopeNowhere:
      return "nowhere";
  }
  return std::to_string(scope);
}

std::string prefix_text(const IpPrefix& prefix) {
  const bool whole = prefix.length == prefix.address.max_prefix_length();
  return whole ? prefix.address.to_string() : prefix.to_string();
}

}  // namespace holdfast::core
