#include "checkers/core/switches.hpp"

#include <algorithm>

namespace holdfast::checkers {
namespace {

constexpr std::string_view kHeader = "holdfast-found-switches-1";

bool is_defence(std::string_view name) {
  return name == "drop_entry" || name == "drop_packet" || name == "secure_tcp";
}

/// A file of one directory, and nothing else: the record is read by a process that may write there.
bool is_name(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

}  // namespace

bool is_as_wanted(std::string_view name, std::string_view wanted, std::string_view actual) {
  if (actual == wanted) return true;
  if (is_defence(name) && wanted == "1" && actual == "2") return true;
  return actual.starts_with(wanted) && actual.substr(wanted.size()).starts_with(' ');
}

SwitchPlan plan_switches(const Switches& wanted, const Switches& found, const Switches& actual) {
  SwitchPlan plan{.write = {}, .found = found, .absent = {}, .altered = {}};
  for (const auto& [name, value] : wanted) {
    const auto now = actual.find(name);
    if (now == actual.end()) {
      plan.absent.push_back(name);
      continue;
    }
    if (is_as_wanted(name, value, now->second)) continue;
    if (!plan.found.emplace(name, now->second).second) plan.altered.push_back(name);
    plan.write.emplace(name, value);
  }
  for (const auto& [name, value] : found) {
    if (wanted.contains(name)) continue;
    plan.found.erase(name);
    const auto now = actual.find(name);
    if (now != actual.end() && now->second != value) plan.write.emplace(name, value);
  }
  return plan;
}

std::string normal_value(std::string_view text) {
  std::string value;
  for (const char letter : text) {
    const bool is_blank = letter == ' ' || letter == '\t' || letter == '\n';
    if (!is_blank) value += letter;
    if (is_blank && !value.empty() && value.back() != ' ') value += ' ';
  }
  if (value.ends_with(' ')) value.pop_back();
  return value;
}

std::string_view kernel_of(std::string_view name) {
  if (name == "est_cpulist" || name == "est_nice") return "Linux 6.2";
  if (name == "conn_lfactor" || name == "svc_lfactor" || name == "conn_max") return "Linux 7.1";
  if (name == "run_estimation") return "Linux 5.17";
  return {};
}

std::string write_found(const Switches& found, std::string_view boot_id) {
  std::string text = fmt::format("{} {}\n", kHeader, boot_id);
  for (const auto& [name, value] : found) text += fmt::format("{} {}\n", name, value);
  return text;
}

core::Result<Switches> parse_found(std::string_view text, std::string_view boot_id) {
  Switches found;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t blank = std::min(line.find(' '), line.size());
    const std::string_view name = line.substr(0, blank);
    if (number == 1) {
      if (name != kHeader) break;
      if (line != fmt::format("{} {}", kHeader, boot_id)) return Switches{};
      if (text.empty()) return found;
      continue;
    }
    if (!is_name(name)) return core::fail("line {} names no switch: \"{}\"", number, line);
    found.emplace(name, normal_value(line.substr(blank)));
    if (text.empty()) return found;
  }
  return core::fail("line 1 is not \"{} …\"", kHeader);
}

}  // namespace holdfast::checkers
