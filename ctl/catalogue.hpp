// Every message that any process can log, by id: the help that `holdfastctl explain` prints.
// The list is generated from the rooms' messages.hpp when the build is configured
// (ctl/CMakeLists.txt).
#pragma once

#include "runtime/log.hpp"

#include <span>
#include <string>
#include <string_view>

namespace holdfast::ctl {

[[nodiscard]] std::span<const runtime::Message* const> catalogue();
/// nullptr: no such id.
[[nodiscard]] const runtime::Message* find_message(std::string_view id);
/// The paragraph for people, ends with a newline.
[[nodiscard]] std::string explain(const runtime::Message& message);
/// "id  level" lines, sorted.
[[nodiscard]] std::string list_messages();
/// The id most like `id`; empty when none is near.
[[nodiscard]] std::string_view nearest_id(std::string_view id);

}  // namespace holdfast::ctl
