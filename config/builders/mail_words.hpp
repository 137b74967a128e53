// How mail goes to its relay: what the words of global_defs mean together. Nothing that asks for
// TLS leaves in clear text without a word about it.
#pragma once

#include "config/builders/builder.hpp"

#include <map>
#include <string_view>

namespace holdfast::config {

/// Where each of these words stands last, and how many words are behind it.
class MailWords {
 public:
  /// The body of one global_defs.
  void look_at(const Tree& tree, std::uint32_t first);
  void finish(Globals& globals, Reporter& reporter) const;

 private:
  struct Place {
    TextRange range;
    std::uint32_t words = 0;
  };

  [[nodiscard]] const Place* find(std::string_view word) const;
  void finish_login(const Globals& globals, Reporter& reporter) const;
  void finish_name(Globals& globals, Reporter& reporter) const;
  void finish_protection(Globals& globals, Reporter& reporter) const;
  void finish_port(Globals& globals) const;
  void finish_paths(const Globals& globals, Reporter& reporter) const;

  std::map<std::string_view, Place> places_;  // names of the table
};

}  // namespace holdfast::config
