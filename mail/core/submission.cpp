#include "mail/core/submission.hpp"

#include "core/base64.hpp"

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

/// Whether a relay repeats what it was told: itself, or as AUTH says it.
bool repeats_password(const std::optional<Login>& login, std::string_view said) {
  if (!login || login->password.empty()) return false;
  const auto has = [said](std::string_view part) { return said.find(part) != said.npos; };
  return has(login->password) || has(core::to_base64(login->password)) ||
         has(core::to_base64('\0' + login->user + '\0' + login->password));
}

std::string answer_of(int code, std::string_view words) {
  return fmt::format("{}{}{}", code, words.empty() ? "" : " ", words);
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& letter : out)
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  return out;
}

/// Words of a line of EHLO's answer: "AUTH PLAIN LOGIN", and "AUTH=PLAIN" of old servers.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t start = line.find_first_not_of(" =");
    if (start == std::string_view::npos) return words;
    line.remove_prefix(start);
    const std::size_t end = std::min(line.find_first_of(" ="), line.size());
    words.push_back(upper(line.substr(0, end)));
    line.remove_prefix(end);
  }
}

/// Whether a keyword of EHLO's answer, with this word behind it, is there. Empty: any.
bool offers(const std::vector<std::string>& lines, std::string_view keyword,
            std::string_view argument = {}) {
  return std::ranges::any_of(lines, [&](const std::string& line) {
    const std::vector<std::string> words = words_of(line);
    if (words.empty() || words.front() != keyword) return false;
    return argument.empty() || std::find(words.begin() + 1, words.end(), argument) != words.end();
  });
}

}  // namespace

Submission::Submission(Terms terms, std::vector<Parcel> parcels)
    : terms_(std::move(terms)), parcels_(std::move(parcels)), deliveries_(parcels_.size()) {}

std::string_view Submission::waits_for() const {
  switch (phase_) {
    case Phase::greeting:
      return "the greeting";
    case Phase::ehlo:
      return "EHLO";
    case Phase::helo:
      return "HELO";
    case Phase::starttls:
      return "STARTTLS";
    case Phase::handshake:
      return "the TLS handshake";
    case Phase::auth_plain:
    case Phase::auth_login:
    case Phase::auth_user:
    case Phase::auth_password:
      return "AUTH";
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
  if (phase_ == Phase::handshake && terms_.protection == Protection::starttls) return on_secured();
  if (phase_ == Phase::handshake) {
    is_secure_ = true;
    phase_ = Phase::greeting;
  }
  if (terms_.protection == Protection::implicit && !is_secure_) {
    phase_ = Phase::handshake;
    return Secure{};
  }
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
    reply.lines.push_back(printable(line.size() > 4 ? line.substr(4) : std::string_view()));
    if (line.size() > 3 && line[3] == '-') {
      start = end + 1;
      continue;
    }
    reply.code = code;
    // Looked for in all that it said: what is kept of it is shortened, and made printable.
    if (!repeats_password(terms_.login, std::string_view(input_).substr(0, end + 1)))
      reply.words = reply.lines.back();
    input_.erase(0, end + 1);
    return Progress::complete;
  }
}

std::string Submission::sentence(const Reply& reply) const {
  return fmt::format("the mail relay answered {} with {}", waits_for(),
                     answer_of(reply.code, reply.words));
}

Submission::Step Submission::on_reply(const Reply& reply) {
  const int kind = reply.code / 100;
  // RFC 5321 §3.8: it leaves, whatever it was asked.
  if (reply.code == 421) return break_off(sentence(reply));
  const auto verdict = kind == 5 ? Delivery::Verdict::refused : Delivery::Verdict::later;
  switch (phase_) {
    case Phase::greeting:
      if (kind != 2) return break_off(sentence(reply));
      return say(Phase::ehlo, fmt::format("EHLO {}", terms_.helo));
    case Phase::ehlo:
      return on_ehlo(reply);
    case Phase::helo:
      return on_helo(reply);
    case Phase::starttls:
      return on_starttls(reply);
    case Phase::auth_plain:
    case Phase::auth_login:
    case Phase::auth_user:
    case Phase::auth_password:
      return on_login(reply);
    case Phase::handshake:
      break;
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

Submission::Step Submission::on_ehlo(const Reply& reply) {
  const int kind = reply.code / 100;
  const bool is_to_be_secured = terms_.protection == Protection::starttls && !is_secure_;
  if (kind == 5 && !is_to_be_secured && !terms_.login)
    return say(Phase::helo, fmt::format("HELO {}", terms_.helo));
  if (kind != 2) return break_off(sentence(reply));
  if (is_to_be_secured) {
    if (!offers(reply.lines, "STARTTLS"))
      return break_off("the mail relay does not offer STARTTLS: nothing is sent in clear text");
    return say(Phase::starttls, "STARTTLS");
  }
  return terms_.login ? begin_login(reply) : begin_parcel();
}

Submission::Step Submission::on_helo(const Reply& reply) {
  return reply.code / 100 == 2 ? begin_parcel() : break_off(sentence(reply));
}

Submission::Step Submission::on_starttls(const Reply& reply) {
  if (reply.code / 100 != 2) return break_off(sentence(reply) + ": nothing is sent in clear text");
  // RFC 3207 §6: whoever sits between could put words into the protected talk.
  if (!input_.empty())
    return break_off("the mail relay said more behind its answer to STARTTLS, unprotected");
  phase_ = Phase::handshake;
  return Secure{};
}

// What was learnt before the handshake counts no more: RFC 3207 §4.2.
Submission::Step Submission::on_secured() {
  is_secure_ = true;
  return say(Phase::ehlo, fmt::format("EHLO {}", terms_.helo));
}

Submission::Step Submission::begin_login(const Reply& ehlo) {
  if (!is_secure_) return break_off("no password is told to a mail relay without TLS");
  const Login& login = *terms_.login;
  // RFC 4616; LOGIN was never written down as one.
  if (offers(ehlo.lines, "AUTH", "PLAIN")) {
    const std::string words = '\0' + login.user + '\0' + login.password;
    return say(Phase::auth_plain, "AUTH PLAIN " + core::to_base64(words));
  }
  if (offers(ehlo.lines, "AUTH", "LOGIN")) return say(Phase::auth_login, "AUTH LOGIN");
  return break_off(offers(ehlo.lines, "AUTH")
                       ? "the mail relay takes passwords by neither AUTH PLAIN nor AUTH LOGIN"
                       : "the mail relay does not offer AUTH: it asks for no password");
}

Submission::Step Submission::on_login(const Reply& reply) {
  const Login& login = *terms_.login;
  const int kind = reply.code / 100;
  if (kind == 2 && phase_ != Phase::auth_login && phase_ != Phase::auth_user) return begin_parcel();
  if (kind == 3 && phase_ == Phase::auth_login)
    return say(Phase::auth_user, core::to_base64(login.user));
  if (kind == 3 && phase_ == Phase::auth_user)
    return say(Phase::auth_password, core::to_base64(login.password));
  return break_off(fmt::format("the mail relay does not take the password of '{}': {}",
                               printable(login.user), answer_of(reply.code, reply.words)));
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
    delivery.why = fmt::format("the mail relay does not take mail for {}: {}", receiver,
                               answer_of(reply.code, reply.words));
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
