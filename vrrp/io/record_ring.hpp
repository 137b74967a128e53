// The last things that a process was told and decided, in memory that may outlive it. Lines are
// kept once: what repeats every second costs a few bytes. Written by the recorder on every wake-up,
// so it does nothing but write memory; read by whoever dumps it, possibly the next process.
//
// The memory has a head and kSegments parts that are filled in turn. Each part can be understood
// without the others, so overwriting the oldest loses only that.
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace holdfast::vrrp {

class RecordRing {
 public:
  static constexpr std::size_t kSegments = 4;
  static constexpr std::size_t kSegmentBytes = std::size_t{64} * 1024;
  static constexpr std::size_t kHeadBytes = 4096;
  static constexpr std::size_t kBytes = kHeadBytes + kSegments * kSegmentBytes;

  /// What a part holds.
  enum class Content : std::uint32_t {
    everything = 1,  ///< Begins with a life and can be played.
    changes = 2,     ///< An excerpt.
  };

  /// `memory`: kBytes, all zero. Must outlive this.
  explicit RecordRing(std::span<std::uint8_t> memory);

  /// The next part, in place of the oldest.
  void begin_segment(Content content);
  /// False: it does not fit into this part any more, and nothing was written.
  bool write(std::optional<core::Instant> at, std::string_view line);
  /// For a line that must fit, "gap" for example: a little room is kept for one.
  void write_last(std::string_view line);
  /// Of this part.
  [[nodiscard]] std::size_t bytes_left() const;

  /// One line as it was written; nullopt: without a time.
  using Line = std::function<void(std::optional<core::Instant> at, std::string_view line)>;
  /// All lines of the newest parts of the newest part's content, oldest first, as many parts as
  /// make at most `most_text` bytes but at least one. Memory from a crash, even damaged, is read as
  /// far as it makes sense. Returns what they are; nullopt: nothing is in it.
  static std::optional<Content> read(std::span<const std::uint8_t> memory, std::size_t most_text,
                                     const Line& line);

 private:
  bool append(std::optional<core::Instant> at, std::string_view line, std::size_t reserve);
  [[nodiscard]] std::span<std::uint8_t> segment(std::size_t index) const;

  std::span<std::uint8_t> memory_;
  std::size_t current_ = kSegments - 1;
  std::uint32_t sequence_ = 0;
  std::size_t used_ = 0;
  core::Instant last_{};
  std::unordered_map<std::string_view, std::uint32_t> numbers_;  // of lines in this part
};

}  // namespace holdfast::vrrp
