// The pure parts of plan: what was found, as text and as JSON.
#include "ctl/json_view.hpp"
#include "ctl/plan.hpp"
#include "ctl/rehearsal_view.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace holdfast::ctl {

bool PlanPage::does_something() const {
  return !changes.empty() || std::any_of(rehearsed.begin(), rehearsed.end(), [](const auto& each) {
    return acts_at_once(each.second);
  });
}

std::string render_plan(const PlanPage& page, Colours colours) {
  std::string result =
      painted(fmt::format("{} → {}", page.from, page.to), Paint::bold, colours) + "\n";
  if (!page.does_something()) return result + "nothing changes\n";
  for (const config::Change& change : page.changes) result += config::describe(change) + "\n";
  std::string acts;
  for (const auto& [process, answer] : page.rehearsed)
    acts += render_actions(answer, Span::everything, colours);
  if (!acts.empty()) {
    result += painted("rehearsed with today's state:", Paint::bold, colours) + "\n" + acts;
  } else if (!page.rehearsed.empty()) {
    result += "rehearsed with today's state: nothing is sent, moved or run\n";
  }
  if (const std::string removed = config::removed_text(page.removal); !removed.empty())
    result += removed + "\n";
  for (const std::string& warning : page.warnings)
    result += painted("warning: " + warning, Paint::warn, colours) + "\n";
  const std::size_t count = page.changes.size();
  result += fmt::format("{} change{}", count, count == 1 ? "" : "s");
  if (const std::size_t warnings = page.warnings.size(); warnings != 0)
    result += fmt::format(", {} warning{}", warnings, warnings == 1 ? "" : "s");
  result += "\n";
  if (!page.beyond_limit.empty())
    result += painted("will be refused: " + page.beyond_limit, Paint::bad, colours) + "\n";
  return result;
}

object plan_json(const PlanPage& page) {
  array differences;
  for (const config::Change& change : page.changes)
    differences.emplace_back(config::describe(change));
  object rehearsed;
  for (const auto& [process, answer] : page.rehearsed) rehearsed.emplace(process, answer);
  return {{"from", page.from},
          {"to", page.to},
          {"changes", page.does_something()},
          {"differences", std::move(differences)},
          {"rehearsed", std::move(rehearsed)},
          {"warnings", array(page.warnings.begin(), page.warnings.end())},
          {"removal", object{{"addresses", page.removal.addresses},
                             {"of_addresses", page.removal.of_addresses},
                             {"servers", page.removal.servers},
                             {"of_servers", page.removal.of_servers}}},
          {"beyond_limit", page.beyond_limit.empty() ? value(nullptr) : value(page.beyond_limit)}};
}

}  // namespace holdfast::ctl
