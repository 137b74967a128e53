#include "runtime/script_messages.hpp"

#include "runtime/message_fields.hpp"

namespace holdfast::runtime {
namespace {

constexpr std::uint8_t kJob = 1;
constexpr std::uint8_t kReport = 2;

using core::ByteReader;
using core::ByteWriter;

void put_command(ByteWriter& out, const core::Command& command) {
  put(out, command.what);
  put(out, command.argv);
  out.u32(command.user.uid);
  out.u32(command.user.gid);
  out.u32(static_cast<std::uint32_t>(command.user.groups.size()));
  for (const gid_t group : command.user.groups) out.u32(group);
  put(out, command.problem);
  put(out, command.limit);
  out.u8(command.security ? 1 : 0);
  put(out, command.environment);
}

core::Command take_command(ByteReader& in) {
  core::Command command;
  command.what = take_text(in);
  command.argv = take_texts(in);
  command.user.uid = in.u32();
  command.user.gid = in.u32();
  for (std::size_t count = take_count(in); count > 0 && in.ok(); --count)
    command.user.groups.push_back(in.u32());
  command.problem = take_text(in);
  command.limit = take_duration(in);
  command.security = in.u8() != 0;
  command.environment = take_texts(in);
  return command;
}

ScriptJob take_job(ByteReader& in) {
  ScriptJob job;
  job.id = take_number(in);
  job.subject = take_text(in);
  job.state = take_text(in);
  for (std::size_t count = take_count(in); count > 0 && in.ok(); --count)
    job.commands.push_back(take_command(in));
  return job;
}

}  // namespace

std::vector<std::uint8_t> encode(const ScriptJob& job) {
  std::vector<std::uint8_t> bytes;
  ByteWriter out(bytes);
  out.u8(kJob);
  put(out, job.id);
  put(out, job.subject);
  put(out, job.state);
  out.u32(static_cast<std::uint32_t>(job.commands.size()));
  for (const core::Command& command : job.commands) put_command(out, command);
  return bytes;
}

std::vector<std::uint8_t> encode(const ScriptReport& report) {
  std::vector<std::uint8_t> bytes;
  ByteWriter out(bytes);
  out.u8(kReport);
  put(out, report.job);
  out.u32(report.index);
  out.u8(static_cast<std::uint8_t>(report.what));
  out.u8(static_cast<std::uint8_t>(report.outcome.end));
  out.u8(static_cast<std::uint8_t>(report.outcome.by));
  out.u32(static_cast<std::uint32_t>(report.outcome.code));
  put(out, report.outcome.why);
  put(out, report.outcome.took);
  return bytes;
}

std::optional<ScriptJob> decode_script_job(std::span<const std::uint8_t> bytes) {
  ByteReader in(bytes);
  if (in.u8() != kJob) return std::nullopt;
  std::optional<ScriptJob> job = take_job(in);
  if (!in.ok() || in.remaining() != 0) job.reset();
  return job;
}

std::optional<ScriptReport> decode_script_report(std::span<const std::uint8_t> bytes) {
  ByteReader in(bytes);
  if (in.u8() != kReport) return std::nullopt;
  ScriptReport report;
  report.job = take_number(in);
  report.index = in.u32();
  const std::uint8_t what = in.u8();
  const std::uint8_t end = in.u8();
  const std::uint8_t by = in.u8();
  report.outcome.code = static_cast<std::int32_t>(in.u32());
  report.outcome.why = take_text(in);
  report.outcome.took = take_duration(in);
  if (!in.ok() || in.remaining() != 0) return std::nullopt;
  if (what > static_cast<std::uint8_t>(ScriptReport::What::ended) ||
      end > static_cast<std::uint8_t>(core::ScriptEnd::lost) ||
      by > static_cast<std::uint8_t>(core::EndedBy::farewell))
    return std::nullopt;
  report.what = static_cast<ScriptReport::What>(what);
  report.outcome.end = static_cast<core::ScriptEnd>(end);
  report.outcome.by = static_cast<core::EndedBy>(by);
  return report;
}

}  // namespace holdfast::runtime
