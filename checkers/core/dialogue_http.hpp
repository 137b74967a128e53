// HTTP_GET for one url: sends one request, reads the reply to its end, judges status and body.
// Pure: bytes in, next step out. Parsing is Boost.Beast's (which needs no socket), kept out of this
// header because it is slow to compile.
#pragma once

#include "checkers/core/dialogue.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace holdfast::checkers {

/// Headers larger than this are a malformed reply.
inline constexpr std::uint32_t kMaxHttpHeaderBytes = 64 * 1024;
/// Of a larger body only this much is read. With a digest that is a failure; without one the status
/// has decided.
inline constexpr std::uint64_t kMaxHttpBodyBytes = 8u << 20;
/// A chunk head with its extensions, or the trailers of a chunked reply, that go on for longer than
/// this without an end are a malformed reply: nothing of them is of use, so nothing is kept.
inline constexpr std::size_t kMaxHttpUnparsedBytes = 16 * 1024;
/// Headers and chunk heads together. A server that needs more cuts its body into crumbs; what is
/// read of it ends here, with the same consequence as at kMaxHttpBodyBytes.
inline constexpr std::uint64_t kMaxHttpFramingBytes = 128 * 1024;
/// A pattern is looked for in the head and so much of the body, give or take one reading.
inline constexpr std::size_t kMaxHttpMatchedBytes = 1u << 20;
/// Interim replies (100, 102, 103) before the real one; more are a malformed reply.
inline constexpr int kMaxInterimReplies = 8;

/// The request as sent. `target` is named in Host when the url has no virtualhost, with its port
/// unless that is 80, or 443 with TLS.
[[nodiscard]] std::string http_request(const HttpUrl& url, HttpVersion version,
                                       const core::Endpoint& target);

class HttpDialogue {
 public:
  HttpDialogue(HttpUrl url, HttpVersion version, const core::Endpoint& target);
  HttpDialogue(HttpDialogue&& other) noexcept;
  HttpDialogue& operator=(HttpDialogue&& other) noexcept;
  ~HttpDialogue();

  [[nodiscard]] Step advance(std::string_view received, bool peer_closed);

  /// Of the body, once there is a verdict and the url has a digest; empty: there is none.
  [[nodiscard]] const std::string& digest() const { return digest_; }
  /// Of the reply, once there is a verdict about it.
  [[nodiscard]] unsigned status() const;

 private:
  struct Reply;

  [[nodiscard]] Step read(std::string_view received, bool peer_closed);
  [[nodiscard]] std::optional<Verdict> parse();
  [[nodiscard]] std::optional<Verdict> refuse_excess();
  [[nodiscard]] Verdict judge();
  [[nodiscard]] std::optional<Verdict> judge_text(const ReplyPattern& wanted) const;

  HttpUrl url_;
  std::string request_;
  std::string digest_;
  bool sent_ = false;
  std::unique_ptr<Reply> reply_;
};

}  // namespace holdfast::checkers
