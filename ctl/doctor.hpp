// `holdfastctl doctor vrrp`: listens for some seconds and says who speaks what on each interface,
// what is wrong between them, and what to write where. Needs root, but no running director.
#pragma once

#include "ctl/commands.hpp"
#include "ctl/text_table.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::ctl {

struct DoctorRequest {
  std::vector<std::string> interfaces;  ///< Empty: all that are up.
  std::uint32_t seconds = 5;
  std::string file;  ///< To compare with; empty: what the running director has, if one runs.
  std::string config_id;
  Format format = Format::text;
  Colours colours = Colours::no;
};

/// kDone: nothing is wrong; kFailed: something is, or it could not listen.
[[nodiscard]] int doctor_vrrp(const Target& target, const DoctorRequest& request);

}  // namespace holdfast::ctl
