#include "runtime/script_status.hpp"

#include "runtime/milliseconds.hpp"

namespace holdfast::runtime {

boost::json::object to_json(const core::ScriptRecord& record, core::Instant now) {
  boost::json::object page{{"ran", record.ran},         {"failed", record.failed},
                           {"ended", record.ended},     {"skipped", record.skipped},
                           {"running", record.running}, {"last", nullptr}};
  if (!record.last) return page;
  const core::ScriptRecord::Last& last = *record.last;
  page["last"] = {{"what", last.what},
                  {"state", last.state},
                  {"succeeded", last.outcome.succeeded()},
                  {"outcome", last.outcome.to_string()},
                  {"took_ms", milliseconds(last.outcome.took)},
                  {"ago_ms", milliseconds(now - last.at)}};
  return page;
}

}  // namespace holdfast::runtime
