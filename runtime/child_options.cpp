#include "runtime/child.hpp"

#include <cerrno>
#include <charconv>

namespace holdfast::runtime {
namespace {

template <class Number>
bool parse_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

bool take_value(std::string_view name, std::string_view value, ChildOptions& options) {
  std::int64_t heartbeat_us = 0;
  if (name == "--role") {
    options.role = value;
  } else if (name == "--run-dir") {
    options.run_dir = value;
  } else if (name == "--pid-file") {
    options.pid_file = value;
  } else if (name == "--syslog-facility") {
    return parse_number(value, options.log.syslog_facility);
  } else if (name == "--log-file") {
    options.log.file = value;
  } else if (name == "--detail") {
    return parse_number(value, options.log.detail);
  } else if (name == "--channel-fd") {
    return parse_number(value, options.channel_fd);
  } else if (name == "--page-fd") {
    return parse_number(value, options.page_fd);
  } else if (name == "--heartbeat-us") {
    if (!parse_number(value, heartbeat_us) || heartbeat_us <= 0) return false;
    options.heartbeat_interval = core::Duration(heartbeat_us);
  } else {
    return false;
  }
  return true;
}

bool take_flag(std::string_view word, ChildOptions& options) {
  if (word == "--log-stderr") {
    options.log.to_stderr = true;
  } else if (word == "--log-json") {
    options.log.format = LogFormat::json;
  } else if (word == "--no-syslog") {
    options.log.to_syslog = false;
  } else if (word == "--keep-addresses") {
    options.keep_addresses = true;
  } else if (word == "--beside-vrrp") {
    options.beside_vrrp = true;
  } else if (word == "--keep-static") {
    options.keep_static = true;
  } else if (word == "--keep-ipvs") {
    options.keep_ipvs = true;
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::vector<std::string> to_arguments(const ChildOptions& options) {
  std::vector<std::string> words{
      "--role=" + options.role,
      "--run-dir=" + options.run_dir,
      fmt::format("--syslog-facility={}", options.log.syslog_facility),
      fmt::format("--detail={}", options.log.detail),
      fmt::format("--heartbeat-us={}", options.heartbeat_interval.count()),
      fmt::format("--channel-fd={}", options.channel_fd),
      fmt::format("--page-fd={}", options.page_fd),
  };
  if (!options.pid_file.empty()) words.push_back("--pid-file=" + options.pid_file);
  if (options.log.to_stderr) words.emplace_back("--log-stderr");
  if (!options.log.to_syslog) words.emplace_back("--no-syslog");
  if (!options.log.file.empty()) words.push_back("--log-file=" + options.log.file);
  if (options.log.format == LogFormat::json) words.emplace_back("--log-json");
  if (options.keep_addresses) words.emplace_back("--keep-addresses");
  if (options.beside_vrrp) words.emplace_back("--beside-vrrp");
  if (options.keep_static) words.emplace_back("--keep-static");
  if (options.keep_ipvs) words.emplace_back("--keep-ipvs");
  return words;
}

core::Result<ChildOptions> parse_child_arguments(std::span<const char* const> words) {
  ChildOptions options;
  for (const std::string_view word : words) {
    const std::size_t equals = word.find('=');
    const bool known = equals == std::string_view::npos
                           ? take_flag(word, options)
                           : take_value(word.substr(0, equals), word.substr(equals + 1), options);
    if (!known)
      return core::fail("child process was started with the word '{}', which it cannot use", word);
  }
  if (options.role.empty()) return core::fail("child process was started without --role");
  return options;
}

int exit_code_for(const core::Error& error) {
  constexpr int kFatal = 1;
  constexpr int kNoPermission = 4;
  return error.system_errno == EPERM || error.system_errno == EACCES ? kNoPermission : kFatal;
}

}  // namespace holdfast::runtime
