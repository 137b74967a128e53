// Which addresses this host has now, for what follows them: the role of the sync daemon, services
// with ha_suspend. Reads only. Begun when somebody asks for the first time.
#pragma once

#include "checkers/core/settings.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace holdfast::checkers {

class LocalAddresses {
 public:
  /// `on_change`: links or addresses are other ones; once for all of one turn of the loop.
  LocalAddresses(runtime::Loop& loop, runtime::Logger& logger, std::function<void()> on_change);
  ~LocalAddresses();
  LocalAddresses(const LocalAddresses&) = delete;
  LocalAddresses& operator=(const LocalAddresses&) = delete;

  /// From now on has() knows, and on_change is called.
  void watch();
  /// False before watch(), and where the kernel does not tell.
  [[nodiscard]] bool has(const Place& place) const;
  /// Loopback interfaces count, too.
  [[nodiscard]] bool has_anywhere(const core::IpAddress& address) const;

 private:
  void changed();

  runtime::Loop& loop_;
  runtime::Logger& logger_;
  std::function<void()> on_change_;
  std::optional<netlink::Reflector> mirror_;
  bool said_ = false;  // on_change is posted already
  std::shared_ptr<LocalAddresses*> self_;
};

}  // namespace holdfast::checkers
