#include "watchdog/io/dumps.hpp"

#include "runtime/clock.hpp"

#include "legacy/dumper.hpp"
#include <csignal>
#include <utility>

namespace holdfast::watchdog {
namespace {

/// Exporters send two signals in a row: both files are then of one moment.
constexpr core::Duration kGather = std::chrono::milliseconds(2);
/// A dump that takes longer is stuck; the longest that anybody waits for one is 30 s.
constexpr core::Duration kLimit = std::chrono::seconds(20);

}  // namespace

Dumps::Dumps(boost::asio::io_context& io, runtime::ChildOptions options,
             std::function<DumpSource()> source, std::function<void(const std::string&)> on_trouble)
    : io_(io),
      options_(std::move(options)),
      source_(std::move(source)),
      on_trouble_(std::move(on_trouble)),
      gather_(io, [this] { begin(); }),
      limit_(io, [this] {
        if (process_) process_->signal(SIGKILL);
      }) {}

void Dumps::ask(const legacy::DumpRequest& request) {
  if (request.is_empty()) return;
  wanted_.add(request);
  if (!process_ && !gather_.armed()) gather_.arm(runtime::now() + kGather);
}

void Dumps::begin() {
  gather_.arm(std::nullopt);
  const DumpSource source = source_();
  const legacy::DumpRequest request = std::exchange(wanted_, {});
  if (!source.snapshot) return;
  auto process = Process::spawn(io_,
                                {.arguments = legacy::dump_arguments(
                                     options_, request, source.mask.value_or(legacy::kDumpMask)),
                                 .fd3 = source.snapshot.get(),
                                 .fd4 = -1,
                                 .fd5 = -1},
                                [this](ExitStatus status) { on_exit(status); });
  if (!process) return on_trouble_(process.error().message);
  process_ = std::move(*process);
  limit_.arm(runtime::now() + kLimit);
}

void Dumps::on_exit(ExitStatus status) {
  // Not destroyed from inside its own callback.
  const std::unique_ptr<Process> ended = std::move(process_);
  limit_.arm(std::nullopt);
  // One that ends by itself has said what is wrong.
  if (status.kind == ExitStatus::Kind::signalled)
    on_trouble_("the process that writes dumps " + to_sentence(status));
  if (!wanted_.is_empty()) gather_.arm(runtime::now() + kGather);
}

}  // namespace holdfast::watchdog
