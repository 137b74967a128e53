// Replies of a mail server as they come in, in whatever pieces: RFC 5321 §4.2. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::core {

struct SmtpReply {
  int code = 0;
  /// Of its last line, cut and without what no terminal should see.
  std::string text{};
  /// "554 No SMTP service here".
  [[nodiscard]] std::string to_string() const;
  bool operator==(const SmtpReply&) const = default;
};

class SmtpReplyReader {
 public:
  /// RFC 5321 §4.5.3.1.5 allows 512 octets a line; servers write longer ones.
  static constexpr std::size_t kMaxLine = 4096;
  static constexpr std::size_t kMaxLines = 128;

  void feed(std::string_view bytes) { buffer_.append(bytes); }
  /// The next whole reply, of however many lines. Nothing more comes after a problem.
  [[nodiscard]] std::optional<SmtpReply> next();
  /// Why what has come in is no reply; empty: it may become one.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  /// True: the reply is whole.
  [[nodiscard]] bool read_line(std::string_view line, SmtpReply& reply);

  std::string buffer_;
  std::size_t lines_ = 0;  // of the reply that is not whole yet
  std::string problem_;
};

}  // namespace holdfast::core
