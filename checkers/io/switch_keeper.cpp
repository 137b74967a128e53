#include "checkers/io/switch_keeper.hpp"

#include "checkers/messages.hpp"
#include "ipvs_wrapper/client.hpp"
#include "runtime/clock.hpp"
#include "runtime/small_file.hpp"
#include "runtime/unique_fd.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>
#include <utility>

namespace holdfast::checkers {
namespace {

constexpr std::size_t kLongestRecord = std::size_t{64} << 10;
constexpr std::string_view kDirectory = "/proc/sys/net/ipv4/vs/";

std::string file_of(std::string_view name) {
  return fmt::format("{}{}", kDirectory, name);
}

bool has_switches() {
  return ::access(file_of("").c_str(), F_OK) == 0;
}

}  // namespace

SwitchKeeper::SwitchKeeper(runtime::Loop& loop, runtime::Logger& logger, std::string record)
    : logger_(logger),
      record_(std::move(record)),
      boot_id_(runtime::boot_id()),
      timer_(loop.io(), [this] { work(); }) {}

void SwitchKeeper::configure(const SwitchSettings& settings) {
  load();
  state_.settings = settings;
  told_absent_.clear();
  // Asking for the family loads the module, and with it come its switches.
  if (!state_.settings.wanted.empty() && !has_switches()) static_cast<void>(ipvs::Client::open());
  work();
}

void SwitchKeeper::load() {
  if (std::exchange(loaded_, true)) return;
  const auto text = runtime::read_small_file(record_, kLongestRecord);
  if (!text) {
    if (text.error().system_errno != ENOENT)
      logger_.log_text(messages::kSwitchRecord, text.error().message);
    return;
  }
  auto found = parse_found(*text, boot_id_);
  if (!found) {
    logger_.log(messages::kSwitchRecord, "cannot use {}: {}", record_, found.error().message);
    return;
  }
  state_.found = std::move(*found);
}

void SwitchKeeper::work() {
  timer_.arm(std::nullopt);
  if (state_.settings.wanted.empty() && state_.found.empty()) return;
  timer_.arm(runtime::now() + kSwitchLookInterval);
  if (!has_switches()) {
    tell_trouble(fmt::format("there is no {}: ip_vs is not in this kernel", kDirectory));
    return;
  }
  const Switches before = std::exchange(state_.actual, read());
  const SwitchPlan plan = plan_switches(state_.settings.wanted, state_.found, state_.actual);
  tell_absent(plan.absent);
  for (const std::string& name : plan.altered) {
    // A value that we ourselves had asked for until now, or that was refused, is nobody's doing.
    const auto was = before.find(name);
    const std::string& wanted = state_.settings.wanted.at(name);
    if (was == before.end() || !is_as_wanted(name, wanted, was->second)) continue;
    ++state_.drift;
    logger_.log(messages::kSwitchDrift, "net.ipv4.vs.{} was {} instead of {}: put back", name,
                state_.actual[name], wanted);
  }
  // First where it can be found again, then the change.
  remember(plan.found);
  std::string refused = write(plan.write);
  state_.actual = read();
  for (const auto& [name, value] : state_.settings.wanted) {
    const auto now = state_.actual.find(name);
    if (refused.empty() && now != state_.actual.end() && !is_as_wanted(name, value, now->second))
      refused = fmt::format("net.ipv4.vs.{} is {} after {} was written", name, now->second, value);
  }
  tell_trouble(std::move(refused));
}

void SwitchKeeper::stop(bool keep) {
  timer_.arm(std::nullopt);
  if (keep || !state_.settings.restore_at_stop) return;
  state_.settings.wanted.clear();
  work();
  timer_.arm(std::nullopt);
}

Switches SwitchKeeper::read() const {
  Switches values;
  for (const Switches* list : {&state_.settings.wanted, &state_.found}) {
    for (const auto& [name, unused] : *list) {
      std::ifstream file(file_of(name));
      std::string line;
      if (file && std::getline(file, line)) values.emplace(name, normal_value(line));
    }
  }
  return values;
}

std::string SwitchKeeper::write(const Switches& values) {
  std::string refused;
  for (const auto& [name, value] : values) {
    const runtime::UniqueFd file(::open(file_of(name).c_str(), O_WRONLY | O_CLOEXEC));
    const bool done = file && ::write(file.get(), value.data(), value.size()) == std::ssize(value);
    if (done) {
      logger_.log(messages::kSwitchSet, "net.ipv4.vs.{} = {}", name, value);
      continue;
    }
    const auto sentence =
        core::fail_errno(errno, "the kernel refuses net.ipv4.vs.{} = {}", name, value);
    if (refused.empty()) refused = sentence.message;
  }
  return refused;
}

void SwitchKeeper::remember(const Switches& found) {
  if (found == state_.found) return;
  state_.found = found;
  constexpr mode_t kReadable = 0644;
  if (!state_.found.empty()) {
    const auto saved =
        runtime::replace_file(record_, write_found(state_.found, boot_id_), kReadable);
    if (!saved) logger_.log_text(messages::kSwitchRecord, saved.error().message);
    return;
  }
  std::error_code ignored;  // it was never there
  std::filesystem::remove(record_, ignored);
}

void SwitchKeeper::tell_absent(const std::vector<std::string>& absent) {
  if (absent == told_absent_) return;
  told_absent_ = absent;
  for (const std::string& name : absent) {
    const std::string_view since = kernel_of(name);
    logger_.log(messages::kSwitchAbsent, "this kernel has no net.ipv4.vs.{}{}", name,
                since.empty() ? std::string() : fmt::format(": it came with {}", since));
  }
}

void SwitchKeeper::tell_trouble(std::string sentence) {
  if (sentence == state_.trouble) return;
  state_.trouble = std::move(sentence);
  if (!state_.trouble.empty()) logger_.log_text(messages::kSwitchTrouble, state_.trouble);
}

}  // namespace holdfast::checkers
