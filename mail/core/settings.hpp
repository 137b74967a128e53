// How mail leaves this host, as the configuration has it. A value that the process that runs
// scripts makes and that composing and submitting ask.
#pragma once

#include "core/time.hpp"

#include "mail/core/submission.hpp"
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::mail {

/// Somebody with a mailbox: "Ops Team" <ops@example.org>.
struct Mailbox {
  std::string display{};  ///< empty: none
  std::string address{};
  bool operator==(const Mailbox&) const = default;
};

/// Where the password is, and who is believed. Paths are read by the process that carries mail,
/// for each session: what is changed there counts at the next.
struct Keys {
  Protection protection = Protection::none;  ///< holdfast: smtp_tls
  std::string user{};                        ///< holdfast: smtp_user; empty: nobody logs in
  std::string password{};                    ///< holdfast: smtp_password; itself, or file:PATH
  std::string authorities{};                 ///< holdfast: smtp_ca; a path. Empty: the host's
  std::string name{};                        ///< holdfast: smtp_tls_name; in the certificate
  bool operator==(const Keys&) const = default;
};

struct Settings {
  std::string relay{};  ///< host name or address; keepalived: smtp_server
  std::uint16_t port = 25;
  core::Duration patience = std::chrono::seconds(30);  ///< keepalived: smtp_connect_timeout
  std::string helo{};                                  ///< keepalived: smtp_helo_name
  Mailbox sender{};                                    ///< keepalived: notification_email_from
  std::vector<Mailbox> receivers{};                    ///< keepalived: notification_email
  Keys keys{};
  std::string router_id{};  ///< stands in front of every subject

  /// Whoever asks for mail without these two gets none; the reader has said so.
  [[nodiscard]] bool is_complete() const { return !relay.empty() && !receivers.empty(); }
  bool operator==(const Settings&) const = default;
};

/// Words of a list of addresses. A word in <> belongs to the words without an @ before it, which
/// are then a name: keepalived takes each word for an address of its own.
[[nodiscard]] std::vector<Mailbox> mailboxes_of(const std::vector<std::string>& words);

}  // namespace holdfast::mail
