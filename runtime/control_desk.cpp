#include "runtime/control_desk.hpp"

#include "core/utf8.hpp"
#include "runtime/clock.hpp"
#include "runtime/control_session.hpp"
#include "runtime/process.hpp"
#include "runtime/signals.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <optional>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
/// After a connection that could not be accepted.
constexpr std::chrono::milliseconds kAcceptPause{200};

std::size_t descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return static_cast<std::size_t>(limit.rlim_cur);
}

/// Who is at the other end; asked of the kernel, not of the client. nullopt: it will not say.
std::optional<uid_t> user_of(ControlDesk::Socket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return std::nullopt;
  return peer.uid;
}

void turn_away(ControlDesk::Socket& socket) {
  constexpr std::string_view kWords =
      "{\"error\":\"too many clients: close some connections, or ask again later\"}\n";
  static_cast<void>(
      ::send(socket.native_handle(), kWords.data(), kWords.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

/// Names may hold any byte, JSON must be UTF-8: one that is not would cost the whole answer.
std::shared_ptr<const std::string> text_of(std::string answer) {
  answer += '\n';
  return std::make_shared<const std::string>(core::as_utf8(std::move(answer)));
}

}  // namespace

ControlSlots ControlSlots::within(std::size_t descriptors) {
  const std::size_t share = descriptors / 16;
  return {.owners = std::clamp<std::size_t>(share, 4, 32),
          .strangers = std::clamp<std::size_t>(share, 2, 64),
          .per_user = std::clamp<std::size_t>(share / 4, 2, 16)};
}

ControlDesk::ControlDesk(int listener, Wishes wishes)
    : wishes_(std::move(wishes)),
      owner_(::geteuid()),
      work_(asio::make_work_guard(io_)),
      acceptor_(io_, asio::local::stream_protocol(), listener),
      accept_pause_(io_),
      strangers_pace_(io_) {
  const SignalsBlocked blocked;  // they are for the loop
  thread_ = std::thread([this] { run(); });
}

ControlDesk::~ControlDesk() {
  asio::post(io_, [this] { shut(); });
  thread_.join();
}

void ControlDesk::run() {
  ::pthread_setname_np(::pthread_self(), "control");
  static_cast<void>(give_up_capabilities_of_this_thread());  // it only has less to lose
  accept();
  io_.run();
}

void ControlDesk::shut() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (const auto clients = clients_; const auto& [number, client] : clients) client->close();
  io_.stop();
}

// ---- connections ----

void ControlDesk::accept() {
  acceptor_.async_accept([this](boost::system::error_code error, Socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error) return accept_after_pause();
    receive(std::move(socket));
    accept();
  });
}

// Out of descriptors, the waiting client stays in the kernel's queue and would fail again at once.
void ControlDesk::accept_after_pause() {
  accept_pause_.expires_after(kAcceptPause);
  accept_pause_.async_wait([this](boost::system::error_code error) {
    if (!error) accept();
  });
}

void ControlDesk::receive(Socket socket) {
  const auto user = user_of(socket);
  if (!user) return;
  if (!has_slot(*user)) return turn_away(socket);
  const std::uint64_t number = ++last_client_;
  const auto client = std::make_shared<Client>(
      std::move(socket), *user, *user == 0 || *user == owner_,
      Client::Desk{.ask =
                       [this, number](bool may_change, json::object request) {
                         ask({number, may_change}, std::move(request));
                       },
                   .closed = [this, number] { closed(number); }});
  clients_.emplace(number, client);
  client->read();
}

bool ControlDesk::has_slot(uid_t uid) const {
  const ControlSlots slots = ControlSlots::within(descriptors());
  std::size_t owners = 0;
  std::size_t of_user = 0;
  for (const auto& [number, client] : clients_) {
    owners += client->is_owner() ? 1 : 0;
    of_user += client->user() == uid ? 1 : 0;
  }
  if (uid == 0 || uid == owner_) return owners < slots.owners;
  return clients_.size() - owners < slots.strangers && of_user < slots.per_user;
}

std::shared_ptr<ControlDesk::Client> ControlDesk::find(std::uint64_t client) const {
  const auto found = clients_.find(client);
  return found == clients_.end() ? nullptr : found->second;
}

void ControlDesk::closed(std::uint64_t client) {
  std::erase_if(strangers_, [&](const auto& each) { return each.first.client == client; });
  clients_.erase(client);
}

// ---- requests ----

