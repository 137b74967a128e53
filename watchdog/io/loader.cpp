#include "watchdog/io/loader.hpp"

#include "watchdog/io/loader_reply.hpp"
#include "watchdog/io/process.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace holdfast::watchdog {

namespace {

constexpr int kAllSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

LoaderFinished failed(std::string diagnostics) {
  return {.usable = false,
          .roles = {},
          .diagnostics = std::move(diagnostics),
          .exit_code = ExitCode::fatal};
}

}  // namespace

/// Shared with the pending handlers. Done when the reply has ended and the process is gone, in
/// either order.
struct LoaderRun::State : std::enable_shared_from_this<LoaderRun::State> {
  State(boost::asio::io_context& io, std::function<void(LoadResult)> callback)
      : pipe(io), on_done(std::move(callback)) {}

  void read_more() {
    pipe.async_read_some(
        boost::asio::buffer(chunk),
        [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
          self->on_read(error, count);
        });
  }
  void on_read(boost::system::error_code error, std::size_t count) {
    reply.append(chunk.data(), count);
    if (!error && reply.size() <= kMaxReplyBytes) return read_more();
    reply_ended = true;
    finish_when_both();
  }
  void finish_when_both() {
    if (!reply_ended || !status || !on_done) return;
    std::exchange(on_done, nullptr)(result());
  }
  [[nodiscard]] LoadResult result() {
    if (!status->is_clean())
      return {.event = failed(fmt::format("the process that reads the configuration {}\n",
                                          to_sentence(*status))),
              .directives = {},
              .snapshot = {}};
    auto said = decode_reply(reply);
    if (!said)
      return {.event = failed("the process that reads the configuration gave no answer\n"),
              .directives = {},
              .snapshot = {}};
    if (!said->finished.usable)
      return {.event = std::move(said->finished), .directives = {}, .snapshot = {}};
    // The writer is gone; nobody can change the bytes from here on.
    if (::fcntl(snapshot.get(), F_ADD_SEALS, kAllSeals) != 0)
      return {.event = failed(core::fail_errno(errno, "cannot seal the configuration").message),
              .directives = {},
              .snapshot = {}};
    return {.event = std::move(said->finished),
            .directives = std::move(said->directives),
            .snapshot = std::move(snapshot)};
  }

  boost::asio::posix::stream_descriptor pipe;
  std::function<void(LoadResult)> on_done;
  std::unique_ptr<Process> process;
  runtime::UniqueFd snapshot;
  std::array<char, 16384> chunk{};
  std::string reply;
  bool reply_ended = false;
  std::optional<ExitStatus> status;
};

LoaderRun::LoaderRun(std::shared_ptr<State> state) : state_(std::move(state)) {}

LoaderRun::~LoaderRun() {
  state_->on_done = nullptr;
  kill();
  state_->process.reset();
  boost::system::error_code ignored;
  state_->pipe.cancel(ignored);
}

core::Result<std::unique_ptr<LoaderRun>> LoaderRun::start(boost::asio::io_context& io,
                                                          const LoadRequest& request,
                                                          std::function<void(LoadResult)> on_done) {
  auto state = std::make_shared<State>(io, std::move(on_done));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return core::fail_errno(errno, "cannot make a pipe for the loader");
  runtime::UniqueFd read_end(ends[0]);
  const runtime::UniqueFd write_end(ends[1]);
  state->snapshot.reset(::memfd_create("holdfast-configuration", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!state->snapshot)
    return core::fail_errno(errno, "cannot create memory for the configuration");
  std::vector<std::string> arguments{"--role=loader", request.config_file, request.config_id};
  if (request.running >= 0) arguments.emplace_back("compare");
  auto process = Process::spawn(io,
                                {.arguments = std::move(arguments),
                                 .fd3 = write_end.get(),
                                 .fd4 = state->snapshot.get(),
                                 .fd5 = request.running},
                                [weak = std::weak_ptr<State>(state)](ExitStatus status) {
                                  if (const auto self = weak.lock()) {
                                    self->status = status;
                                    self->finish_when_both();
                                  }
                                });
  if (!process) return process.error();
  state->process = std::move(*process);
  state->pipe.assign(read_end.release());
  state->read_more();
  return std::unique_ptr<LoaderRun>(new LoaderRun(std::move(state)));
}

void LoaderRun::kill() {
  if (state_->process) state_->process->signal(SIGKILL);
}

}  // namespace holdfast::watchdog
