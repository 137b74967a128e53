// What the doctor found, as text for people and as JSON. Pure.
#pragma once

#include "ctl/text_table.hpp"
#include "vrrp/doctor/diagnosis.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace holdfast::ctl {

struct Examination {
  std::vector<std::string> interfaces;  ///< That were listened to.
  core::Duration listened{};
  std::uint64_t lost = 0;  ///< Packets that came too fast.
  std::uint64_t unlisted = 0;
  std::string compared_with;  ///< "the running director", a file; empty: nothing.
  std::vector<vrrp::doctor::Speaker> speakers;
  std::vector<vrrp::doctor::Finding> findings;

  [[nodiscard]] bool has_problems() const;
};

[[nodiscard]] std::string render_examination(const Examination& examination, Colours colours);
[[nodiscard]] boost::json::object examination_json(const Examination& examination);

}  // namespace holdfast::ctl
