#include "mail/core/letter.hpp"

#include "core/base64.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

namespace holdfast::mail {
namespace {

// RFC 5322 §2.1.1: 998 at most, 78 wanted. A word that is longer than a line is encoded in pieces.
constexpr std::size_t kWantedLine = 76;
constexpr std::size_t kLongestLine = 900;
constexpr std::size_t kLongestWord = 200;
// RFC 2047 §2: a line with an encoded word has 76 at most; this many bytes make 52 letters.
constexpr std::size_t kEncodedBytes = 39;

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char letter) { return letter >= ' ' && letter <= '~'; });
}

bool has_long_word(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > kLongestWord) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

/// Not in the middle of a letter of UTF-8.
std::size_t piece_of(std::string_view text) {
  std::size_t end = std::min(kEncodedBytes, text.size());
  if (end == text.size()) return end;
  for (std::size_t back = 0; back < 3 && end > 1; ++back, --end)
    if ((static_cast<unsigned char>(text[end]) & 0xc0) != 0x80) return end;
  return kEncodedBytes;
}

std::string encoded_words(std::string_view text) {
  std::string words;
  while (!text.empty()) {
    const std::size_t size = piece_of(text);
    words += fmt::format("{}=?utf-8?B?{}?=", words.empty() ? "" : " ",
                         core::to_base64(text.substr(0, size)));
    text.remove_prefix(size);
  }
  return words;
}

/// What a header may hold: no control character can begin another one.
std::string header_text(std::string_view text) {
  std::string clean(text);
  for (char& letter : clean)
    if (static_cast<unsigned char>(letter) < ' ' || letter == '\x7f') letter = ' ';
  return is_plain(clean) && !has_long_word(clean) ? clean : encoded_words(clean);
}

std::string header(std::string_view name, std::string_view value) {
  std::string lines = fmt::format("{}:", name);
  std::size_t length = lines.size();
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(' ', 1), value.size());
    if (length + end + 1 > kWantedLine && length > name.size() + 1) {
      lines += "\r\n";
      length = 0;
    }
    lines += fmt::format("{}{}", value.front() == ' ' ? "" : " ", value.substr(0, end));
    length += end + 1;
    value.remove_prefix(end);
  }
  return lines + "\r\n";
}

std::string in_header(const Mailbox& box) {
  if (box.display.empty()) return box.address;
  if (!is_plain(box.display) || has_long_word(box.display))
    return fmt::format("{} <{}>", encoded_words(box.display), box.address);
  std::string quoted;
  for (const char letter : box.display) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  return fmt::format("\"{}\" <{}>", quoted, box.address);
}

std::string in_header(const std::vector<Mailbox>& boxes) {
  std::string list;
  for (const Mailbox& box : boxes)
    list += fmt::format("{}{}", list.empty() ? "" : ", ", in_header(box));
  return list;
}

std::string body_lines(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    do {
      const std::size_t size = std::min(line.size(), kLongestLine);
      for (const char letter : line.substr(0, size))
        lines += letter == '\r' || letter == '\0' ? ' ' : letter;
      lines += "\r\n";
      line.remove_prefix(size);
    } while (!line.empty());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

std::string mail_date(std::int64_t seconds) {
  using namespace std::chrono;
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_seconds moment{std::chrono::seconds(seconds)};
  const sys_days day = floor<days>(moment);
  const year_month_day date{day};
  const hh_mm_ss time{moment - day};
  return fmt::format("{}, {} {} {:04} {:02}:{:02}:{:02} +0000", kDays[weekday{day}.c_encoding()],
                     static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                     time.seconds().count());
}

std::string compose(const Letter& letter, const Settings& settings) {
  std::string body = letter.body;
  if (letter.overtaken != 0)
    body += fmt::format("\n{} older message{} about the same could not be sent before this one.\n",
                        letter.overtaken, letter.overtaken == 1 ? "" : "s");
  std::string text = header("Date", mail_date(letter.written_at));
  text += header("From", in_header(settings.sender));
  text += header("To", in_header(settings.receivers));
  text += header("Subject", header_text(fmt::format("[{}] {}", settings.router_id, letter.title)));
  text += header("Message-ID", fmt::format("<{}@{}>", letter.id, settings.helo));
  text += header("Auto-Submitted", "auto-generated");  // RFC 3834: no holiday answers
  text += header("X-Mailer", "Holdfast");
  text += header("MIME-Version", "1.0");
  text += header("Content-Type", "text/plain; charset=utf-8");
  text += header("Content-Transfer-Encoding", "8bit");
  return text + "\r\n" + body_lines(body);
}

}  // namespace holdfast::mail
