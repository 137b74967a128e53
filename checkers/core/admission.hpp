// Which of the probes that are due may open their connection next, when there are fewer descriptors
// than probes. A value without sockets; used by checkers/io/probe_driver.cpp.
#pragma once

#include "checkers/core/action.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

namespace holdfast::checkers {

/// Descriptors that are left to everything but probes: clients of the control socket, scripts,
/// netlink, logs.
inline constexpr std::size_t kReservedDescriptors = 384;

/// How many connections a process may open that has so many descriptors: all but the reserve, or
/// half of them where they are few.
[[nodiscard]] std::size_t probe_limit(std::size_t descriptors);

class Admission {
 public:
  explicit Admission(std::size_t limit) : limit_(limit) {}

  /// The probe waits from now on.
  void enqueue(ProbeId id, Lane lane);
  /// The next one that may begin; it is open from then on. Lane::serving goes first, and
  /// Lane::fallen never gets the last quarter of the limit: dead servers keep theirs for as long as
  /// their time limit, and nobody who has an answer to give waits for that.
  [[nodiscard]] std::optional<ProbeId> admit();
  /// Whether admit() is worth calling.
  [[nodiscard]] bool has_next() const;
  /// It neither waits nor is open any more.
  void remove(ProbeId id);

  [[nodiscard]] std::size_t limit() const { return limit_; }
  [[nodiscard]] std::size_t open() const { return open_[0] + open_[1]; }
  [[nodiscard]] std::size_t waiting() const { return probes_.size() - open(); }

 private:
  enum class Place : std::uint8_t { waits, open };
  struct Entry {
    Lane lane;
    Place place;
  };

  [[nodiscard]] bool has_room(Lane lane) const;

  std::size_t limit_;
  std::unordered_map<ProbeId, Entry> probes_;
  /// By lane, in the order of enqueue(); whoever was removed meanwhile is skipped.
  std::array<std::deque<ProbeId>, 2> queues_;
  std::array<std::size_t, 2> open_{};
};

}  // namespace holdfast::checkers
