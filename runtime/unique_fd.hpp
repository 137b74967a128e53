// A file descriptor with one owner. Used by every shell; a core never sees one.
#pragma once

#include <utility>

namespace holdfast::runtime {

/// Closes the descriptor when it goes out of scope. -1 means: holds nothing.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  /// Gives the descriptor away; the caller closes it.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  /// Closes what is held and takes `fd` instead.
  void reset(int fd = -1);
  /// A second descriptor of the same open file (close-on-exec); holds nothing when the limit is
  /// reached.
  [[nodiscard]] UniqueFd duplicate() const;

 private:
  int fd_ = -1;
};

}  // namespace holdfast::runtime
