#include "ctl/http_request.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

namespace holdfast::ctl {

namespace http = boost::beast::http;

bool HttpHead::read(std::string_view bytes) {
  if (bytes.find("\r\n\r\n") == std::string_view::npos) {
    if (bytes.size() < kMaxHeadBytes) return false;
    refusal_ = {431, "The head of the request is too long.\n"};
    return true;
  }
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kMaxHeadBytes);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (!parser.is_header_done()) {
    refusal_ = {400, "This is no HTTP request.\n"};
    return true;
  }
  const auto& head = parser.get();
  if (head.method() != http::verb::get && head.method() != http::verb::head) {
    refusal_ = {405, "Only GET and HEAD are answered here.\n"};
    return true;
  }
  const auto target = head.target();
  const std::string path(target.data(), target.size());
  const auto accept = head[http::field::accept];
  request_ = HttpRequest{head.method() == http::verb::head, path.substr(0, path.find('?')),
                         std::string(accept.data(), accept.size())};
  return true;
}

std::string http_answer(unsigned status, std::string_view content_type, std::string_view body,
                        bool without_body) {
  const auto reason = http::obsolete_reason(http::int_to_status(status));
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
      "Connection: close\r\n\r\n{}",
      status, std::string_view(reason.data(), reason.size()), content_type, body.size(),
      without_body ? "" : body);
}

}  // namespace holdfast::ctl
