#include "mail/core/submission.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::mail {
namespace {

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

/// RFC 5321 §4.5.2, and the line that ends it all.
std::string stuffed(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  bool at_start = true;
  for (const char letter : text) {
    if (at_start && letter == '.') out += '.';
    out += letter;
    at_start = letter == '\n';
  }
  if (!at_start) out += "\r\n";
  return out + ".\r\n";
}

std::string printable(std::string_view words) {
  std::string clean;
  for (const char letter : words.substr(0, Submission::kMostWords))
    clean += letter >= ' ' && letter <= '~' ? letter : '?';
  return clean;
}

}  // namespace

Submission::Submission(std::string helo, std::vector<Parcel> parcels)
    : helo_(std::move(helo)), parcels_(std::move(parcels)), deliveries_(parcels_.size()) {}

std::string_view Submission::waits_for() const {
  switch (phase_) {
    case Phase::greeting:
      return "the greeting";
    case Phase::ehlo:
      return "EHLO";
    case Phase::helo:
      return "HELO";
    case Phase::mail:
      return "MAIL";
    case Phase::receiver:
      return "RCPT";
    case Phase::data:
      return "DATA";
    case Phase::text:
      return "the end of the letter";
    case Phase::reset:
      return "RSET";
    case Phase::quit:
      return "QUIT";
  }
  return {};
}

Submission::Step Submission::advance(std::string_view received, bool peer_closed) {
  if (is_over_) return Over{};
  input_ += received;
  Reply reply;
  switch (take_reply(reply)) {
    case Progress::complete:
      return on_reply(reply);
    case Progress::nonsense:
      return break_off(fmt::format("the mail relay answered nonsense to {}", waits_for()));
    case Progress::incomplete:
      break;
  }
  if (!peer_closed) return NeedMore{};
  return break_off(
      fmt::format("the mail relay closed the connection before it answered {}", waits_for()));
}

// "250-words" as often as it likes, then "250 words" or "250"; the same number in all of them.
Submission::Progress Submission::take_reply(Reply& reply) {
  std::size_t start = 0;
  int code = 0;
  while (true) {
    const std::size_t end = input_.find('\n', start);
    if (end > kMostReplyBytes) {
      if (input_.size() > kMostReplyBytes) return Progress::nonsense;
      if (end == std::string::npos) return Progress::incomplete;
    }
    std::string_view line(input_.data() + start, end - start);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, is_digit) ||
        (line.size() > 3 && line[3] != ' ' && line[3] != '-'))
      return Progress::nonsense;
    const int number = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (number < 200 || number > 599 || (start != 0 && number != code)) return Progress::nonsense;
    code = number;
    if (line.size() > 3 && line[3] == '-') {
      start = end + 1;
      continue;
    }
    reply = {code, printable(line.size() > 4 ? line.substr(4) : std::string_view())};
    input_.erase(0, end + 1);
    return Progress::complete;
  }
}

std::string Submission::sentence(const Reply& reply) const {
  return fmt::format("the mail relay answered {} with {}{}{}", waits_for(), reply.code,
                     reply.words.empty() ? "" : " ", reply.words);
}

Submission::Step Submission::on_reply(const Reply& reply) {
  const int kind = reply.code / 100;
  // RFC 5321 §3.8: it leaves, whatever it was asked.
  if (reply.code == 421) return break_off(sentence(reply));
  const auto verdict = kind == 5 ? Delivery::Verdict::refused : Delivery::Verdict::later;
  switch (phase_) {
    case Phase::greeting:
      if (kind != 2) return break_off(sentence(reply));
      return say(Phase::ehlo, fmt::format("EHLO {}", helo_));
    case Phase::ehlo:
      if (kind == 5) return say(Phase::helo, fmt::format("HELO {}", helo_));
      [[fallthrough]];
    case Phase::helo:
      if (kind != 2) return break_off(sentence(reply));
      return begin_parcel();
    case Phase::mail:
      if (kind != 2) return end_parcel(verdict, reply, true);
      return begin_receiver();
    case Phase::receiver:
      return on_receiver(reply);
    case Phase::data:
      if (kind != 3) return end_parcel(verdict, reply, true);
      output_ = stuffed(parcels_[at_].text);
      phase_ = Phase::text;
      return Send{output_};
    case Phase::text:
      if (kind == 2) return end_parcel(Delivery::Verdict::sent, reply, false);
      return end_parcel(verdict, reply, false);
    case Phase::reset:
      if (kind != 2) return break_off(sentence(reply));
      return begin_parcel();
    case Phase::quit:
      is_over_ = true;
      return Over{};
  }
  return Over{};
}

Submission::Step Submission::say(Phase phase, std::string command) {
  phase_ = phase;
  output_ = std::move(command) + "\r\n";
  return Send{output_};
}

Submission::Step Submission::begin_parcel() {
  if (at_ == parcels_.size()) return say(Phase::quit, "QUIT");
  receiver_ = 0;
  return say(Phase::mail, fmt::format("MAIL FROM:<{}>", parcels_[at_].sender));
}

Submission::Step Submission::begin_receiver() {
  const Parcel& parcel = parcels_[at_];
  if (receiver_ == parcel.receivers.size()) return after_receivers();
  return say(Phase::receiver, fmt::format("RCPT TO:<{}>", parcel.receivers[receiver_]));
}

Submission::Step Submission::on_receiver(const Reply& reply) {
  Delivery& delivery = deliveries_[at_];
  const std::string& receiver = parcels_[at_].receivers[receiver_];
  const int kind = reply.code / 100;
  if (kind == 2)
    ++delivery.accepted;
  else if (kind == 5)
    ++delivery.refused;
  else
    delivery.deferred.push_back(receiver);
  if (kind != 2)
    delivery.why = fmt::format("the mail relay does not take mail for {}: {} {}", receiver,
                               reply.code, reply.words);
  ++receiver_;
  return begin_receiver();
}

Submission::Step Submission::after_receivers() {
  Delivery& delivery = deliveries_[at_];
  if (delivery.accepted != 0) return say(Phase::data, "DATA");
  delivery.verdict =
      delivery.deferred.empty() ? Delivery::Verdict::refused : Delivery::Verdict::later;
  // Those that were refused for good are not asked for again.
  ++at_;
  return at_ == parcels_.size() ? begin_parcel() : say(Phase::reset, "RSET");
}

Submission::Step Submission::end_parcel(Delivery::Verdict verdict, const Reply& reply, bool reset) {
  Delivery& delivery = deliveries_[at_];
  delivery.verdict = verdict;
  if (verdict != Delivery::Verdict::sent) {
    delivery.why = sentence(reply);
    delivery.accepted = 0;
    delivery.deferred.clear();
  }
  ++at_;
  if (reset && at_ < parcels_.size()) return say(Phase::reset, "RSET");
  return begin_parcel();
}

Submission::Step Submission::break_off(const std::string& why) {
  fail(why);
  return Over{};
}

void Submission::fail(const std::string& why) {
  is_over_ = true;
  for (; at_ < parcels_.size(); ++at_) deliveries_[at_] = {.why = why};
}

}  // namespace holdfast::mail
