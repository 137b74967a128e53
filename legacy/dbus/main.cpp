// holdfast-dbus: started by the process that runs scripts when the configuration says enable_dbus,
// as the reader of a pipe of state lines.
#include "runtime/child.hpp"
#include "runtime/process.hpp"
#include "runtime/unique_fd.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include "legacy/dbus/service.hpp"
#include "legacy/messages.hpp"
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <span>
#include <unistd.h>

namespace {

using namespace holdfast;

struct Job {
  runtime::ChildOptions options;
  legacy::BusService::Settings settings;
  std::string pipe;
};

core::Result<Job> job_in(std::span<const char* const> words) {
  constexpr std::string_view kService = "--service=";
  constexpr std::string_view kNoInterface = "--no-interface=";
  constexpr std::string_view kNetNamespace = "--net-namespace=";
  constexpr std::string_view kInstance = "--instance=";
  Job job;
  std::vector<const char*> others;
  for (const char* const each : words) {
    const std::string_view word(each);
    if (word.starts_with(kService))
      job.settings.service = word.substr(kService.size());
    else if (word.starts_with(kNoInterface))
      job.settings.names.no_interface = word.substr(kNoInterface.size());
    else if (word.starts_with(kNetNamespace))
      job.settings.names.net_namespace = word.substr(kNetNamespace.size());
    else if (word.starts_with(kInstance))
      job.settings.names.instance = word.substr(kInstance.size());
    else if (word.starts_with('/'))
      job.pipe = word;
    else
      others.push_back(each);
  }
  auto options = runtime::parse_child_arguments(others);
  if (!options) return options.error();
  if (job.pipe.empty()) return core::fail("it is not said which pipe is to be read");
  job.options = std::move(*options);
  job.settings.run_dir = job.options.run_dir;
  return job;
}

/// Lines of a pipe, as they come.
class Lines {
 public:
  Lines(boost::asio::io_context& io, runtime::UniqueFd pipe,
        std::function<void(std::string_view)> on_line)
      : pipe_(std::move(pipe)), readiness_(io, pipe_.get()), on_line_(std::move(on_line)) {
    wait();
  }
  ~Lines() { readiness_.release(); }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  void read() {
    std::array<char, 4096> block{};
    for (ssize_t count = 0; (count = ::read(pipe_.get(), block.data(), block.size())) > 0;)
      rest_.append(block.data(), static_cast<std::size_t>(count));
    std::size_t start = 0;
    for (std::size_t end = 0; (end = rest_.find('\n', start)) != std::string::npos; start = end + 1)
      on_line_(std::string_view(rest_).substr(start, end - start));
    rest_.erase(0, start);
  }

 private:
  void wait() {
    readiness_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                          [this](boost::system::error_code error) {
                            if (error) return;
                            read();
                            wait();
                          });
  }

  runtime::UniqueFd pipe_;
  boost::asio::posix::stream_descriptor readiness_;
  std::function<void(std::string_view)> on_line_;
  std::string rest_;
};

int run(const Job& job) {
  runtime::Logger logger("dbus", job.options.log);
  if (const auto confined = runtime::confine(runtime::Role::bus, job.options.run_dir); !confined)
    logger.log(legacy::kBusAway, "{}", confined.error().message);
  // Its writer has it open for reading, too: no end of file comes, and none is waited for.
  runtime::UniqueFd pipe(::open(job.pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!pipe) {
    logger.log(legacy::kBusAway, "cannot open the pipe {}: {}", job.pipe,
               std::generic_category().message(errno));
    return 1;
  }
  runtime::Loop loop;
  legacy::BusService service(loop.io(), logger, job.settings);
  Lines lines(loop.io(), std::move(pipe), [&](std::string_view line) { service.take(line); });
  loop.on_signals(std::array{SIGTERM, SIGINT}, [&](int) {
    lines.read();
    service.leave();
    loop.stop(0);
  });
  lines.read();  // older than what the process itself will tell now
  service.begin();
  return loop.run();
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<const char* const> words(argv, static_cast<std::size_t>(argc));
  const auto job = job_in(words.subspan(1));
  if (job) return run(*job);
  std::fputs(
      fmt::format("holdfast-dbus: {}; holdfast starts this program itself\n", job.error().message)
          .c_str(),
      stderr);
  return 2;
}
