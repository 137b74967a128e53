// The head of one HTTP request, as far as a page of numbers needs it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::ctl {

/// A longer head ends the connection.
inline constexpr std::size_t kMaxHeadBytes = 8192;

struct HttpRequest {
  bool is_head = false;  ///< HEAD: the answer has no body.
  std::string path;      ///< without what follows '?'
  std::string accept;
};

struct HttpRefusal {
  unsigned status = 400;
  std::string_view sentence;
};

class HttpHead {
 public:
  /// What arrived so far, from the first byte. True: there is a request or a refusal.
  [[nodiscard]] bool read(std::string_view bytes);
  [[nodiscard]] const std::optional<HttpRequest>& request() const { return request_; }
  [[nodiscard]] const HttpRefusal& refusal() const { return refusal_; }

 private:
  std::optional<HttpRequest> request_;
  HttpRefusal refusal_;
};

/// One answer; the connection is closed behind it.
[[nodiscard]] std::string http_answer(unsigned status, std::string_view content_type,
                                      std::string_view body, bool without_body);

}  // namespace holdfast::ctl
