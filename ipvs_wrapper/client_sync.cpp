// Synchronisation daemons and timeouts: single requests, each answered at once.
#include "ipvs_wrapper/client.hpp"
#include "ipvs_wrapper/explain.hpp"

namespace holdfast::ipvs {

core::Result<SyncDaemons> Client::sync_daemons() {
  out_.clear();
  append_list_sync(out_, {family_, ++sequence_});
  const auto answers = exchange("read the IPVS sync daemons", sequence_, core::Family::v4);
  if (!answers) return answers.error();
  SyncDaemons found;
  for (const Reply& reply : answers->replies)
    if (const auto* one = std::get_if<SyncReply>(&reply.body))
      found.insert_or_assign(one->role, one->daemon);
  return found;
}

core::Result<Timeouts> Client::timeouts() {
  out_.clear();
  append_timeouts_request(out_, {family_, ++sequence_});
  const auto answers = exchange("read the IPVS timeouts", sequence_, core::Family::v4);
  if (!answers) return answers.error();
  for (const Reply& reply : answers->replies)
    if (const auto* one = std::get_if<Timeouts>(&reply.body)) return *one;
  return core::fail("the kernel told no IPVS timeouts");
}

core::Result<void> Client::command(const SyncCommand& command) {
  out_.clear();
  append_sync_command(out_, {family_, ++sequence_}, command);
  const auto answers = exchange("use IPVS", sequence_, core::Family::v4);
  if (answers || is_already_true(command, answers.error().system_errno)) return {};
  return core::Error{explain(command, answers.error().system_errno), answers.error().system_errno};
}

}  // namespace holdfast::ipvs
