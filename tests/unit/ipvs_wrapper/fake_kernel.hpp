// A kernel for the client's tests: takes datagrams of requests, obeys the rules of apply_step,
// answers as IPVS does. Faults are knobs. What it believes about the kernel is checked by the
// kernel's own tests (tests/vm/ipvs).
#pragma once

#include "ipvs_wrapper/link.hpp"
#include "ipvs_wrapper/plan.hpp"

#include <deque>
#include <functional>

namespace holdfast::ipvs::test {

inline constexpr std::uint16_t kFamily = 0x1b;

struct FakeKernel {
  Table table;
  /// Entries a datagram of a dump.
  std::size_t entries_per_datagram = 4;
  /// Called before each list of services, and before each service that is asked for by its key:
  /// somebody else changes the table.
  std::function<void(Table&)> before_list = [](Table&) {};
  /// The same before each list of servers.
  std::function<void(Table&)> before_servers = [](Table&) {};
  /// What a list of services loses or repeats because the table is being resized.
  std::function<void(Plan&)> moved_list = [](Plan&) {};
  /// Answer every request with this.
  int refuse_all = 0;
  /// receive() says this once, after `answers_before_error` datagrams.
  int receive_error = 0;
  std::size_t answers_before_error = 0;
  /// A scheduler that is not among these is ENOENT; empty: all are known.
  std::set<std::string> schedulers;

  std::size_t datagrams = 0;
  std::size_t requests = 0;
  std::size_t largest_batch = 0;
  std::size_t services_asked = 0;  ///< by their keys
  std::size_t service_lists = 0;
  std::size_t server_lists = 0;
  std::deque<std::vector<std::uint8_t>> answers;
};

/// A link to `kernel`, which outlives it.
[[nodiscard]] std::unique_ptr<Link> link_to(FakeKernel& kernel);

/// The request as a step; nullopt when it is none.
[[nodiscard]] std::optional<Step> step_of(std::span<const std::uint8_t> request);

}  // namespace holdfast::ipvs::test
