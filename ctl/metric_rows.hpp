// Families of numbers that stand in a status under a key each: told as rows of a table.
#pragma once

#include "ctl/exposition.hpp"
#include "ctl/json_view.hpp"

#include <span>
#include <string>
#include <string_view>

namespace holdfast::ctl {

/// An object of a status and the labels of its samples.
struct Known {
  const object* from;
  std::string labels;
};

/// One number or yes-or-no: the family `name` is what stands under `key`, times `unit`.
struct Row {
  std::string_view name;
  Exposition::Type type;
  std::string_view key;
  double unit;
  std::string_view help;
};

/// `below`: the member of each object that has the keys; empty: the object itself.
void add_rows(Exposition& to, std::span<const Known> known, std::span<const Row> rows,
              std::string_view below = {});

}  // namespace holdfast::ctl
