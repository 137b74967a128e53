#include "legacy/dumper.hpp"

#include "config/load.hpp"
#include "runtime/process.hpp"
#include "runtime/sealed_memfd.hpp"

#include <boost/json/object.hpp>

#include "legacy/ask.hpp"
#include "legacy/data_text.hpp"
#include "legacy/dump_file.hpp"
#include "legacy/dump_settings.hpp"
#include "legacy/json_text.hpp"
#include "legacy/messages.hpp"
#include "legacy/stats_text.hpp"
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>

namespace holdfast::legacy {
namespace {

namespace json = boost::json;

constexpr int kSnapshotFd = 3;
/// Readers give up after 30 s at the latest.
constexpr core::Duration kPatience = std::chrono::seconds(10);
constexpr std::string_view kRequestWord = "--dumps=";
constexpr std::string_view kMaskWord = "--mask=";

struct Job {
  runtime::ChildOptions options;
  DumpRequest request;
  mode_t mask = kDumpMask;
};

std::optional<mode_t> mask_in(std::string_view digits) {
  unsigned mask = 0;
  const char* const end = digits.data() + digits.size();
  const auto [behind, error] = std::from_chars(digits.data(), end, mask, 8);
  if (error != std::errc{} || behind != end || mask > 0777) return std::nullopt;
  return mask;
}

core::Result<Job> job_in(std::span<const char* const> words) {
  Job job;
  std::vector<const char*> others;
  for (const char* const each : words) {
    const std::string_view word(each);
    if (word.starts_with(kRequestWord)) {
      const auto request = request_in(word.substr(kRequestWord.size()));
      if (!request) return core::fail("{} names no dump", word);
      job.request = *request;
    } else if (word.starts_with(kMaskWord)) {
      const auto mask = mask_in(word.substr(kMaskWord.size()));
      if (!mask) return core::fail("{} is no mask", word);
      job.mask = *mask;
    } else {
      others.push_back(each);
    }
  }
  auto options = runtime::parse_child_arguments(others);
  if (!options) return options.error();
  job.options = std::move(*options);
  return job;
}

class Dumper {
 public:
  Dumper(const Job& job, config::Model model, runtime::Logger& logger)
      : job_(job),
        model_(std::move(model)),
        logger_(logger),
        settings_(dump_settings_of(model_)),
        directory_(dump_directory(std::getenv("TMPDIR"))) {}

  [[nodiscard]] bool write() {
    const DumpRequest& wanted = job_.request;
    if (wanted.parent_data) put("keepalived_parent", ".data", {}, globals_text(model_));
    if (!model_.instances.empty() && (wanted.vrrp_data || wanted.stats || wanted.json))
      write_of_vrrp();
    if (!model_.services.empty() && wanted.check_data) {
      if (const auto status = ask("checkers", "status"))
        put("keepalived_check", ".data", {}, check_text(model_, *status));
    }
    return !has_failed_;
  }

 private:
  /// One answer is what all files are made of.
  void write_of_vrrp() {
    const DumpRequest& wanted = job_.request;
    const auto status = ask("vrrp", "status");
    if (!status) return;
    const std::vector<InstanceFacts> facts = facts_of(model_, *status);
    if (wanted.stats) put("keepalived", ".stats", settings_.stats_file, stats_text(facts));
    if (wanted.json) put("keepalived", ".json", settings_.json_file, json_text(model_, facts));
    if (wanted.vrrp_data)
      put("keepalived", ".data", settings_.data_file, vrrp_text(model_, facts, *status));
    if (wanted.clears_stats) static_cast<void>(ask("vrrp", "clear-counters"));
  }

  /// nullopt: it did not answer, which was said. A process that this director does not run (-P, -C)
  /// is asked nothing.
  std::optional<json::object> ask(const std::string& process, std::string_view command) {
    auto answer = ask_process(job_.options.run_dir, process, {{"command", command}}, kPatience);
    if (answer) return std::move(*answer);
    if (answer.error().system_errno == ENOENT) return std::nullopt;
    has_failed_ = true;
    logger_.log(kDumpFailed, "no dump of the {} process: {}", process, answer.error().message);
    return std::nullopt;
  }

  void put(std::string_view name, std::string_view ending, const std::string& chosen,
           const std::string& text) {
    const std::string path = dump_path(settings_, directory_, name, ending, chosen);
    if (const auto written = write_dump(path, text, 0666 & ~job_.mask); !written) {
      has_failed_ = true;
      return logger_.log(kDumpFailed, "{}", written.error().message);
    }
    logger_.log(kDumped, "{}: {} bytes", path, text.size());
  }

  const Job& job_;
  config::Model model_;
  runtime::Logger& logger_;
  DumpSettings settings_;
  std::string directory_;
  bool has_failed_ = false;
};

core::Result<config::Model> read_model() {
  const auto bytes = runtime::read_sealed_memfd(kSnapshotFd);
  if (!bytes) return bytes.error();
  return config::usable_model(*bytes);
}

}  // namespace

std::vector<std::string> dump_arguments(const runtime::ChildOptions& options,
                                        const DumpRequest& request, mode_t mask) {
  std::vector<std::string> words = runtime::to_arguments(options);
  words.push_back(std::string(kRequestWord) + to_word(request));
  words.push_back(fmt::format("{}{:o}", kMaskWord, mask));
  return words;
}

int run_dump(std::span<const char* const> words) {
  const auto job = job_in(words);
  runtime::Logger logger("dump", job ? job->options.log : runtime::LogSettings{});
  if (!job) {
    logger.log(kDumpFailed, "{}", job.error().message);
    return 1;
  }
  if (const auto confined = runtime::confine(runtime::Role::dumps, job->options.run_dir); !confined)
    logger.log(kDumpFailed, "{}", confined.error().message);
  auto model = read_model();
  if (!model) {
    logger.log(kDumpFailed, "{}", model.error().message);
    return 1;
  }
  return Dumper(*job, std::move(*model), logger).write() ? 0 : 1;
}

}  // namespace holdfast::legacy
