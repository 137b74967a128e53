#include "config/started.hpp"

#include "config/schema/schema.hpp"

namespace holdfast::config {
namespace {

// The cause that the row of a word without effect gives: its notice up to the colon.
std::string cause_of(Block block, std::string_view word) {
  const Schema& schema = Schema::instance();
  const KeywordId id = *schema.find(block, word);
  if (schema.acts(id)) return {};
  const std::string_view notice = schema[id].notice;
  return std::string(notice.substr(0, notice.find(':')));
}

}  // namespace

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

std::string why_not_started(const Check& check) {
  return cause_of(Block::real_server, type_name(check));
}

}  // namespace holdfast::config
