#include "checkers/core/dialogue_http.hpp"

#include "core/assertion.hpp"
#include "core/md5.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace holdfast::checkers {

namespace http = boost::beast::http;

namespace {

/// A body type for Beast that keeps a digest and a count, and a bounded text where one is matched.
struct DigestedBody {
  struct value_type {
    std::optional<core::Md5> md5;  // keepalived's genhash made the values in people's files
    std::optional<std::string> text;
    std::uint64_t bytes = 0;
  };
  class reader {
   public:
    template <bool is_request, class Fields>
    reader(http::header<is_request, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<std::uint64_t>&, boost::system::error_code& ec) { ec = {}; }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, boost::system::error_code& ec) {
      ec = {};
      std::size_t taken = 0;
      for (auto it = boost::asio::buffer_sequence_begin(buffers);
           it != boost::asio::buffer_sequence_end(buffers); ++it) {
        const boost::asio::const_buffer piece = *it;
        if (body_.md5) {
          body_.md5->feed({static_cast<const std::uint8_t*>(piece.data()), piece.size()});
        }
        if (body_.text && body_.text->size() < kMaxHttpMatchedBytes)
          body_.text->append(static_cast<const char*>(piece.data()), piece.size());
        taken += piece.size();
      }
      body_.bytes += taken;
      return taken;
    }
    void finish(boost::system::error_code& ec) { ec = {}; }

   private:
    value_type& body_;
  };
};

using Parser = http::response_parser<DigestedBody>;

constexpr std::string_view kReplyBegin = "HTTP/1.";

/// As far as it has come in.
bool begins_like_http(std::string_view text) {
  const std::size_t length = std::min(text.size(), kReplyBegin.size());
  return text.substr(0, length) == kReplyBegin.substr(0, length);
}

bool is_interim(unsigned status) {
  return status >= 100 && status < 200 && status != 101;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

}  // namespace

/// What has been read of the reply.
struct HttpDialogue::Reply {
  explicit Reply(const HttpUrl& url)
      : with_digest(!url.digest.empty()), with_text(url.pattern.has_value()) {
    start();
  }
  void take(std::string_view received) {
    unparsed.append(received);
    keep_head(received);
  }
  // The parser throws it away, and patterns are matched against it.
  void keep_head(std::string_view bytes) {
    if (!with_text || head_is_whole || head.size() > kMaxHttpHeaderBytes) return;
    head.append(bytes);
    const std::size_t end = head.find("\r\n\r\n");
    head_is_whole = end != std::string::npos;
    if (head_is_whole) head.resize(end + 4);
  }
  void start() {
    parser.emplace();
    begin_is_judged = false;
    consumed = 0;
    parser->header_limit(kMaxHttpHeaderBytes);
    parser->body_limit(
        boost::none);  // bounded by kMaxHttpBodyBytes below, which is no error by itself
    parser->eager(true);
    if (with_digest) parser->get().body().md5.emplace();
    if (!with_text) return;
    parser->get().body().text.emplace();
    head.clear();
    head_is_whole = false;
    keep_head(unparsed);  // behind an interim reply
  }
  [[nodiscard]] unsigned status() { return parser->get().result_int(); }

  bool with_digest;
  bool with_text;
  std::string head{};  // status line and headers, as they came
  bool head_is_whole = false;
  std::optional<Parser> parser;
  /// Bounded by the parser's header limit, later by kMaxHttpUnparsedBytes.
  std::string unparsed;
  std::uint64_t consumed = 0;  // of this reply, headers and framing included
  int interim = 0;
  bool begin_is_judged = false;
};

std::string http_request(const HttpUrl& url, HttpVersion version, const core::Endpoint& target) {
  std::string host = url.virtualhost;
  if (host.empty()) {
    host = target.address.is_v4() ? target.address.to_string()
                                  : fmt::format("[{}]", target.address.to_string());
    if (target.port != (url.tls ? 443 : 80)) host += fmt::format(":{}", target.port);
  }
  // The User-Agent is the one that people's log filters and servers know from keepalived.
  return fmt::format("GET {} HTTP/{}\r\nUser-Agent: KeepAliveClient\r\nHost: {}\r\n{}\r\n",
                     url.path, version == HttpVersion::http_1_1 ? "1.1" : "1.0", host,
                     version == HttpVersion::http_1_0 ? "" : "Connection: close\r\n");
}

HttpDialogue::HttpDialogue(HttpUrl url, HttpVersion version, const core::Endpoint& target)
    : url_(std::move(url)),
      request_(http_request(url_, version, target)),
      reply_(std::make_unique<Reply>(url_)) {}
HttpDialogue::HttpDialogue(HttpDialogue&&) noexcept = default;
HttpDialogue& HttpDialogue::operator=(HttpDialogue&&) noexcept = default;
HttpDialogue::~HttpDialogue() = default;

Step HttpDialogue::advance(std::string_view received, bool peer_closed) {
  if (!sent_) {
    // Servers do not speak first in HTTP; if one does, its bytes are the reply.
    sent_ = true;
    reply_->take(received);
    return Send{request_};
  }
  return read(received, peer_closed);
}

