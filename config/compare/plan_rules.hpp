// The rules of plan.hpp, one file for each half of the model. Part of plan.cpp; nobody else
// includes it.
#pragma once

#include "config/compare/plan.hpp"

#include <string>

namespace holdfast::config {

struct Consequence {
  std::string text;
  Impact impact = Impact::harmless;
};

/// Both models, both ends of one object, what runs of it. `running` is nullptr: not known.
struct InstanceRule {
  const VrrpInstance* before = nullptr;  ///< nullptr: added
  const VrrpInstance* after = nullptr;   ///< nullptr: removed
  const Model& in_after;
  const RunningInstance* running = nullptr;
};
[[nodiscard]] Consequence added_instance(const InstanceRule& rule);
[[nodiscard]] Consequence removed_instance(const InstanceRule& rule);
/// The same name in both models, but another interface or router id: another virtual router.
[[nodiscard]] Consequence moved_instance(const InstanceRule& rule);
[[nodiscard]] Consequence changed_instance(const InstanceRule& rule, const FieldChange& field);

struct ServiceRule {
  const VirtualServer* before = nullptr;
  const VirtualServer* after = nullptr;
  const RunningService* running = nullptr;
  std::optional<std::uint64_t> connections;  ///< of all its servers; nullopt: not known
};
[[nodiscard]] Consequence added_service(const ServiceRule& rule);
[[nodiscard]] Consequence removed_service(const ServiceRule& rule);
[[nodiscard]] Consequence changed_service(const ServiceRule& rule, const FieldChange& field);

struct ServerRule {
  const RealServer* before = nullptr;
  const RealServer* after = nullptr;
  std::optional<std::uint64_t> connections;  ///< nullopt: not known
};
[[nodiscard]] Consequence added_server(const ServerRule& rule);
[[nodiscard]] Consequence removed_server(const ServerRule& rule);
[[nodiscard]] Consequence changed_server(const ServerRule& rule, const FieldChange& field);

[[nodiscard]] Consequence changed_globals(const FieldChange& field);

/// Sentences about what goes wrong while the other director still has the former file.
[[nodiscard]] std::vector<std::string> partner_warnings(const Model& before, const Model& after,
                                                        const RunningView& running);

/// The block or word that a field begins with: "TCP_CHECK" of "TCP_CHECK retry".
[[nodiscard]] std::string_view first_word(std::string_view field);
/// "10.0.0.5", "10.0.0.5 and 10.0.0.6", "10.0.0.5, 10.0.0.6 and 3 more".
[[nodiscard]] std::string enumerate(const std::vector<std::string>& names);
[[nodiscard]] bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words);

}  // namespace holdfast::config
