#include "config/builders/mail_words.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

constexpr std::uint16_t kSubmissions = 465;  // RFC 8314 §7.3
constexpr std::string_view kFile = "file:";

std::string_view first_that_wants_tls(const Globals& globals) {
  if (!globals.smtp_user.empty()) return "smtp_user";
  if (!globals.smtp_password.empty()) return "smtp_password";
  if (!globals.smtp_ca.empty()) return "smtp_ca";
  return globals.smtp_tls_name.empty() ? std::string_view() : "smtp_tls_name";
}

}  // namespace

void MailWords::look_at(const Tree& tree, std::uint32_t first) {
  const Schema& schema = Schema::instance();
  for (std::uint32_t at = first; at != kNoStatement; at = tree.statements[at].next) {
    const Statement& statement = tree.statements[at];
    const std::string_view name = schema[schema.canonical(statement.keyword)].name;
    if (name.starts_with("smtp_")) places_[name] = {statement.range, statement.word_count};
  }
}

void MailWords::finish(Globals& globals, Reporter& reporter) const {
  finish_login(globals, reporter);
  finish_name(globals, reporter);
  finish_paths(globals, reporter);
  finish_protection(globals, reporter);
  finish_port(globals);
}

const MailWords::Place* MailWords::find(std::string_view word) const {
  const auto found = places_.find(word);
  return found == places_.end() ? nullptr : &found->second;
}

void MailWords::finish_login(const Globals& globals, Reporter& reporter) const {
  if (globals.smtp_user.empty() == globals.smtp_password.empty()) return;
  const bool has_user = !globals.smtp_user.empty();
  const std::string_view word = has_user ? "smtp_user" : "smtp_password";
  reporter.note(find(word)->range,
                fmt::format("'{}' means nothing without '{}': nobody logs in to the mail relay",
                            word, has_user ? "smtp_password" : "smtp_user"));
}

// A dot in front would be taken for "any name below".
void MailWords::finish_name(Globals& globals, Reporter& reporter) const {
  std::string& name = globals.smtp_tls_name;
  while (name.ends_with('.')) name.pop_back();
  if (!name.starts_with('.')) return;
  reporter.warning(
      find("smtp_tls_name")->range,
      fmt::format("'smtp_tls_name' must be one name, not '{}': 'smtp_server' counts", name),
      "write the name that stands in the certificate of the mail relay");
  name.clear();
}

void MailWords::finish_protection(Globals& globals, Reporter& reporter) const {
  const std::string_view wants = first_that_wants_tls(globals);
  if (globals.smtp_tls != MailTls::off || wants.empty()) return;
  const bool is_login = wants == "smtp_user" || wants == "smtp_password";
  const Place* off = find("smtp_tls");
  if (off != nullptr && !is_login) {
    reporter.warning(off->range,
                     fmt::format("'{}' means nothing beside 'smtp_tls off': mail leaves in clear "
                                 "text",
                                 wants),
                     fmt::format("write 'smtp_tls starttls' or 'implicit', or remove '{}'", wants));
    globals.smtp_ca.clear();
    globals.smtp_tls_name.clear();
    return;
  }
  globals.smtp_tls = MailTls::starttls;
  const std::string_view why =
      is_login ? "a password is told over TLS only" : "a certificate is shown over TLS only";
  if (off == nullptr) {
    reporter.note(
        find(wants)->range,
        fmt::format("'{}' without 'smtp_tls': {}, so 'smtp_tls starttls' counts", wants, why));
    return;
  }
  reporter.warning(
      off->range,
      fmt::format("'smtp_tls off' beside '{}': {}, so 'smtp_tls starttls' counts", wants, why),
      fmt::format("write 'smtp_tls starttls' or 'implicit', or remove '{}'", wants));
}

void MailWords::finish_port(Globals& globals) const {
  const Place* server = find("smtp_server");
  if (server != nullptr && server->words < 2 && globals.smtp_tls == MailTls::implicit)
    globals.smtp_port = kSubmissions;
}

// A director in the background is in / by the time it reads them.
void MailWords::finish_paths(const Globals& globals, Reporter& reporter) const {
  const auto look = [&](std::string_view word, std::string_view path) {
    if (path.empty() || path.starts_with('/')) return;
    reporter.warning(find(word)->range,
                     fmt::format("'{}' should be an absolute path: a director in the background "
                                 "looks for it in /",
                                 word),
                     "begin the path with /");
  };
  look("smtp_ca", globals.smtp_ca);
  const std::string_view password = globals.smtp_password;
  if (password.starts_with(kFile)) look("smtp_password", password.substr(kFile.size()));
}

}  // namespace holdfast::config
