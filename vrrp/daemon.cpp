#include "vrrp/daemon.hpp"

#include "config/load.hpp"
#include "runtime/control_socket.hpp"
#include "runtime/memory.hpp"
#include "runtime/pid_file.hpp"
#include "runtime/process.hpp"
#include "runtime/script.hpp"
#include "runtime/sealed_memfd.hpp"
#include "vrrp/explain.hpp"
#include "vrrp/io/engine.hpp"
#include "vrrp/io/recorder.hpp"
#include "vrrp/messages.hpp"
#include "vrrp/status.hpp"
#include "vrrp/wiring.hpp"

#include <boost/asio/post.hpp>

#include <filesystem>
#include <list>
#include <set>
#include <thread>

namespace holdfast::vrrp {
namespace {

/// An orderly stop waits this long for notification scripts.
constexpr core::Duration kScriptPatience = std::chrono::seconds(1);
/// After a configuration came into use, and perhaps everything was taken over: what that needed for
/// a moment is free by then.
constexpr core::Duration kTidyUpAfter = std::chrono::seconds(10);

/// Bytes → plan. Touches no state of the process: runs in a thread of its own, off the loop.
core::Result<Plan> read_plan(int snapshot_fd) {
  const auto bytes = runtime::read_sealed_memfd(snapshot_fd);
  if (!bytes) return bytes.error();
  const auto parsed = config::parse_snapshot_bytes(*bytes);
  if (!parsed) return parsed.error();
  if (parsed->diagnostics.has_errors())
    return core::fail("{}", config::render_text(parsed->diagnostics));
  return make_plan(parsed->model);
}

netlink::ReflectorOptions reflector_options(const runtime::ChildOptions& options) {
  netlink::ReflectorOptions result;
  result.run_dir = options.run_dir;
  return result;
}

class Daemon {
 public:
  explicit Daemon(const runtime::ChildOptions& options)
      : options_(options),
        logger_("vrrp", options.log),
        reflector_(loop_.io(), logger_, reflector_options(options)),
        runner_(loop_.io()),
        patience_(loop_.io(), [this] { finish(); }),
        tidy_up_(loop_.io(), [] { runtime::return_free_memory(); }) {}
  ~Daemon() {
    for (std::thread& parser : parsers_) parser.join();
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  int run() {
    if (auto begun = begin(); !begun) {
      logger_.log(kCannotStart, "{}", begun.error().message);
      return runtime::exit_code_for(begun.error());
    }
    logger_.log(kStarted, "waiting for the configuration");
    const int exit_code = loop_.run();
    logger_.log(kStopped, "left in order");
    return exit_code;
  }

 private:
  core::Result<void> begin() {
    const std::string pid_path =
        options_.pid_file.empty() ? options_.run_dir + "/vrrp.pid" : options_.pid_file;
    auto pid_file = runtime::PidFile::acquire(pid_path);
    if (!pid_file) return pid_file.error();
    pid_file_ = std::move(*pid_file);
    if (auto loaded = reflector_.load(); !loaded) return loaded;
    auto announcements = AnnounceSocket::open();
    if (!announcements) return announcements.error();
    engine_ = std::make_unique<Engine>(
        loop_.io(), logger_, reflector_, std::move(*announcements), open_page(),
        [this](const Notify& notify) { run_scripts(notify); },
        [this](const RouterKey& key) { forget_scripts(key); });
    recorder_ = std::make_unique<Recorder>(loop_.io(), logger_, *engine_, options_.run_dir);
    if (auto kept = runtime::keep_capabilities(runtime::Role::vrrp); !kept) {
      logger_.log(kPrivileges, "{}", kept.error().message);
    }
    listen();
    child_ = std::make_unique<runtime::Child>(
        loop_, logger_, options_,
        runtime::ChildCallbacks{.prepare =
                                    [this](std::uint64_t generation, runtime::UniqueFd snapshot,
                                           std::function<void(core::Result<void>)> done) {
                                      prepare(generation, std::move(snapshot), std::move(done));
                                    },
                                .commit = [this](std::uint64_t generation) { commit(generation); },
                                .abort =
                                    [this](std::uint64_t) {
                                      prepared_.reset();
                                      preparing_ = 0;
                                      engine_->abort();
                                    },
                                .stop = [this](const std::string& why) { stop(why); },
                                .hurry = [this] { engine_->hurry(); }});
    return {};
  }

  std::optional<HandoverPage> open_page() {
    auto page = HandoverPage::open(runtime::UniqueFd(options_.page_fd));
    if (page) return std::move(*page);
    logger_.log(kPage, "{}", page.error().message);
    return std::nullopt;
  }

  void listen() {
    std::error_code ignored;
    std::filesystem::create_directories(options_.run_dir, ignored);
    auto server = runtime::ControlServer::listen(loop_.io(), options_.run_dir + "/vrrp.sock");
    if (!server) return logger_.log(kControl, "{}", server.error().message);
    control_ = std::move(*server);
    control_->handle("status", runtime::ControlAccess::read,
                     [this](const boost::json::object&, const runtime::ControlReply& reply) {
                       const std::uint64_t generation = child_ ? child_->generation() : 0;
                       reply(status_of(engine_->router(), reflector_, generation, runtime::now()));
                     });
    control_->handle(
        "explain", runtime::ControlAccess::read,
        [this](const boost::json::object& request, const runtime::ControlReply& reply) {
          reply(explain_word(word_of(request, "instance")));
        });
    control_->handle("record", runtime::ControlAccess::change,
                     [this](const boost::json::object& request,
                            const runtime::ControlReply& reply) { record(request, reply); });
  }

  // ---- what holdfastctl asks ----

  static std::string word_of(const boost::json::object& request, std::string_view key) {
    const auto* value = request.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
  }

  boost::json::object explain_word(const std::string& word) {
    const Instance* instance = find_instance(engine_->router(), word);
    if (instance == nullptr)
      return {{"error", fmt::format("there is no vrrp_instance '{}'", word)}};
    return explain(*instance, recorder_->past(), runtime::now());
  }

  void record(const boost::json::object& request, const runtime::ControlReply& reply) {
    const std::string action = word_of(request, "action");
    if (action == "stop") {
      const auto stopped = recorder_->stop([reply](const Recorder::Ended& ended) {
        reply({{"file", ended.path}, {"bytes", ended.bytes}});
      });
      if (!stopped) reply({{"error", stopped.error().message}});
      return;
    }
    const auto* limit = request.if_contains("limit");
    const bool has_limit = limit != nullptr && limit->is_int64() && limit->as_int64() > 0;
    const std::string file = word_of(request, "file");
    if (action != "start" || !has_limit || !file.starts_with('/'))
      return reply({{"error", "record takes start with an absolute file and a limit, or stop"}});
    const auto started = recorder_->start({file, static_cast<std::uint64_t>(limit->as_int64())});
    if (!started) return reply({{"error", started.error().message}});
    reply({{"file", file}, {"limit", limit->as_int64()}});
  }

  // ---- configuration, in two steps ----

  void prepare(std::uint64_t generation, runtime::UniqueFd snapshot,
               std::function<void(core::Result<void>)> done) {
    prepared_.reset();
    preparing_ = generation;
    const auto parser = parsers_.emplace(parsers_.end());
    *parser = std::thread(
        [this, parser, generation, fd = snapshot.release(), done = std::move(done)]() mutable {
          const runtime::UniqueFd owned(fd);
          auto plan = std::make_shared<core::Result<Plan>>(read_plan(owned.get()));
          runtime::return_free_memory();  // the model was several times as large as the plan
          boost::asio::post(loop_.io(), [this, parser, generation, plan, done = std::move(done)] {
            parser->join();  // this was the last thing that it did
            parsers_.erase(parser);
            if (preparing_ == generation) done(accept(generation, std::move(*plan)));
          });
        });
  }

  core::Result<void> accept(std::uint64_t generation, core::Result<Plan> plan) {
    if (!plan) return plan.error();
    if (auto ready = engine_->prepare(plan->instances); !ready) return ready;
    prepared_ = std::move(*plan);
    preparing_ = generation;
    return {};
  }

  void commit(std::uint64_t generation) {
    Plan plan = std::move(*std::exchange(prepared_, std::nullopt));
    const std::size_t count = plan.instances.size();
    take_scripts(plan);
    engine_->commit(std::move(plan.instances));
    tidy_up_.arm(runtime::now() + kTidyUpAfter);
    logger_.log(kConfigured, "generation {} is in use: {} instances", generation, count);
  }

  // ---- notifications ----

  /// Those of instances that this generation removes are needed once more, for their last words.
  void take_scripts(Plan& plan) {
    std::set<RouterKey> configured;
    if (!scripts_.empty())
      for (const InstanceSettings& settings : plan.instances) configured.insert(settings.key());
    departing_.clear();
    for (auto& [key, scripts] : scripts_) {
      if (configured.contains(key)) continue;
      plan.scripts.emplace(key, std::move(scripts));
      departing_.insert(key);
    }
    scripts_ = std::move(plan.scripts);
  }

  void run_scripts(const Notify& notify) {
    const std::string& name = notify.router->name;
    const auto found = scripts_.find(notify.router->key);
    if (found == scripts_.end()) return;
    for (runtime::Command& command :
         commands_for(found->second, name, notify.state, notify.priority)) {
      const std::string what = command.argv.front();
      runner_.run(name, std::move(command),
                  [this, name, what](const runtime::ScriptOutcome& outcome) {
                    logger_.log(outcome.succeeded() ? kScriptDone : kScript, "{}: {} {}", name,
                                what, outcome.to_string());
                  });
    }
  }

  /// The instance has had its last word; a new one with the same key keeps its own.
  void forget_scripts(const RouterKey& key) {
    if (departing_.erase(key) != 0) scripts_.erase(key);
  }

  // ---- the end ----

  void stop(const std::string& why) {
    logger_.log(kStopping, "{}", why);
    engine_->stop(options_.keep_addresses, [this] {
      patience_.arm(runtime::now() + kScriptPatience);
      runner_.when_idle([this] { finish(); });
    });
  }

  void finish() { loop_.stop(0); }

  runtime::ChildOptions options_;
  runtime::Logger logger_;
  runtime::Loop loop_;
  std::optional<runtime::PidFile> pid_file_;
  netlink::Reflector reflector_;
  runtime::ScriptRunner runner_;
  std::map<RouterKey, InstanceScripts> scripts_;
  std::set<RouterKey> departing_;  // of scripts_: what is kept for the last words
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<runtime::ControlServer> control_;
  std::unique_ptr<runtime::Child> child_;
  std::optional<Plan> prepared_;
  std::uint64_t preparing_ = 0;
  std::list<std::thread> parsers_;  // more than one while a prepare replaces another
  runtime::DeadlineTimer patience_;
  runtime::DeadlineTimer tidy_up_;
};

}  // namespace

int run_daemon(const runtime::ChildOptions& options) {
  return Daemon(options).run();
}

}  // namespace holdfast::vrrp
