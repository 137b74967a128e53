#include "watchdog/io/trial_file.hpp"

#include "runtime/sealed_memfd.hpp"
#include "runtime/small_file.hpp"
#include "watchdog/io/loader_reply.hpp"

#include <charconv>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace holdfast::watchdog {

namespace {

constexpr std::size_t kLongest = runtime::kMaxSealedBytes + kMaxReplyBytes + 16384;

template <class Number>
bool take_line(std::string_view& text, Number& number) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return false;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + end, number);
  if (error != std::errc{} || stop != text.data() + end) return false;
  text.remove_prefix(end + 1);
  return true;
}

}  // namespace

TrialFile::TrialFile(const std::string& run_dir, std::string configuration)
    : path_(run_dir + "/trial"),
      configuration_(std::move(configuration)),
      boot_id_(runtime::boot_id()) {}

// The clock begins anew with each boot, and what is read after one is the file's last word.
std::string TrialFile::head() const {
  return fmt::format("holdfast-trial-1 {} {} {}\n", boot_id_, configuration_.size(),
                     configuration_);
}

core::Result<void> TrialFile::save(const RememberedTrial& trial) const {
  const auto snapshot = runtime::read_sealed_memfd(trial.snapshot.get());
  if (!snapshot) return snapshot.error();
  LoaderReply kept{.finished = {}, .directives = trial.directives};
  kept.finished.usable = true;
  kept.finished.roles = trial.roles;
  const std::string reply = encode_reply(kept);
  return runtime::replace_file(
      path_,
      fmt::format("{}{}\n{}\n{}{}", head(), trial.until.time_since_epoch().count(), reply.size(),
                  reply, *snapshot),
      0600);
}

core::Result<std::optional<RememberedTrial>> TrialFile::load() const {
  const auto text = runtime::read_small_file(path_, kLongest, runtime::Owner::ours);
  if (!text && text.error().system_errno == ENOENT) return std::nullopt;
  if (!text) return text.error();
  const std::string expected = head();
  std::string_view rest = *text;
  if (!rest.starts_with(expected)) return std::nullopt;
  rest.remove_prefix(expected.size());
  std::int64_t until = 0;
  std::size_t length = 0;
  if (!take_line(rest, until) || !take_line(rest, length) || length > rest.size())
    return core::fail("{} is not complete", path_);
  auto reply = decode_reply(rest.substr(0, length));
  if (!reply) return core::fail("{} is of another version", path_);
  auto snapshot = runtime::write_sealed_memfd("holdfast-configuration", rest.substr(length));
  if (!snapshot) return snapshot.error();
  return RememberedTrial{.until = core::Instant(core::Duration(until)),
                         .roles = reply->finished.roles,
                         .directives = std::move(reply->directives),
                         .snapshot = std::move(*snapshot)};
}

void TrialFile::remove() const {
  ::unlink(path_.c_str());
}

}  // namespace holdfast::watchdog
