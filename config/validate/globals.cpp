// global_defs beside the rest: mail that nobody sends, pipes with two writers, the sync daemon.
#include "config/tls_identity.hpp"
#include "config/validate/parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace holdfast::config::validation {
namespace {

bool wants_mail(const Model& model, SourceLocation& at) {
  for (const VrrpInstance& one : model.instances) {
    at = one.location;
    if (one.smtp_alert) return true;
  }
  for (const SyncGroup& one : model.sync_groups) {
    at = one.location;
    if (one.smtp_alert) return true;
  }
  for (const VirtualServer& one : model.services) {
    at = one.location;
    if (one.smtp_alert) return true;
  }
  return false;
}

void check_mail(const Context& context) {
  const Globals& globals = context.model.globals;
  if (!globals.smtp_server.empty() && !globals.notification_email.empty()) return;
  SourceLocation at;
  if (!wants_mail(context.model, at)) return;
  context.note(at, fmt::format("'smtp_alert' sends nothing without '{}' in global_defs",
                               globals.smtp_server.empty() ? "smtp_server" : "notification_email"));
}

bool shows_certificates(const Model& model) {
  return std::ranges::any_of(model.services, [](const VirtualServer& service) {
    return std::ranges::any_of(service.real_servers, [](const RealServer& server) {
      return std::ranges::any_of(server.checks, [](const Check& check) {
        const auto* http = std::get_if<HttpCheck>(&check);
        return http != nullptr && http->tls;
      });
    });
  });
}

// A director in the background is in / by the time it reads them.
void check_paths(const Context& context, const TlsIdentity& written) {
  const std::pair<std::string_view, std::string_view> paths[] = {
      {"certificate", written.certificate}, {"key", written.key}, {"ca", written.ca}};
  for (const auto& [word, path] : paths) {
    if (path.empty() || path.starts_with('/')) continue;
    context.warn(written.location,
                 fmt::format("'{}' of SSL should be an absolute path: a director in the background "
                             "looks for {} in /, and without it no SSL_GET is tried",
                             word, path),
                 "begin the path with /");
    return;
  }
}

void check_certificate(const Context& context) {
  const TlsIdentity& written = context.model.tls;
  if (written == TlsIdentity{} || !shows_certificates(context.model)) return;
  check_paths(context, written);
  if (written.certificate.empty() && written.key.empty())
    context.note(
        written.location,
        fmt::format("'{}' of SSL means nothing without a 'certificate': SSL_GET shows none",
                    written.ca.empty() ? "password" : "ca"),
        "name the file of the certificate, or take the SSL block away");
  if (const std::string why = unreadable_for_checkers(written); !why.empty())
    return context.warn(written.location,
                        why + ": SSL_GET is never tried, and says nothing about its servers",
                        "give the file to root, or take the SSL block away");
  const auto made = context_of(written, texts_of(written));
  // Whoever looks is not who runs the director, and perhaps not on its host.
  const int error = made ? 0 : made.error().system_errno;
  if ((error == EACCES || error == ENOENT) && !sees_every_file())
    context.note(written.location,
                 fmt::format("{}: whether SSL_GET can use it is seen where the director runs",
                             made.error().message));
  else if (!made)
    context.warn(written.location,
                 fmt::format("{}: SSL_GET is never tried, and says nothing about its servers",
                             made.error().message),
                 "mend it, or take the SSL block away: SSL_GET then shows no certificate");
}

// keepalived: "notify FIFO … has already been specified".
void drop_shared_pipes(const Context& context) {
  Globals& globals = context.model.globals;
  struct Pipe {
    std::string_view word;
    NotifyFifo* fifo;
  };
  const Pipe pipes[] = {{"notify_fifo", &globals.notify_fifo},
                        {"vrrp_notify_fifo", &globals.vrrp_notify_fifo},
                        {"lvs_notify_fifo", &globals.lvs_notify_fifo}};
  std::unordered_map<std::string, std::string_view> taken;
  for (const Pipe& pipe : pipes) {
    if (pipe.fifo->path.empty()) continue;
    const auto [first, is_new] = taken.emplace(pipe.fifo->path, pipe.word);
    if (is_new) continue;
    context.warn(globals.location,
                 fmt::format("'{}' and '{}' are the same pipe, {}: the second is left out",
                             first->second, pipe.word, pipe.fifo->path),
                 "'notify_fifo' gets the events of both processes");
    *pipe.fifo = {};
  }
}

void check_sync_daemon(const Context& context) {
  Model& model = context.model;
  if (!model.globals.lvs_sync_daemon || model.globals.lvs_sync_daemon->instance.empty()) return;
  const std::string& name = model.globals.lvs_sync_daemon->instance;
  std::vector<std::string_view> names;
  for (const VrrpInstance& instance : model.instances) {
    if (instance.name == name) {
      if (instance.virtual_addresses.empty() && instance.virtual_addresses_excluded.empty())
        context.warn(model.globals.location,
                     fmt::format("lvs_sync_daemon follows vrrp_instance '{}', which has no address "
                                 "to follow: it stays backup",
                                 name),
                     "name an instance with a virtual address");
      return;
    }
    names.push_back(instance.name);
  }
  const std::string_view near = nearest_word(name, names);
  context.warn(model.globals.location,
               fmt::format("lvs_sync_daemon follows vrrp_instance '{}', which does not exist: the "
                           "daemon is not started",
                           name),
               near.empty() ? "" : fmt::format("did you mean '{}'?", near));
  model.globals.lvs_sync_daemon.reset();
}

}  // namespace

void check_globals(const Context& context) {
  check_mail(context);
  check_certificate(context);
  drop_shared_pipes(context);
  check_sync_daemon(context);
}

}  // namespace holdfast::config::validation
