#include "config/started.hpp"

#include "config/schema/schema.hpp"

namespace holdfast::config {

std::string why_not_started(const VrrpInstance& instance) {
  const Schema& schema = Schema::instance();
  for (const KeywordId id : schema.rows_of(Block::vrrp_instance)) {
    const Meaning& meaning = schema[id].meaning;
    if (meaning.rests == nullptr) continue;
    if (const std::string_view reason = meaning.rests(&instance); !reason.empty())
      return std::string(reason);
  }
  return {};
}

}  // namespace holdfast::config
