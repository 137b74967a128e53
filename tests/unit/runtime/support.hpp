// Helpers of the runtime tests: run a loop until something is true, with a limit that only a broken
// program reaches.
#pragma once

#include "runtime/clock.hpp"
#include "runtime/unique_fd.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace holdfast::runtime::testing {

inline constexpr core::Duration kLimit = std::chrono::seconds(20);

/// True when `done` became true; handlers run meanwhile.
inline bool run_until(boost::asio::io_context& io, const std::function<bool()>& done) {
  const core::Instant until = now() + kLimit;
  while (now() < until) {
    if (done()) return true;  // asked once: it may consume what it finds
    io.restart();
    io.run_one_for(std::chrono::milliseconds(20));
  }
  return false;
}

/// While it lives this process can open only `spare` more descriptors.
class NoMoreDescriptors {
 public:
  explicit NoMoreDescriptors(int spare) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    std::vector<UniqueFd> probes;
    for (int i = 0; i <= spare; ++i) probes.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(probes.back().get());
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

 private:
  rlimit before_{};
};

/// A directory of its own, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = "/tmp/holdfast-test-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace holdfast::runtime::testing