void ControlDesk::ask(ControlCaller caller, json::object request) {
  const json::value* name = request.if_contains("command");
  if (name == nullptr || !name->is_string()) {
    if (const auto client = find(caller.client))
      client->say_error("the request names no \"command\"");
    return;
  }
  if (const std::string command(name->get_string()); documents_.contains(command))
    return want_document(caller, command);
  if (caller.may_change) return wishes_.answer(caller, std::move(request));
  strangers_.emplace_back(caller, std::move(request));
  if (!strangers_pause_) ask_for_next_stranger();
}

void ControlDesk::ask_for_next_stranger() {
  strangers_pause_ = !strangers_.empty();
  if (!strangers_pause_) return;
  auto [caller, request] = std::move(strangers_.front());
  strangers_.pop_front();
  wishes_.answer(caller, std::move(request));
  strangers_pace_.expires_after(kStrangersPace);
  strangers_pace_.async_wait([this](boost::system::error_code error) {
    if (!error) ask_for_next_stranger();
  });
}

void ControlDesk::give(std::uint64_t client, json::object answer) {
  asio::post(io_, [this, client, answer = std::move(answer)] {
    if (const auto found = find(client)) found->say(text_of(json::serialize(answer)));
  });
}

// ---- documents ----

void ControlDesk::give_document(ControlCaller caller, std::string command) {
  asio::post(io_, [this, caller, command = std::move(command)] { want_document(caller, command); });
}

void ControlDesk::want_document(ControlCaller caller, const std::string& command) {
  Document& document = documents_[command];
  if (document.latest && !caller.may_change) {
    if (const auto client = find(caller.client)) client->say(document.latest);
    return;
  }
  document.waiting.push_back(caller.client);
  begin(command);
}

// The loop works on a document at most half of its time: one that took long to make is followed by
// a pause of the same length.
void ControlDesk::begin(const std::string& command) {
  Document& document = documents_[command];
  if (document.in_work || document.pause || document.waiting.empty()) return;
  const core::Instant moment = now();
  const core::Instant may_begin = document.complete_at + (document.complete_at - document.begun_at);
  if (moment < may_begin) {
    document.pause = std::make_shared<asio::steady_timer>(io_, may_begin - moment);
    document.pause->async_wait([this, command](boost::system::error_code error) {
      if (error) return;
      documents_[command].pause.reset();
      begin(command);
    });
    return;
  }
  document.in_work = true;
  document.begun_at = moment;
  document.text.clear();
  document.served = std::exchange(document.waiting, {});
  wishes_.begin_document(command);
}

void ControlDesk::give_piece(std::string command, ControlPiece piece) {
  asio::post(io_, [this, command = std::move(command), piece = std::move(piece)] {
    take_piece(command, piece);
  });
}

void ControlDesk::take_piece(const std::string& command, const ControlPiece& piece) {
  if (!piece) return complete(command);
  piece(documents_[command].text);
  wishes_.next_piece(command);
}

void ControlDesk::complete(const std::string& command) {
  Document& document = documents_[command];
  const Text text = text_of(std::exchange(document.text, {}));
  document.complete_at = now();
  document.in_work = false;
  std::vector<std::uint64_t> asked_meanwhile;
  for (const std::uint64_t number : std::exchange(document.waiting, {})) {
    const auto client = find(number);
    auto& list = client && client->is_owner() ? asked_meanwhile : document.served;
    list.push_back(number);
  }
  document.waiting = std::move(asked_meanwhile);
  hold(text);
  for (const std::uint64_t number : std::exchange(document.served, {})) {
    const auto client = find(number);
    if (!client) continue;
    if (!client->is_owner()) keep_while_fresh(command, text);
    client->say(text);
  }
  begin(command);
}

void ControlDesk::keep_while_fresh(const std::string& command, const Text& text) {
  Document& document = documents_[command];
  if (document.latest == text) return;
  document.latest = text;
  document.freshness = std::make_shared<asio::steady_timer>(io_, kDocumentAge);
  document.freshness->async_wait([this, command](boost::system::error_code error) {
    if (!error) documents_[command].latest.reset();
  });
}

void ControlDesk::hold(const Text& text) {
  held_.emplace_back(text);
  std::erase_if(held_, [](const auto& each) { return each.expired(); });
  std::size_t bytes = 0;
  for (const auto& each : held_) bytes += each.lock()->size();
  while (bytes > kMaxHeldBytes && held_.size() > 1) {
    const Text oldest = held_.front().lock();
    held_.pop_front();
    bytes -= oldest->size();
    for (const auto clients = clients_; const auto& [number, client] : clients)
      if (client->is_taking(oldest)) client->close();
  }
}

}  // namespace holdfast::runtime
