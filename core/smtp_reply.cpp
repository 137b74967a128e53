#include "core/smtp_reply.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::core {
namespace {

constexpr std::size_t kShownText = 120;

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

std::string shown(std::string_view text) {
  std::string safe(text.substr(0, kShownText));
  std::ranges::replace_if(
      safe, [](char letter) { return letter < ' ' || letter > '~'; }, '?');
  return safe;
}

}  // namespace

std::string SmtpReply::to_string() const {
  return text.empty() ? fmt::format("{}", code) : fmt::format("{} {}", code, text);
}

std::optional<SmtpReply> SmtpReplyReader::next() {
  while (problem_.empty()) {
    const std::size_t end = buffer_.find('\n');
    if (end == std::string::npos ? buffer_.size() > kMaxLine : end > kMaxLine) {
      problem_ = fmt::format("a line of more than {} bytes", kMaxLine);
      break;
    }
    if (end == std::string::npos) break;
    std::string_view line(buffer_.data(), end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    SmtpReply reply;
    const bool is_whole = read_line(line, reply);
    buffer_.erase(0, end + 1);
    if (!is_whole) continue;
    lines_ = 0;
    return reply;
  }
  return std::nullopt;
}

bool SmtpReplyReader::read_line(std::string_view line, SmtpReply& reply) {
  const bool has_code = line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && is_digit(line[1]) &&
                        is_digit(line[2]);
  const char separator = line.size() > 3 ? line[3] : ' ';
  if (!has_code || (separator != ' ' && separator != '-')) {
    problem_ = fmt::format("\"{}\" does not begin with a reply code", shown(line));
    return false;
  }
  if (++lines_ > kMaxLines) {
    problem_ = fmt::format("a reply of more than {} lines", kMaxLines);
    return false;
  }
  reply.code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  reply.text = shown(line.substr(std::min<std::size_t>(line.size(), 4)));
  return separator == ' ';
}

}  // namespace holdfast::core
