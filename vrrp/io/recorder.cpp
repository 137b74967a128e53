#include "vrrp/io/recorder.hpp"

#include "runtime/clock.hpp"
#include "runtime/memory.hpp"
#include "vrrp/io/record_dump.hpp"
#include "vrrp/messages.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

namespace holdfast::vrrp {
namespace {

// Never waits for the kernel's pool: a director must not stand still at boot for a recording.
std::optional<scenario::Pseudonyms::Key> random_key() {
  scenario::Pseudonyms::Key key{};
  if (::getrandom(key.data(), sizeof key, GRND_INSECURE) != static_cast<ssize_t>(sizeof key))
    return std::nullopt;
  return key;
}

}  // namespace

Recorder::Recorder(boost::asio::io_context& io, runtime::Logger& logger, Runner& runner,
                   std::string run_dir)
    : io_(io),
      logger_(logger),
      runner_(runner),
      run_dir_(std::move(run_dir)),
      key_(random_key()),
      dump_timer_(io, [this] { dump(); }) {
  save_crash();
  if (!key_) {
    logger_.log(kRecording, "nothing is recorded: the kernel gives no random numbers");
    return;
  }
  memory_ = map_memory();
  if (!memory_.empty()) {
    ring_ = std::make_unique<RingTape>(memory_, [this] { want_dump(); });
    runner_.attach(*ring_, *key_);
  }
  resume_recording();
}

Recorder::~Recorder() {
  if (file_) runner_.detach(*file_);
  if (ring_) runner_.detach(*ring_);
  file_.reset();
  if (closer_.joinable()) closer_.join();
  if (dumper_.joinable()) dumper_.join();
  if (has_ring_file_) ::unlink(in_run_dir("vrrp.ring").c_str());
  ::unlink(in_run_dir("vrrp.recording").c_str());
  if (!memory_.empty()) ::munmap(memory_.data(), memory_.size());
}

std::string Recorder::in_run_dir(std::string_view name) const {
  return fmt::format("{}/{}", run_dir_, name);
}

// ---- the memory ----

// A file of the run directory (tmpfs on every host that boots): it is there for the successor
// whatever kills us. Its pages are allocated now, so that a full tmpfs is an error here and not a
// SIGBUS later.
std::span<std::uint8_t> Recorder::map_memory() {
  const std::string path = in_run_dir("vrrp.ring");
  const runtime::UniqueFd file(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  const int error = !file ? errno : ::posix_fallocate(file.get(), 0, RecordRing::kBytes);
  has_ring_file_ = error == 0;
  if (!has_ring_file_) {
    if (file) ::unlink(path.c_str());
    logger_.log(kRecording, "{}: what happened last would not survive a crash",
                core::fail_errno(error, "cannot make {}", path).message);
  }
  void* const memory = ::mmap(nullptr, RecordRing::kBytes, PROT_READ | PROT_WRITE,
                              has_ring_file_ ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS,
                              has_ring_file_ ? file.get() : -1, 0);
  if (memory != MAP_FAILED) return {static_cast<std::uint8_t*>(memory), RecordRing::kBytes};
  logger_.log(kRecording, "{}",
              core::fail_errno(errno, "no memory to record what happens").message);
  return {};
}

void Recorder::save_crash() {
  const std::string left = in_run_dir("vrrp.ring");
  const std::string saved = in_run_dir("vrrp.ring.crashed");
  if (std::rename(left.c_str(), saved.c_str()) != 0) return;  // nobody crashed
  const runtime::UniqueFd file(::open(saved.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::vector<std::uint8_t> memory(RecordRing::kBytes);
  if (!file ||
      ::read(file.get(), memory.data(), memory.size()) != static_cast<ssize_t>(memory.size())) {
    ::unlink(saved.c_str());
    return;
  }
  run_dump(std::move(memory), "vrrp.crash",
           fmt::format("left by a process that was killed; written {}",
                       runtime::iso8601_utc(runtime::now())),
           saved);
}

// ---- after a change of mastership ----

void Recorder::want_dump() {
  if (dump_timer_.armed()) return;
  core::Instant when = runtime::now() + kDumpAfter;
  if (dumped_at_) {
    if (when - *dumped_at_ > 2 * gap_) gap_ = kDumpGap;  // it was quiet for a while
    when = std::max(when, *dumped_at_ + gap_);
  }
  dump_timer_.arm(when);
}

void Recorder::dump() {
  dump_timer_.arm(std::nullopt);
  const core::Instant now = runtime::now();
  if (dumping_) {  // a slow disk has not even finished the last one
    dump_timer_.arm(now + kDumpGap);
    return;
  }
  if (dumped_at_) gap_ = std::min(2 * gap_, kLongestDumpGap);
  dumped_at_ = now;
  run_dump({memory_.begin(), memory_.end()}, "vrrp.record",
           fmt::format("after a change of mastership; {} is {}",
                       now.time_since_epoch().count() / 1'000'000, runtime::iso8601_utc(now)),
           {});
}

void Recorder::run_dump(std::vector<std::uint8_t> memory, std::string_view name, std::string remark,
                        std::string remove_then) {
  if (dumper_.joinable()) dumper_.join();  // it has posted its result: at its end
  dumping_ = true;
  dumper_ = std::thread([this, memory = std::move(memory), stem = in_run_dir(name),
                         remark = std::move(remark), remove_then = std::move(remove_then),
                         life = std::weak_ptr<Life>(life_)]() mutable {
    const auto result = dump_ring(memory, stem, remark);
    if (!remove_then.empty()) ::unlink(remove_then.c_str());
    std::vector<std::uint8_t>().swap(memory);
    runtime::return_free_memory();
    boost::asio::post(io_, [this, result, life] {
      if (life.lock()) dumped(result);
    });
    dumping_ = false;
  });
}

void Recorder::dumped(const core::Result<void>& result) {
  if (result) {
    complained_ = false;
  } else if (!std::exchange(complained_, true)) {
    logger_.log(kRecording, "{}", result.error().message);
  }
}

// ---- into a file of the operator ----

core::Result<void> Recorder::start(FileTape::Plan plan) {
  if (!key_) return core::fail("nothing can be recorded: the kernel gives no random numbers");
  if (file_) return core::fail("{} is being recorded already", file_->plan().path);
  auto tape = FileTape::create(std::move(plan));
  if (!tape) return tape.error();
  std::ofstream note(in_run_dir("vrrp.recording"), std::ios::trunc);
  note << (*tape)->plan().limit << ' ' << (*tape)->plan().path << '\n';
  logger_.log(kRecordingDone, "records into {}, up to {} bytes", (*tape)->plan().path,
              (*tape)->plan().limit);
  attach_file(std::move(*tape));
  return {};
}

void Recorder::resume_recording() {
  std::ifstream note(in_run_dir("vrrp.recording"));
  FileTape::Plan plan;
  if (!(note >> plan.limit) || !std::getline(note >> std::ws, plan.path)) return;
  auto tape = FileTape::resume(std::move(plan));
  if (!tape) {
    ::unlink(in_run_dir("vrrp.recording").c_str());
    return logger_.log(kRecording, "{}", tape.error().message);
  }
  logger_.log(kRecordingDone, "goes on recording into {}", (*tape)->plan().path);
  attach_file(std::move(*tape));
}

void Recorder::attach_file(std::unique_ptr<FileTape> tape) {
  file_ = std::move(tape);
  file_->on_ended([this] {
    boost::asio::post(io_, [this, life = std::weak_ptr<Life>(life_)] {
      if (!life.lock() || !file_ || file_->ended().empty()) return;
      logger_.log(kRecording, "{}: the recording has ended", file_->ended());
      end_file([](const Ended&) {});
    });
  });
  runner_.attach(*file_, *key_);
}

core::Result<void> Recorder::stop(std::function<void(const Ended&)> on_written) {
  if (!file_) return core::fail("nothing is being recorded");
  end_file([this, on_written = std::move(on_written)](const Ended& ended) {
    logger_.log(kRecordingDone, "{} is complete", ended.path);
    on_written(ended);
  });
  return {};
}

void Recorder::end_file(std::function<void(const Ended&)> on_written) {
  runner_.detach(*file_);
  ::unlink(in_run_dir("vrrp.recording").c_str());
  if (closer_.joinable()) closer_.join();
  closer_ = std::thread([this, tape = std::move(file_), on_written = std::move(on_written),
                         life = std::weak_ptr<Life>(life_)]() mutable {
    const Ended ended{tape->plan().path, tape->bytes()};
    tape.reset();  // waits until all is written
    runtime::return_free_memory();
    boost::asio::post(io_, [on_written = std::move(on_written), ended, life] {
      if (life.lock()) on_written(ended);
    });
  });
}

Past Recorder::past() const {
  return ring_ ? ring_->past() : Past{};
}

void Recorder::answer_on(runtime::ControlServer& server) {
  server.handle("record", runtime::ControlAccess::change,
                [this](const boost::json::object& request, const runtime::ControlReply& reply) {
                  answer(request, reply);
                });
}

void Recorder::answer(const boost::json::object& request, const runtime::ControlReply& reply) {
  const std::string action = runtime::word_of(request, "action");
  if (action == "stop") {
    const auto stopped = stop([reply](const Ended& ended) {
      reply({{"file", ended.path}, {"bytes", ended.bytes}});
    });
    if (!stopped) reply({{"error", stopped.error().message}});
    return;
  }
  const auto* limit = request.if_contains("limit");
  const bool has_limit = limit != nullptr && limit->is_int64() && limit->as_int64() > 0;
  const std::string file = runtime::word_of(request, "file");
  if (action != "start" || !has_limit || !file.starts_with('/'))
    return reply({{"error", "record takes start with an absolute file and a limit, or stop"}});
  const auto started = start({file, static_cast<std::uint64_t>(limit->as_int64())});
  if (!started) return reply({{"error", started.error().message}});
  reply({{"file", file}, {"limit", limit->as_int64()}});
}

}  // namespace holdfast::vrrp
