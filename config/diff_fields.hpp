// What differs inside two objects that are the same object of two models, as words of the
// configuration. Part of diff.cpp; nobody else includes it but its test.
#pragma once

#include "config/diff.hpp"
#include "config/write.hpp"

#include <string>
#include <vector>

namespace holdfast::config {

// `in_before` and `in_after` are the models that the objects belong to: what an object inherits is
// a part of what it means.
[[nodiscard]] std::vector<FieldChange> compare_fields(const Globals& before, const Globals& after);
[[nodiscard]] std::vector<FieldChange> compare_fields(const TlsIdentity& before,
                                                      const TlsIdentity& after);
[[nodiscard]] std::vector<FieldChange> compare_fields(const VrrpInstance& before,
                                                      const Model& in_before,
                                                      const VrrpInstance& after,
                                                      const Model& in_after);
[[nodiscard]] std::vector<FieldChange> compare_fields(const SyncGroup& before,
                                                      const Model& in_before,
                                                      const SyncGroup& after,
                                                      const Model& in_after);
[[nodiscard]] std::vector<FieldChange> compare_fields(const VirtualServer& before,
                                                      const Model& in_before,
                                                      const VirtualServer& after,
                                                      const Model& in_after);
[[nodiscard]] std::vector<FieldChange> compare_fields(
    const RealServer& before, const VirtualServer& service_before, const Model& in_before,
    const RealServer& after, const VirtualServer& service_after, const Model& in_after);
[[nodiscard]] std::vector<FieldChange> compare_fields(const VrrpScript& before, const Model&,
                                                      const VrrpScript& after, const Model&);
[[nodiscard]] std::vector<FieldChange> compare_fields(const TrackProcess& before, const Model&,
                                                      const TrackProcess& after, const Model&);
[[nodiscard]] std::vector<FieldChange> compare_fields(const TrackFile& before, const Model&,
                                                      const TrackFile& after, const Model&);
[[nodiscard]] std::vector<FieldChange> compare_fields(const BfdInstance& before, const Model&,
                                                      const BfdInstance& after, const Model&);
[[nodiscard]] std::vector<FieldChange> compare_fields(const TrackGroup& before, const Model&,
                                                      const TrackGroup& after, const Model&);
[[nodiscard]] std::vector<FieldChange> compare_fields(const GarpGroup& before, const Model&,
                                                      const GarpGroup& after, const Model&);
[[nodiscard]] std::vector<FieldChange> compare_fields(const VirtualServerGroup& before,
                                                      const Model&, const VirtualServerGroup& after,
                                                      const Model&);
// Lines: two with the same key are equal, so that nothing inside them can differ.
template <class Line>
[[nodiscard]] std::vector<FieldChange> compare_fields(const Line&, const Model&, const Line&,
                                                      const Model&) {
  return {};
}

/// The whole line as it is written.
[[nodiscard]] std::string line_of(const VirtualAddress& address);
[[nodiscard]] std::string line_of(const Route& route);
[[nodiscard]] std::string line_of(const Rule& rule);

/// The bodies of two statements, compared word by word. Values of words that hold secrets are left
/// out.
[[nodiscard]] std::vector<FieldChange> compare_bodies(const Document& before,
                                                      const Document& after);

}  // namespace holdfast::config
