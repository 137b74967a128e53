// What the processes rehearsed, as lines for people: answers of "rehearse" and "what-if". Pure.
#pragma once

#include "ctl/text_table.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace holdfast::ctl {

/// Which of the actions: all, or only what happens in the moment itself.
enum class Span : unsigned char { everything, at_once };

/// "at once       VI_1: places 192.0.2.1/24 dev eth0", one line an action that can be seen from
/// outside; then what is not told. Empty: nothing happens.
[[nodiscard]] std::string render_actions(const boost::json::object& answer, Span span,
                                         Colours colours);
/// Something that can be seen from outside happens in the moment itself.
[[nodiscard]] bool acts_at_once(const boost::json::object& answer);

}  // namespace holdfast::ctl
