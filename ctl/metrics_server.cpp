#include "ctl/metrics_server.hpp"

#include "ctl/client.hpp"
#include "ctl/http_request.hpp"
#include "ctl/listener.hpp"
#include "ctl/metrics.hpp"
#include "ctl/metrics_desk.hpp"
#include "ctl/readiness.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <list>
#include <unistd.h>

namespace holdfast::ctl {
namespace {

namespace asio = boost::asio;
using Protocol = asio::generic::stream_protocol;
using Socket = Protocol::socket;

/// For one more, the oldest that has sent no whole request, or does not take its answer, is closed.
constexpr std::size_t kMostConnections = 64;
/// For a whole request, and again for taking the whole answer.
constexpr auto kPatience = std::chrono::seconds(5);
/// After an accept that failed, as where no file can be opened.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

/// One connection: a request, its answer, the end.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Socket socket, MetricsDesk& desk)
      : socket_(std::move(socket)), desk_(desk), limit_(socket_.get_executor()) {}

  void begin(std::function<void()> ended) {
    ended_ = std::move(ended);
    be_patient();
    read();
  }
  /// False while it waits for the processes, as it should.
  [[nodiscard]] bool is_clients_turn() const { return is_clients_turn_; }
  void close() {
    boost::system::error_code ignored;
    limit_.cancel();
    socket_.close(ignored);
    if (auto ended = std::exchange(ended_, nullptr)) ended();
  }

 private:
  void be_patient() {
    limit_.expires_after(kPatience);
    limit_.async_wait([self = weak_from_this()](const boost::system::error_code& error) {
      if (const auto here = self.lock(); here && !error) here->close();
    });
  }
  void read() {
    socket_.async_read_some(asio::buffer(piece_),
                            [self = shared_from_this()](const auto& error, std::size_t count) {
                              if (error) return self->close();
                              self->on_bytes(count);
                            });
  }
  void on_bytes(std::size_t count) {
    head_.append(piece_.data(), count);
    HttpHead head;
    if (!head.read(head_)) return read();
    if (!head.request()) {
      const auto& [status, sentence] = head.refusal();
      return answer(status, "text/plain", sentence);
    }
    request_ = *head.request();
    respond();
  }
  void respond() {
    using Page = void (Session::*)(MetricsDesk::Round&);
    const Page page = request_.path == "/metrics"  ? &Session::tell_metrics
                      : request_.path == "/health" ? &Session::tell_health
                      : request_.path == "/ready"  ? &Session::tell_readiness
                                                   : nullptr;
    if (page == nullptr)
      return answer(404, "text/plain", "There are /metrics, /health and /ready.\n");
    limit_.cancel();
    is_clients_turn_ = false;
    desk_.want([self = shared_from_this(), page](MetricsDesk::Round& round) {
      self->is_clients_turn_ = true;
      ((*self).*page)(round);
    });
  }
  void tell_metrics(MetricsDesk::Round& round) {
    const Dialect dialect = dialect_for(request_.accept);
    body_ = round.page(dialect);
    answer(200, content_type(dialect), *body_);
  }
  void tell_health(MetricsDesk::Round& round) { tell(health(round.replies()), round); }
  void tell_readiness(MetricsDesk::Round& round) { tell(readiness(round.replies()), round); }
  void tell(boost::json::object page, const MetricsDesk::Round& round) {
    const bool ok = page.at("ok").as_bool();
    page["age_ms"] = round.age(runtime::now()) / std::chrono::milliseconds(1);
    answer(ok ? 200 : 503, "application/json", boost::json::serialize(page) + "\n");
  }

  // A page is shared with other sessions, and only its head is this one's own.
  void answer(unsigned status, std::string_view type, std::string_view body) {
    be_patient();
    const bool is_shared = body_ != nullptr;
    head_ = http_answer(status, type, body, is_shared || request_.is_head);
    std::vector<asio::const_buffer> parts{asio::buffer(head_)};
    if (is_shared && !request_.is_head) parts.push_back(asio::buffer(*body_));
    asio::async_write(socket_, parts, [self = shared_from_this()](const auto& error, std::size_t) {
      boost::system::error_code ignored;
      if (!error) self->socket_.shutdown(Socket::shutdown_both, ignored);
      self->close();
    });
  }

  Socket socket_;
  MetricsDesk& desk_;
  asio::steady_timer limit_;
  std::array<char, 2048> piece_{};
  std::string head_;  // of the request, then of the answer
  HttpRequest request_;
  std::shared_ptr<const std::string> body_;
  bool is_clients_turn_ = true;
  std::function<void()> ended_;
};

class Server {
 public:
  Server(asio::io_context& io, Listener listener, const Target& target)
      : desk_(io, target),
        acceptor_(io, Protocol(listener.family, 0), listener.socket.release()),
        pause_(io) {
    accept();
  }
  void stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    while (!sessions_.empty()) sessions_.front()->close();
  }

 private:
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, Socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error) {
        receive(std::move(socket));
        return accept();
      }
      pause_.expires_after(kAcceptPause);
      pause_.async_wait([this](const boost::system::error_code& stopped) {
        if (!stopped) accept();
      });
    });
  }
  void receive(Socket socket) {
    if (sessions_.size() >= kMostConnections) {
      const auto idle = std::ranges::find_if(
          sessions_, [](const auto& session) { return session->is_clients_turn(); });
      if (idle == sessions_.end()) return;
      const auto oldest = *idle;
      oldest->close();
    }
    const auto place =
        sessions_.insert(sessions_.end(), std::make_shared<Session>(std::move(socket), desk_));
    const auto session = *place;
    session->begin([this, place] { sessions_.erase(place); });
  }

  MetricsDesk desk_;
  asio::basic_socket_acceptor<Protocol> acceptor_;
  asio::steady_timer pause_;
  std::list<std::shared_ptr<Session>> sessions_;  // oldest first
};

int serve(const Target& target, const std::string& words) {
  const auto address = parse_listen_address(words);
  if (!address) return complain(address.error().message), kFailed;
  auto listener = listen_on(*address);
  if (!listener) return complain(listener.error().message), kFailed;
  asio::io_context io{1};
  Server server(io, std::move(*listener), target);
  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code&, int) {
    server.stop();
    io.stop();
  });
  remark(fmt::format("metrics are served on {}\n", words));
  io.run();
  if (const auto* path = std::get_if<SocketPath>(&*address)) ::unlink(path->path.c_str());
  return kDone;
}

}  // namespace

int metrics(const Target& target, const MetricsRequest& request) {
  if (!request.listen.empty()) return serve(target, request.listen);
  const Replies replies = ask_everybody(target);
  if (!anybody_answered(replies)) {
    complain(replies[0].problem.starts_with("not running") ? nobody(target) : replies[0].problem);
    return kNobodyAnswered;
  }
  say(render_metrics(replies, request.is_openmetrics ? Dialect::openmetrics : Dialect::prometheus,
                     runtime::iso8601_utc(runtime::now())));
  return kDone;
}

}  // namespace holdfast::ctl
