// Links that have to be down, or up, for a while before that counts. keepalived:
// interface_up_down_delays. A core: stepped by io/interface_watch.cpp, which reads the links.
#pragma once

#include "core/time.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::vrrp {

struct LinkDelay {
  core::Duration down{};
  core::Duration up{};
  bool operator==(const LinkDelay&) const = default;
};

class LinkDelays {
 public:
  /// These from now on. What is known of a link stays; without a delay it counts as it is.
  void follow(std::map<std::string, LinkDelay> delays);
  /// Whether a link that is `up` now, or not, counts as up. What is seen for the first time counts
  /// at once.
  [[nodiscard]] bool settle(const std::string& link, bool up, core::Instant now);
  /// It is not there: if it comes again, it is seen for the first time.
  void forget(const std::string& link) { links_.erase(link); }
  /// Those of which settle() answers otherwise by now.
  [[nodiscard]] std::vector<std::string> due(core::Instant now) const;
  [[nodiscard]] std::optional<core::Instant> deadline() const;

 private:
  struct Link {
    bool counts_as_up = false;
    std::optional<core::Instant> changes_at;  // unless it changes back before
  };

  std::map<std::string, LinkDelay> delays_;
  std::map<std::string, Link> links_;
};

}  // namespace holdfast::vrrp
