#include "ctl/metric_rows.hpp"

namespace holdfast::ctl {

void add_rows(Exposition& to, std::span<const Known> known, std::span<const Row> rows,
              std::string_view below) {
  for (const Row& row : rows) {
    to.family(row.name, row.type, row.help);
    for (const Known& each : known) {
      const object* from = below.empty() ? each.from : find_object(*each.from, below);
      const value* found = from == nullptr ? nullptr : find(*from, row.key);
      if (found == nullptr) continue;
      if (const bool* yes = found->if_bool())
        to.sample(each.labels, *yes ? 1 : 0);
      else if (found->is_number())
        to.sample(each.labels, found->to_number<double>() * row.unit);
    }
  }
}

}  // namespace holdfast::ctl