Step HttpDialogue::read(std::string_view received, bool peer_closed) {
  Reply& reply = *reply_;
  reply.take(received);
  for (;;) {
    if (auto verdict = parse()) return std::move(*verdict);
    if (!reply.parser->is_done() && peer_closed) {
      if (!reply.parser->got_some())
        return Verdict{
            failed(Cause::closed_early, "the server closed the connection without a reply")};
      boost::system::error_code ec;
      reply.parser->put_eof(ec);
      if (ec)
        return Verdict{
            failed(Cause::closed_early,
                   fmt::format("the server closed the connection in the middle of its {}",
                               reply.parser->is_header_done() ? "body" : "headers"))};
    }
    if (!reply.parser->is_done()) return NeedMore{};
    if (!is_interim(reply.status())) return judge();
    if (++reply.interim > kMaxInterimReplies)
      return Verdict{failed(Cause::malformed_reply, "too many interim replies")};
    reply.start();
    if (reply.unparsed.empty() && !peer_closed) return NeedMore{};
  }
}

/// Gives the parser what there is. A verdict only where the rest of the reply cannot change it.
std::optional<Verdict> HttpDialogue::parse() {
  Reply& reply = *reply_;
  // Judged here byte by byte, because the parser's opinion of a stranger's greeting depends on
  // how it was cut into packets.
  if (!reply.begin_is_judged && !begins_like_http(reply.unparsed))
    return Verdict{
        failed(Cause::malformed_reply, "not an HTTP reply: it does not begin with \"HTTP/1.\"")};
  reply.begin_is_judged = reply.begin_is_judged || reply.unparsed.size() >= kReplyBegin.size();
  boost::system::error_code ec;
  if (!reply.unparsed.empty() && !reply.parser->is_done()) {
    const std::size_t used =
        reply.parser->put(boost::asio::buffer(reply.unparsed.data(), reply.unparsed.size()), ec);
    reply.unparsed.erase(0, used);
    reply.consumed += used;
  }
  if (ec && ec != http::error::need_more)
    return Verdict{
        failed(Cause::malformed_reply, fmt::format("not an HTTP reply: {}", ec.message()))};
  if (reply.parser->is_done()) return std::nullopt;
  return refuse_excess();
}

std::optional<Verdict> HttpDialogue::refuse_excess() {
  Reply& reply = *reply_;
  if (!reply.parser->is_header_done()) return std::nullopt;  // the parser has its own limit there
  if (reply.unparsed.size() > kMaxHttpUnparsedBytes)
    return Verdict{failed(Cause::malformed_reply,
                          fmt::format("not an HTTP reply: a chunk's head, or the trailers, go on "
                                      "for more than {} bytes",
                                      kMaxHttpUnparsedBytes))};
  const std::uint64_t body = reply.parser->get().body().bytes;
  const std::uint64_t framing = reply.consumed - body;
  if (body <= kMaxHttpBodyBytes && framing <= kMaxHttpFramingBytes) return std::nullopt;
  if (!reply.with_digest) return judge();
  if (body > kMaxHttpBodyBytes)
    return Verdict{failed(
        Cause::body_too_long,
        fmt::format("the body is longer than {} bytes, too long for a digest", kMaxHttpBodyBytes))};
  return Verdict{failed(Cause::body_too_long,
                        fmt::format("the body comes in crumbs: {} bytes of chunk heads for {} "
                                    "bytes of it, too much for a digest",
                                    framing, body))};
}

unsigned HttpDialogue::status() const {
  return reply_->status();
}

Verdict HttpDialogue::judge() {
  const unsigned status = reply_->status();
  if (reply_->with_digest) digest_ = reply_->parser->get().body().md5->finish();
  const bool wanted = std::any_of(
      url_.statuses.begin(), url_.statuses.end(),
      [&](const StatusRange& range) { return status >= range.first && status <= range.last; });
  if (!wanted)
    return Verdict{failed(Cause::wrong_status, fmt::format("{}: status {} instead of {}", url_.path,
                                                           status, to_string(url_.statuses)))};
  if (reply_->with_digest && digest_ != lower(url_.digest))
    return Verdict{failed(Cause::wrong_digest, fmt::format("{}: digest {} instead of {}", url_.path,
                                                           digest_, lower(url_.digest)))};
  if (url_.pattern) {
    if (auto verdict = judge_text(*url_.pattern)) return std::move(*verdict);
  }
  return Verdict{passed(fmt::format("{}: status {}", url_.path, status))};
}

std::optional<Verdict> HttpDialogue::judge_text(const ReplyPattern& wanted) const {
  const auto pattern = core::Pattern::compile(wanted.text);
  if (!pattern) return Verdict{not_tried(pattern.error().message)};
  const auto found =
      pattern->is_in(reply_->head + reply_->parser->get().body().text.value_or(std::string()));
  if (!found)
    return Verdict{
        failed(Cause::wrong_content, fmt::format("{}: {}", url_.path, found.error().message))};
  if (*found != wanted.no_match) return std::nullopt;
  return Verdict{
      failed(Cause::wrong_content,
             fmt::format("{}: the reply {} '{}'", url_.path,
                         *found ? "has" : "has nothing that matches", wanted.text.regex))};
}

}  // namespace holdfast::checkers
