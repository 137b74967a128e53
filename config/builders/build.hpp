// Statements → model. Globals first, then instances and services, each with the defaults that are
// then known: the order in the files never matters. Called by load.cpp for every reader's tree.
#pragma once

#include "config/model.hpp"
#include "config/tree.hpp"

#include <optional>
#include <vector>

namespace holdfast::config {

struct BuildContext;

/// Where a configuration has its global_defs: before the services of all large trees, as nearly
/// always, or who knows where.
enum class GlobalsStand : std::uint8_t { first, anywhere };

/// Understands a whole configuration; findings go to `reporter`. Thousands of services are what
/// makes one long: when `globals` allows it, they are built tree by tree while others are read, and
/// a tree of nothing else is gone at once.
class ModelBuilder {
 public:
  /// `text_size`: bytes of the whole configuration.
  ModelBuilder(std::size_t text_size, GlobalsStand globals, Reporter& reporter);
  ModelBuilder(const ModelBuilder&) = delete;
  ModelBuilder& operator=(const ModelBuilder&) = delete;

  /// The trees follow each other.
  void take(Tree& tree);
  /// Nullopt when global_defs came behind services that were built.
  [[nodiscard]] std::optional<Model> finish(Tree last);

 private:
  [[nodiscard]] BuildContext context(const Tree& tree);
  void reserve_services(const Tree& tree);

  GlobalsStand globals_;
  std::size_t text_size_;
  Reporter& reporter_;
  Model model_;
  Trees trees_;  // kept
  std::uint32_t next_block_;
  std::vector<std::uint32_t> seen_in_;
  std::size_t first_without_services_ = 0;  // of the kept trees: those of the others are built
  bool globals_are_built_ = false;
  bool globals_came_late_ = false;
};

/// Words of the table that claim to be read but that no builder acts on; empty, or a test fails.
[[nodiscard]] std::vector<KeywordId> words_without_meaning();

}  // namespace holdfast::config
