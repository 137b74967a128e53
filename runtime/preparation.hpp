// The first of the two steps in which a configuration comes into use, prepare and commit: sealed
// bytes become what a process runs, beside the loop.
#pragma once

#include "core/result.hpp"
#include "runtime/memory.hpp"
#include "runtime/process.hpp"
#include "runtime/sealed_memfd.hpp"
#include "runtime/side_threads.hpp"
#include "runtime/unique_fd.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace holdfast::runtime {

template <class Plan>
class Preparation {
 public:
  using Done = std::function<void(core::Result<void>)>;
  /// Runs beside the loop, without capabilities, and touches nothing that is shared.
  using Read = std::function<core::Result<Plan>(std::string_view bytes)>;
  /// Runs in the loop: whether the process can do what was read.
  using Accept = std::function<core::Result<void>(const Plan& plan)>;

  Preparation(boost::asio::io_context& io, Read read, Accept accept)
      : read_(std::move(read)), accept_(std::move(accept)), threads_(io) {}

  /// Replaces the one before, whose `done` is not called any more if it has not been.
  void begin(UniqueFd snapshot, Done done) {
    abort();
    const auto plan = std::make_shared<std::optional<core::Result<Plan>>>();
    const auto fd = std::make_shared<UniqueFd>(std::move(snapshot));
    const auto started = threads_.run(
        [read = read_, plan, fd] {
          plan->emplace(read_sealed(read, fd->get()));
          return_free_memory();  // the model was several times as large as what came of it
          return_idle_code();
        },
        [this, number = number_, plan, done] {
          if (number == number_) done(take_over(std::move(**plan)));
        });
    if (!started) done(core::fail("cannot read the configuration: {}", started.error().message));
  }

  void abort() {
    ++number_;
    plan_.reset();
  }

  /// What was prepared last, once; nullopt: nothing, or not yet.
  [[nodiscard]] std::optional<Plan> take() { return std::exchange(plan_, std::nullopt); }

 private:
  static core::Result<Plan> read_sealed(const Read& read, int snapshot) {
    if (auto given_up = give_up_capabilities_of_this_thread(); !given_up) return given_up.error();
    const auto bytes = read_sealed_memfd(snapshot);
    if (!bytes) return bytes.error();
    return read(*bytes);
  }

  core::Result<void> take_over(core::Result<Plan> plan) {
    if (!plan) return plan.error();
    if (auto accepted = accept_(*plan); !accepted) return accepted;
    plan_ = std::move(*plan);
    return {};
  }

  Read read_;
  Accept accept_;
  std::uint64_t number_ = 0;  ///< of the last begin() or abort()
  std::optional<Plan> plan_;
  SideThreads threads_;
};

}  // namespace holdfast::runtime
