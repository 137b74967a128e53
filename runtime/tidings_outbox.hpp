// Tidings that have not had their last word: what waits for the process that runs scripts, and what
// a new one of it must be told again. A value; runtime/script_client.hpp moves what it holds.
#pragma once

#include "runtime/tidings.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>

namespace holdfast::runtime {

class TidingsOutbox {
 public:
  /// Lines that wait to be taken. Then the oldest is dropped for each new one, and counted with the
  /// next that is sent.
  static constexpr std::size_t kMostLines = 10'000;

  /// Numbers it. An older letter about the same subject that has not been settled is forgotten.
  void add(Tidings tidings);
  /// Something is to be sent.
  [[nodiscard]] bool has_unsent() const { return !unsent_.empty(); }
  /// The oldest such, which counts as sent from now on.
  [[nodiscard]] Tidings take_unsent();
  void on(const TidingsReport& report);
  /// The other side is gone: lines that it has not taken and letters that it has not settled are
  /// to be sent again.
  void on_disconnected();
  /// Some line has not been dealt with.
  [[nodiscard]] bool has_lines() const { return !with_line_.empty(); }

 private:
  using Entries = std::map<std::uint64_t, Tidings>;

  void drop_line(Tidings& tidings);
  void drop_letter(Tidings& tidings);
  void erase_if_empty(std::uint64_t id);

  Entries entries_;                               // with a line, a letter or both still open
  std::set<std::uint64_t> unsent_;                // of entries_
  std::map<std::string, std::uint64_t> letters_;  // of entries_, by subject
  std::set<std::uint64_t> with_line_;             // of entries_
  std::uint32_t lost_ = 0;
  std::uint64_t last_id_ = 0;
};

}  // namespace holdfast::runtime
