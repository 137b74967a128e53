// What the processes said last, for all scrapers together: they are asked at most once a second,
// in threads of their own, and only when somebody wants to know.
#pragma once

#include "core/time.hpp"
#include "ctl/commands.hpp"
#include "ctl/exposition.hpp"
#include "ctl/status.hpp"
#include "runtime/side_threads.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::ctl {

class MetricsDesk {
 public:
  /// One round of answers and the pages made of it.
  class Round {
   public:
    Round(Replies replies, core::Instant complete_at)
        : replies_(std::move(replies)), complete_at_(complete_at) {}
    [[nodiscard]] std::shared_ptr<const std::string> page(Dialect dialect);
    [[nodiscard]] const Replies& replies() const { return replies_; }
    [[nodiscard]] core::Duration age(core::Instant now) const { return now - complete_at_; }

   private:
    Replies replies_;
    core::Instant complete_at_;
    std::map<Dialect, std::shared_ptr<const std::string>> pages_;
  };
  using Taker = std::function<void(Round&)>;

  MetricsDesk(boost::asio::io_context& io, Target target);

  /// Calls `taker` once, now or later.
  void want(Taker taker);

 private:
  void begin();
  void complete();

  Target target_;
  std::shared_ptr<Replies> in_work_;
  std::optional<Round> latest_;
  std::vector<Taker> waiting_;
  runtime::SideThreads threads_;  // last: what runs is waited for first
};

/// Of all processes at once.
[[nodiscard]] Replies ask_everybody(const Target& target);

}  // namespace holdfast::ctl
