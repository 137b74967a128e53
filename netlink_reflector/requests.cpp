#include "netlink_reflector/requests.hpp"

#include <algorithm>
#include <cerrno>

namespace holdfast::netlink {

std::vector<StepResult> Requests::send(std::span<const Step> steps) {
  return send(steps.size(), [steps](std::size_t at, std::uint32_t sequence, Bytes& datagram) {
    append_step(steps[at], sequence, datagram);
  });
}

std::vector<StepResult> Requests::send(std::size_t count, const Append& append) {
  std::vector<StepResult> results;
  results.reserve(count);
  while (results.size() < count)
    send_chunk(std::min(count - results.size(), kMaxInFlight), append, results);
  return results;
}

void Requests::send_chunk(std::size_t count, const Append& append,
                          std::vector<StepResult>& results) {
  const std::uint32_t first = next_sequence_;
  const std::size_t offset = results.size();
  Bytes datagram;
  for (std::size_t at = 0; at < count; ++at) append(offset + at, next_sequence_++, datagram);
  results.resize(offset + count, StepResult{ENOBUFS, "no answer"});

  if (const int error = socket_.send(datagram); error != 0) {
    std::fill(results.begin() + static_cast<std::ptrdiff_t>(offset), results.end(),
              StepResult{error, {}});
    return;
  }
  std::size_t missing = count;
  while (missing > 0) {
    const RouteSocket::Read read = socket_.read();
    if (read.outcome == ReadOutcome::overrun) continue;
    if (read.outcome != ReadOutcome::data) return;
    decode_datagram(read.datagram, [&](const Message& message) {
      const auto* answer = std::get_if<Answer>(&message.payload);
      const std::size_t at = message.sequence - first;
      if (answer == nullptr || at >= count) return;  // a late answer to an older request
      results[offset + at] = {answer->system_errno, answer->text};
      --missing;
    });
  }
}

core::Result<void> Requests::dump(const std::function<Bytes(std::uint32_t)>& encode,
                                  const std::function<void()>& start,
                                  const std::function<void(const Payload&)>& take,
                                  std::string_view what) {
  int error = 0;
  for (int attempt = 0; attempt < kMaxDumpAttempts; ++attempt) {
    const std::uint32_t sequence = next_sequence_++;
    start();
    error = socket_.send(encode(sequence));
    if (error == 0) error = read_dump(sequence, take);
    if (error == 0) return {};
  }
  return core::fail_errno(error, "cannot read {} from the kernel", what);
}

int Requests::read_dump(std::uint32_t sequence, const std::function<void(const Payload&)>& take) {
  bool done = false;
  bool interrupted = false;
  int error = 0;
  while (!done) {
    const RouteSocket::Read read = socket_.read();
    if (read.outcome == ReadOutcome::nothing) return ENOBUFS;
    if (read.outcome != ReadOutcome::data) return read.system_errno;
    decode_datagram(read.datagram, [&](const Message& message) {
      if (message.sequence != sequence) return;  // the rest of an abandoned dump
      interrupted = interrupted || message.interrupted;
      if (const auto* end = std::get_if<DumpDone>(&message.payload)) {
        done = true;
        error = end->system_errno;
      } else if (const auto* refused = std::get_if<Answer>(&message.payload)) {
        done = true;
        error = refused->system_errno;
      } else {
        take(message.payload);
      }
    });
  }
  return error == 0 && interrupted ? EINTR : error;
}

}  // namespace holdfast::netlink
