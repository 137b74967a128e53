#include "scripts/permitted.hpp"

#include "config/accounts.hpp"
#include "runtime/script_messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace holdfast::scripts {
namespace {

constexpr std::size_t kStateWords = 4;  // INSTANCE NAME STATE PRIORITY

/// One text for all that decides what is done. No word holds a zero byte: exec could not pass it.
std::string key_of(std::span<const std::string> argv, const core::Command& command) {
  std::string key = fmt::format("{} {} {}", command.user.uid, command.user.gid, command.security);
  for (const std::uint32_t group : command.user.groups) key += fmt::format(" {}", group);
  for (const std::string& word : argv) {
    key += '\0';
    key += word;
  }
  return key;
}

/// It can tell a program something, and steer neither its linker nor a shell.
bool is_harmless(const std::string& variable) {
  return variable.starts_with(core::kScriptVariables) && variable.find('\0') == std::string::npos;
}

bool has_zero_byte(const std::string& word) {
  return word.find('\0') != std::string::npos;
}

}  // namespace

Permitted::Permitted(const config::Model& model) {
  const auto add = [&](const config::Script& script, std::unordered_set<std::string>& to) {
    const core::Command command = config::command_of(script, model);
    // Who would run it is not known: it is not run at all.
    if (command.problem.empty()) to.insert(key_of(command.argv, command));
  };
  config::for_each_script(model, [&](const config::Script& script) { add(script, exact_); });
  for (const config::VrrpInstance& one : model.instances)
    if (one.notify) add(*one.notify, told_state_);
  for (const config::SyncGroup& one : model.sync_groups)
    if (one.notify) add(*one.notify, told_state_);
}

bool Permitted::allows(const core::Command& command) const {
  const std::span<const std::string> argv(command.argv);
  if (std::ranges::any_of(argv, has_zero_byte)) return false;
  if (!std::ranges::all_of(command.environment, is_harmless)) return false;
  if (exact_.contains(key_of(argv, command))) return true;
  if (argv.size() <= kStateWords) return false;
  const auto written = argv.first(argv.size() - kStateWords);
  const std::string& kind = argv[written.size()];
  return (kind == "INSTANCE" || kind == "GROUP") && told_state_.contains(key_of(written, command));
}

void PermittedLately::add(Permitted permitted) {
  generations_.push_front(std::move(permitted));
  if (generations_.size() > runtime::kScriptGenerations) generations_.pop_back();
}

bool PermittedLately::allows(const core::Command& command) const {
  return std::ranges::any_of(generations_,
                             [&](const Permitted& one) { return one.allows(command); });
}

}  // namespace holdfast::scripts
