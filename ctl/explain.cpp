// explain WORD: an instance or sync group of the running director, else a message of the catalogue.
#include "ctl/catalogue.hpp"
#include "ctl/client.hpp"
#include "ctl/explain_view.hpp"
#include "ctl/json_view.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace holdfast::ctl {
namespace {

constexpr std::string_view kMessagePrefix = "message:";
constexpr std::string_view kGroupPrefix = "group:";

}  // namespace

int explain(const Target& target, const std::string& word, Format format) {
  if (word.starts_with(kMessagePrefix)) return explain_message(word.substr(kMessagePrefix.size()));
  const auto answer = request_of(target, "vrrp", {{"command", "explain"}, {"instance", word}});
  if (answer && find(*answer, "error") == nullptr) {
    say(format == Format::json ? boost::json::serialize(*answer) + "\n"
                               : render_explanation(*answer));
    return kDone;
  }
  if (find_message(word) != nullptr) return explain_message(word);
  const std::string why =
      answer ? std::string(text(*answer, "error"))
             : fmt::format("no running director to ask for {} of that name",
                           word.starts_with(kGroupPrefix) ? "a sync group" : "an instance");
  const std::string_view near = nearest_id(word);
  complain(word.starts_with(kGroupPrefix)
               ? why
               : fmt::format("there is no message \"{}\"{}, and {}", word,
                             near.empty() ? "" : fmt::format(" (did you mean {}?)", near), why));
  return kFailed;
}

}  // namespace holdfast::ctl
