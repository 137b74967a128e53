// What is wrong between those who were heard, and between them and a configuration: each in one
// sentence with its cures. It is the receive checks of an instance that judge: the doctor knows no
// rules of its own about adverts. Pure.
#pragma once

#include "vrrp/doctor/cure.hpp"
#include "vrrp/doctor/speakers.hpp"

#include <string>
#include <vector>

namespace holdfast::vrrp::doctor {

/// What a running director has rejected: a keepalived that others keep silent is heard there only.
struct Remembered {
  RejectReason reason{};
  IpAddress peer = {};
  std::uint64_t adverts = 0;
  Duration ago{};
  std::string sentence = {};
};

/// An instance of a configuration that is compared with.
struct Expectation {
  InstanceSettings settings;
  /// A status page has no passwords: those of others are not compared then.
  bool knows_secret = false;
  std::vector<Remembered> remembered = {};
};

struct Finding {
  std::string interface = {};
  std::string subject = {};  ///< "VI_1 (VRID 51, IPv4)" or "VRID 51, IPv4".
  std::string speaker = {};  ///< The address that should change; empty: no single one.
  std::string reason = {};   ///< "bad_version" … as the counters; "two_masters" and a few more.
  std::string sentence = {};
  Cure cure = {};
  bool is_problem = true;  ///< Otherwise a remark.
  bool operator==(const Finding&) const = default;
};

/// `listened`: interfaces that were, so that silence means something there.
[[nodiscard]] std::vector<Finding> diagnose(const std::vector<Speaker>& speakers,
                                            const std::vector<Expectation>& expected,
                                            const std::vector<std::string>& listened);

}  // namespace holdfast::vrrp::doctor
