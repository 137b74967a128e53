#include "scripts/correspondence.hpp"

#include "config/accounts.hpp"

#include <fmt/format.h>

namespace holdfast::scripts {
namespace {

mail::Protection protection_of(config::MailTls written) {
  switch (written) {
    case config::MailTls::off:
      break;
    case config::MailTls::starttls:
      return mail::Protection::starttls;
    case config::MailTls::implicit:
      return mail::Protection::implicit;
  }
  return mail::Protection::none;
}

mail::Settings mail_of(const config::Globals& globals, const std::string& host) {
  mail::Settings settings;
  settings.relay = globals.smtp_server;
  settings.port = globals.smtp_port;
  settings.patience = globals.smtp_connect_timeout;
  settings.helo = globals.smtp_helo_name.empty() ? host : globals.smtp_helo_name;
  settings.keys = {.protection = protection_of(globals.smtp_tls),
                   .user = globals.smtp_user,
                   .password = globals.smtp_password,
                   .authorities = globals.smtp_ca,
                   .name = globals.smtp_tls_name};
  settings.router_id = globals.router_id.empty() ? host : globals.router_id;
  settings.receivers = mail::mailboxes_of(globals.notification_email);
  const std::vector<mail::Mailbox> sender = mail::mailboxes_of({globals.notification_email_from});
  settings.sender =
      sender.empty() ? mail::Mailbox{.address = fmt::format("holdfast@{}", host)} : sender.front();
  return settings;
}

PipeSettings pipe_of(const config::NotifyFifo& written, const config::Model& model) {
  PipeSettings settings;
  settings.path = written.path;
  if (written.path.empty()) return settings;
  const config::Account owner = config::account_of(config::owner_of(written), model);
  settings.owner = {owner.uid, owner.gid, {}};
  settings.problem = owner.problem;
  if (!written.script) return settings;
  settings.reader = config::command_of(*written.script, model);
  settings.reader->argv.push_back(written.path);
  return settings;
}

// keepalived: enable_dbus.
PipeSettings bus_of(const config::Globals& globals, const Here& here) {
  PipeSettings settings;
  if (!globals.enable_dbus) return settings;
  settings.path = here.run_dir + "/dbus.fifo";
  settings.owner = here.user;
  settings.reader_is_ours = true;
  core::Command& reader = settings.reader.emplace();
  reader.user = here.user;
  reader.argv = here.bus_words;
  reader.argv.push_back("--service=" + globals.dbus_service_name);
  reader.argv.push_back("--no-interface=" + globals.dbus_no_interface_name);
  if (!globals.net_namespace.empty())
    reader.argv.push_back("--net-namespace=" + globals.net_namespace);
  if (!globals.instance.empty()) reader.argv.push_back("--instance=" + globals.instance);
  reader.argv.push_back(settings.path);
  return settings;
}

}  // namespace

std::string_view name_of(PipeKind kind) {
  switch (kind) {
    case PipeKind::all:
      return "notify_fifo";
    case PipeKind::vrrp:
      return "vrrp_notify_fifo";
    case PipeKind::lvs:
      return "lvs_notify_fifo";
    case PipeKind::bus:
      return "enable_dbus";
  }
  return {};
}

bool takes(PipeKind pipe, PipeKind line) {
  return pipe == PipeKind::all || pipe == line || (pipe == PipeKind::bus && line == PipeKind::vrrp);
}

Correspondence correspondence_of(const config::Model& model, const Here& here) {
  Correspondence all;
  all.mail = mail_of(model.globals, here.host);
  all.pipes = {pipe_of(model.globals.notify_fifo, model),
               pipe_of(model.globals.vrrp_notify_fifo, model),
               pipe_of(model.globals.lvs_notify_fifo, model), bus_of(model.globals, here)};
  for (std::size_t i = 0; i < kPipeKinds.size(); ++i)
    if (all.pipes[i].reader && !all.pipes[i].reader_is_ours)
      all.pipes[i].reader->what = fmt::format("{}_script", name_of(kPipeKinds[i]));
  return all;
}

}  // namespace holdfast::scripts
