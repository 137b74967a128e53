// The talk with a mail relay, without a socket: fed with what the server says, it answers what is
// to be said next. RFC 5321; EHLO, else HELO; STARTTLS (RFC 3207) and AUTH (RFC 4954) where they
// are wanted; one letter after the other in one session. Called by mail/postman.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace holdfast::mail {

/// One letter and who gets it.
struct Parcel {
  std::string sender{};                  ///< address
  std::vector<std::string> receivers{};  ///< addresses
  std::string text{};                    ///< lines ended by CRLF
  bool operator==(const Parcel&) const = default;
};

/// What became of one.
struct Delivery {
  enum class Verdict : std::uint8_t {
    sent,     ///< the server has it, for `accepted` of the receivers
    refused,  ///< for good
    later,    ///< nothing is decided: try again
  };
  Verdict verdict = Verdict::later;
  std::uint32_t accepted = 0;
  std::uint32_t refused = 0;  ///< receivers whom the server does not want, for good
  /// Whom alone it is still for: the others have it, or are refused for good.
  std::vector<std::string> deferred{};
  std::string why{};  ///< what the server said last against it, a sentence
  bool operator==(const Delivery&) const = default;
};

/// Against whom reads along. `starttls`: after a greeting in clear text (RFC 3207); `implicit`:
/// from the first byte (RFC 8314 §3.3).
enum class Protection : std::uint8_t { none, starttls, implicit };

struct Login {
  std::string user{};
  std::string password{};
  bool operator==(const Login&) const = default;
};

/// How a relay is talked to.
struct Terms {
  std::string helo{};
  Protection protection = Protection::none;
  /// Never said without protection: the talk ends before.
  std::optional<Login> login{};
  bool operator==(const Terms&) const = default;
};

class Submission {
 public:
  /// Of one reply: lines, and bytes in all. A server that says more talks nonsense.
  static constexpr std::size_t kMostReplyBytes = 8192;
  /// Of its words, kept for the operator.
  static constexpr std::size_t kMostWords = 200;

  struct NeedMore {
    bool operator==(const NeedMore&) const = default;
  };
  struct Send {
    std::string_view bytes;  ///< valid until the next call
    bool operator==(const Send&) const = default;
  };
  /// Shake hands for TLS, throw away what came before, then call advance again with nothing.
  struct Secure {
    bool operator==(const Secure&) const = default;
  };
  struct Over {
    bool operator==(const Over&) const = default;
  };
  using Step = std::variant<NeedMore, Send, Secure, Over>;

  Submission(Terms terms, std::vector<Parcel> parcels);

  /// `received` may be any piece of what the server says, or nothing.
  [[nodiscard]] Step advance(std::string_view received, bool peer_closed);
  /// The talk cannot go on: `why` is what becomes of all that is not decided.
  void fail(const std::string& why);
  /// Of the first `decided()` parcels it is final.
  [[nodiscard]] const std::vector<Delivery>& deliveries() const { return deliveries_; }
  [[nodiscard]] std::size_t decided() const { return at_; }
  /// What the server is to answer now: "the end of the letter".
  [[nodiscard]] std::string_view waits_for() const;

 private:
  enum class Phase : std::uint8_t {
    greeting,
    ehlo,
    helo,
    starttls,
    handshake,
    auth_plain,
    auth_login,
    auth_user,
    auth_password,
    mail,
    receiver,
    data,
    text,
    reset,
    quit
  };
  struct Reply {
    int code = 0;
    std::string words{};               ///< of the last line
    std::vector<std::string> lines{};  ///< all of them
  };
  enum class Progress : std::uint8_t { incomplete, complete, nonsense };

  Progress take_reply(Reply& reply);
  Step on_reply(const Reply& reply);
  Step on_ehlo(const Reply& reply);
  Step on_helo(const Reply& reply);
  Step on_starttls(const Reply& reply);
  Step on_secured();
  Step on_login(const Reply& reply);
  Step on_receiver(const Reply& reply);
  Step begin_login(const Reply& ehlo);
  Step say(Phase phase, std::string command);
  Step begin_parcel();
  Step begin_receiver();
  Step after_receivers();
  Step end_parcel(Delivery::Verdict verdict, const Reply& reply, bool reset);
  Step break_off(const std::string& why);
  [[nodiscard]] std::string sentence(const Reply& reply) const;

  Terms terms_;
  bool is_secure_ = false;
  std::vector<Parcel> parcels_;
  std::vector<Delivery> deliveries_;
  Phase phase_ = Phase::greeting;
  std::size_t at_ = 0;        // the parcel
  std::size_t receiver_ = 0;  // of it
  std::string input_;
  std::string output_;
  bool is_over_ = false;
};

}  // namespace holdfast::mail
