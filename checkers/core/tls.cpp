#include "checkers/core/tls.hpp"

#include <fmt/format.h>

#include "tls/client.hpp"
#include <array>

namespace holdfast::checkers {

namespace {

const tls::Context& context_of(const TlsSettings& settings) {
  return settings.shown ? *(*settings.shown)->context : tls::Context::lenient();
}

}  // namespace

std::string host_name(const std::string& host) {
  if (host.starts_with('[')) return {};
  const std::string name = host.substr(0, host.find(':'));
  return core::IpAddress::parse(host) || core::IpAddress::parse(name) ? std::string() : name;
}

struct TlsDialogue::Connection {
  explicit Connection(const TlsSettings& settings)
      : client(context_of(settings), settings.name),
        has_name(!settings.name.empty()),
        close(settings.close) {}

  tls::Client client;
  bool has_name;
  TlsClose close;
  bool is_open = false;  // the handshake is done
  std::string outgoing;  // a Send points to it
  std::size_t trailing = 0;
  std::optional<Verdict> verdict;  // waits for the server to close in order
};

TlsDialogue::TlsDialogue(TlsSettings settings, HttpDialogue inner)
    : settings_(std::move(settings)), inner_(std::move(inner)) {}
TlsDialogue::TlsDialogue(TlsDialogue&& other) noexcept = default;
TlsDialogue& TlsDialogue::operator=(TlsDialogue&& other) noexcept = default;
TlsDialogue::~TlsDialogue() = default;

Step TlsDialogue::advance(std::string_view received, bool peer_closed) {
  if (settings_.shown && !(*settings_.shown)->context)
    return Verdict{not_tried((*settings_.shown)->problem)};
  if (!connection_) connection_ = std::make_unique<Connection>(settings_);
  Connection& tls = *connection_;
  tls.client.feed(received);
  if (!tls.is_open) {
    if (auto step = shake_hands(peer_closed)) return std::move(*step);
    tls.is_open = true;
    return talk(inner_.advance({}, false), peer_closed);
  }
  return talk(NeedMore{}, peer_closed);
}

std::optional<Step> TlsDialogue::shake_hands(bool peer_closed) {
  switch (connection_->client.shake_hands()) {
    case tls::Client::Progress::done:
      return std::nullopt;
    case tls::Client::Progress::waits:
      return wait_or_send(peer_closed);
    case tls::Client::Progress::failed:
      break;
  }
  return trouble("the handshake failed");
}

/// What the inner dialogue wants, and then what has come in for it, until one of them has to wait.
Step TlsDialogue::talk(Step inner, bool peer_closed) {
  Connection& tls = *connection_;
  using Heard = tls::Client::Heard;
  std::array<char, 16384> plain;
  while (true) {
    if (auto* verdict = std::get_if<Verdict>(&inner)) {
      if (auto step = conclude(std::move(*verdict))) return std::move(*step);
    } else if (const auto* send = std::get_if<Send>(&inner)) {
      if (!tls.client.write(send->bytes)) return trouble("nothing can be sent");
    }
    const auto [heard, size] = tls.client.read(plain);
    if (heard == Heard::some) {
      const std::string_view text(plain.data(), size);
      if (tls.verdict) {
        tls.trailing += text.size();
        if (tls.trailing > kMaxTlsTrailingBytes)
          return Verdict{failed(Cause::malformed_reply, "the server goes on behind its reply")};
        inner = NeedMore{};
      } else {
        inner = inner_.advance(text, false);
      }
      continue;
    }
    if (heard == Heard::waits && !peer_closed) return wait_or_send(false);
    const bool in_order = heard == Heard::closed;
    if (heard == Heard::failed) return trouble("the reply cannot be read");
    if (tls.verdict && in_order) return *tls.verdict;
    if (tls.verdict || (!in_order && tls.close == TlsClose::in_order))
      return Verdict{failed(Cause::tls, "the server closed the connection without closing TLS")};
    inner = inner_.advance({}, true);
    if (!std::holds_alternative<Verdict>(inner))
      return Verdict{failed(Cause::closed_early, "the server closed the connection")};
    return inner;
  }
}

/// nullopt: the server is yet to close in order.
std::optional<Step> TlsDialogue::conclude(Verdict verdict) {
  if (verdict.outcome.result != Result::passed || connection_->close == TlsClose::as_it_likes)
    return verdict;
  connection_->verdict = std::move(verdict);
  return std::nullopt;
}

Step TlsDialogue::wait_or_send(bool peer_closed) {
  Connection& tls = *connection_;
  tls.outgoing = tls.client.take_outgoing();
  if (!tls.outgoing.empty()) return Send{tls.outgoing};
  if (peer_closed)
    return Verdict{
        failed(Cause::closed_early, "the server closed the connection in the handshake")};
  return NeedMore{};
}

Verdict TlsDialogue::trouble(std::string_view what) const {
  const tls::Trouble found = connection_->client.take_trouble();
  std::string sentence = fmt::format("TLS: {}: {}", what, found.words);
  if (found.is_alert && !connection_->has_name)
    sentence += " (no server name was sent; 'virtualhost' or 'sni_name' gives one)";
  return Verdict{failed(Cause::tls, std::move(sentence))};
}

}  // namespace holdfast::checkers
