#include "netlink_reflector/borrowed_settings.hpp"

#include "netlink_reflector/owned_file.hpp"
#include "runtime/small_file.hpp"
#include "runtime/unique_fd.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <unistd.h>

namespace holdfast::netlink {
namespace {

const std::string kRoot = "/proc/sys/net/";
constexpr std::size_t kLongestRecord = std::size_t{1} << 20;

/// Empty: there is none, or it is of another boot or network namespace.
core::Result<KernelSettings> read_record(const std::string& path) {
  const auto text = runtime::read_small_file(path, kLongestRecord);
  if (!text && text.error().system_errno == ENOENT) return KernelSettings{};
  if (!text) return text.error();
  const std::string scope = scope_of_record() + "\n";
  if (!text->starts_with(scope)) return KernelSettings{};
  auto recorded = parse_settings(std::string_view(*text).substr(scope.size()));
  if (!recorded) return core::fail("{} is not a list of settings", path);
  return *recorded;
}

}  // namespace

core::Result<std::string> read_setting(const std::string& path) {
  const runtime::UniqueFd fd(::open((kRoot + path).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 64> text{};
  const ssize_t size = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
  if (size < 0) return core::fail_errno(errno, "cannot read {}{}", kRoot, path);
  std::string value(text.data(), static_cast<std::size_t>(size));
  while (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

core::Result<void> write_setting(const std::string& path, const std::string& value) {
  const auto present = read_setting(path);
  if (!present && present.error().system_errno == ENOENT) return {};
  if (!present) return present.error();
  if (*present == value) return {};
  const runtime::UniqueFd fd(::open((kRoot + path).c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd || ::write(fd.get(), value.data(), value.size()) < 0)
    return core::fail_errno(errno, "cannot set {}{} to {}", kRoot, path, value);
  const auto after = read_setting(path);
  if (after && *after != value)
    return core::fail("{}{} was set to {} and is {}", kRoot, path, value, *after);
  return {};
}

KernelSettings settings_on_record(const std::string& path) {
  const auto recorded = read_record(path);
  return recorded ? *recorded : KernelSettings{};
}

core::Result<void> BorrowedSettings::load() {
  if (record_path_.empty()) return {};
  auto recorded = read_record(record_path_);
  if (!recorded) return recorded.error();
  before_ = std::move(*recorded);
  return {};
}

std::vector<core::Error> BorrowedSettings::want(const KernelSettings& wanted,
                                                const AskOthers& ask_others) {
  std::vector<core::Error> failed;
  const KernelSettings recorded = before_;
  std::optional<OtherBorrowers> others;
  for (const auto& [path, value] : wanted) {
    const auto present = read_setting(path);
    if (!present || before_.contains(path)) continue;
    if (*present != value) {
      before_.emplace(path, *present);
      continue;
    }
    // It is so already: by another director, perhaps, which knows what it was.
    if (!others) others = ask_others();
    if (const auto former = others->former.find(path); former != others->former.end())
      before_.insert(*former);
  }
  // Before anything is changed: whoever dies between the two has changed nothing.
  if (before_ != recorded) {
    if (auto noted = record(); !noted) failed.push_back(noted.error());
  }
  for (const auto& [path, value] : wanted) take(path, value, failed);
  const KernelSettings changed = before_;
  give_back(wanted, ask_others, failed);
  if (before_ != changed) {
    if (auto noted = record(); !noted) failed.push_back(noted.error());
  }
  return failed;
}

void BorrowedSettings::take(const std::string& path, const std::string& value,
                            std::vector<core::Error>& failed) {
  if (auto written = write_setting(path, value); !written) {
    failed.push_back(written.error());
  } else if (before_.contains(path)) {
    ours_[path] = value;
  }
}

// Two that end at the same time leave it to each other, and look once more when their devices have
// gone: the later one sees that it is the last.
void BorrowedSettings::give_back(const KernelSettings& wanted, const AskOthers& ask_others,
                                 std::vector<core::Error>& failed) {
  std::optional<OtherBorrowers> others;
  for (auto at = before_.begin(); at != before_.end();) {
    if (wanted.contains(at->first)) {
      ++at;
      continue;
    }
    if (!others) others = ask_others();
    if (others->former.contains(at->first) || others->needed.contains(at->first)) {
      ++at;
      continue;
    }
    const auto present = read_setting(at->first);
    const auto made = ours_.find(at->first);
    const bool is_as_we_left_it = present && (made == ours_.end() || *present == made->second);
    if (is_as_we_left_it) {
      if (auto written = write_setting(at->first, at->second); !written)
        failed.push_back(written.error());
    }
    if (made != ours_.end()) ours_.erase(made);
    at = before_.erase(at);
  }
}

void BorrowedSettings::leave_rest() {
  if (before_.empty()) return;
  before_.clear();
  ours_.clear();
  static_cast<void>(record());  // the next director would put back what is nobody's any more
}

core::Result<void> BorrowedSettings::record() const {
  if (record_path_.empty()) return {};
  return runtime::replace_file(record_path_, scope_of_record() + "\n" + write_settings(before_),
                               0644);
}

}  // namespace holdfast::netlink
