// A document as TOML: tables in the order of the document, one line a word. Printed here and not by
// toml++, whose tables are sorted by name: the order of instances, servers and checkers has a
// meaning.
#pragma once

#include "config/write/write.hpp"

namespace holdfast::config {

/// read_toml gives the same statements again. Words must be UTF-8.
[[nodiscard]] std::string print_toml(const Document& document);

}  // namespace holdfast::config
