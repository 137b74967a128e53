#include "checkers/runner.hpp"

#include "checkers/core/identity.hpp"
#include "checkers/messages.hpp"
#include "checkers/orders.hpp"
#include "checkers/wiring.hpp"
#include "config/load.hpp"
#include "runtime/clock.hpp"
#include "runtime/process.hpp"

#include <algorithm>
#include <unistd.h>

namespace holdfast::checkers {

namespace {

/// Between two lines about the same kind of trouble that the director had with its probes. It meets
/// thousands of checks at once: an address that is not here, no free port, a pause.
constexpr core::Duration kNotTriedLogInterval = std::chrono::minutes(1);

/// A reason without its numbers.
std::string kind_of(std::string reason) {
  std::erase_if(reason, [](char letter) { return letter >= '0' && letter <= '9'; });
  return reason;
}

core::Result<Settings> read_settings(std::string_view snapshot) {
  const auto model = config::usable_model(snapshot);
  return model ? wiring_of(*model) : core::Result<Settings>(model.error());
}

std::uint64_t seed() {
  return static_cast<std::uint64_t>(runtime::now().time_since_epoch().count()) ^
         (static_cast<std::uint64_t>(::getpid()) << 40);
}

}  // namespace

Runner::Runner(runtime::Loop& loop, runtime::Logger& logger, const runtime::ChildOptions& options,
               std::size_t probe_limit)
    : loop_(loop),
      logger_(logger),
      options_(options),
      engine_(core::Rng(seed())),
      keeper_(loop, logger, options.run_dir + "/checkers.owned", engine_.desired()),
      switches_(loop, logger, options.run_dir + "/checkers.switches"),
      sync_(loop, logger),
      addresses_(loop, logger, [this] { follow_addresses(); }),
      notifier_(loop.io(), logger,
                [this](const runtime::ScriptClient::News& news) { probes_.on_script_news(news); }),
      probes_(loop.io(), notifier_.client(), probe_limit,
              [this](ProbeId id, Outcome outcome) {
                counters_.count(outcome.result);
                handle(ProbeFinished{id, std::move(outcome)});
              }),
      tick_(loop.io(), [this] { handle(Tick{}); }),
      farewell_(loop.io(), [this] { finish(); }),
      vrrp_(loop.io()),
      vrrp_farewell_(loop.io(),
                     [this] {
                       logger_.log(messages::kVrrpHangs,
                                   "the VRRP process has not ended within {} s: the table is not "
                                   "kept for it any longer",
                                   kVrrpFarewell / std::chrono::seconds(1));
                       leave();
                     }),
      not_tried_(kNotTriedLogInterval),
      scheduler_(loop.io(), logger),
      rehearsals_(
          loop.io(),
          [this] {
            return CheckersCopy{engine_, keeper_.state(), runtime::now()};
          },
          read_settings),
      files_(loop.io(), logger,
             [this](const std::string& file, std::int32_t number) {
               probes_.set_number(file, number);
               handle(FileChanged{file});
             }),
      orders_(
          loop.io(), logger, options.run_dir + "/checkers.orders",
          [this](const std::string& kind, const std::string& subject, std::int64_t value) {
            return judge_order(engine_.settings(), kind, subject, value);
          },
          [this] { follow_orders(); }),
      preparation_(loop.io(), read_settings, [](const Settings&) { return core::Result<void>(); }),
      self_(std::make_shared<Runner*>(this)) {}

Runner::~Runner() {
  *self_ = nullptr;
}

void Runner::start() {
  auto page =
      runtime::HandoverPage<runtime::CheckRecord>::open(runtime::UniqueFd(options_.page_fd));
  if (page)
    page_.emplace(std::move(*page));
  else
    logger_.log_text(messages::kNoPage, page.error().message);

  listen();
  child_ = std::make_unique<runtime::Child>(
      loop_, logger_, options_,
      runtime::ChildCallbacks{
          .prepare = [this](
                         std::uint64_t, runtime::UniqueFd snapshot,
                         auto done) { preparation_.begin(std::move(snapshot), std::move(done)); },
          .commit = [this](std::uint64_t generation) { commit(generation); },
          .abort = [this](std::uint64_t) { preparation_.abort(); },
          .sibling = [this](runtime::UniqueFd pidfd) { watch_vrrp(std::move(pidfd)); },
          .scripts = [this](runtime::UniqueFd end) { notifier_.client().connect(std::move(end)); },
          .stop = [this](const std::string& why) { stop(why); }});
}

void Runner::listen() {
  auto control = runtime::ControlServer::listen(loop_.io(), options_.run_dir + "/checkers.sock");
  if (!control) return logger_.log_text(messages::kNoControl, control.error().message);
  control_ = std::move(*control);
  control_->handle_document(
      "status", [this](const auto& made) { keeper_.when_fresh([this, made] { made(status()); }); });
  runtime::answer_about_turns(*control_);
  rehearsals_.answer_on(*control_);
  orders_.answer_on(*control_);
  control_->handle("check-now", runtime::ControlAccess::change,
                   [this](const boost::json::object& request, const runtime::ControlReply& reply) {
                     check_now(request, reply);
                   });
}

void Runner::check_now(const boost::json::object& request, const runtime::ControlReply& reply) {
  CheckNow check;
  if (const std::string name = runtime::word_of(request, "server"); !name.empty()) {
    const auto server = server_named(engine_.settings(), name);
    if (!server) return reply(runtime::error_answer(server.error()));
    check.server = *server;
  }
  handle(check);
  reply({{"ok", true}, {"probes", engine_.probe_count()}});
}

void Runner::follow_orders() {
  Steered steered = steered_by(orders_.orders(), engine_.settings());
  if (steered.weights != engine_.steered()) handle(std::move(steered));
}

void Runner::commit(std::uint64_t generation) {
  auto settings = preparation_.take();
  if (!settings || stopping_) return;
  Configure configure{std::move(*settings), configured_ ? Memory{} : recall()};
  generation_ = generation;
  const std::size_t services = configure.settings.services.size();
  if (!configure.memory.empty())
    logger_.log(messages::kResumed, "resuming with {} verdict(s) of the former process",
                configure.memory.size());
  // Of these the predecessor has told: their next UP is news.
  for (const ServiceSettings& service : configure.settings.services)
    if (configure.memory.contains(service_record_key(service)))
      told_services_.insert(name_of(service));
  scheduler_.follow(configure.settings.scheduling);
  keeper_.hold(held_servers(configure.settings));
  if (!configured_) orders_.load();
  // First, and of those that leave, too: a drained server must not get its weight back for a
  // moment.
  Steered steered = steered_by(orders_.orders(), configure.settings);
  steered.weights.insert(engine_.steered().begin(), engine_.steered().end());
  handle(std::move(steered));
  handle(std::move(configure));
  follow_orders();
  follow_addresses();
  switches_.configure(engine_.settings().switches);  // before the daemons that read them
  sync_.configure(engine_.settings());
  files_.follow(engine_.settings().files);
  forget_scripts_of_others();
  logger_.log(configured_ ? messages::kReloaded : messages::kStarted,
              "configuration {} in use: {} service(s), {} probe(s)", generation, services,
              engine_.probe_count());
  if (!configured_) keeper_.start(engine_.settings().flush_at_start ? Others::go : Others::stay);
  configured_ = true;
}

void Runner::stop(const std::string& why) {
  if (stopping_) return;
  stopping_ = true;
  // The watchdog has stopped the VRRP process before it asks.
  const bool waits = vrrp_runs_ && !child_->watchdog_asked_to_stop();
  logger_.log(messages::kStopping, "stopping: {}; the IPVS table {}{}", why,
              options_.keep_ipvs ? "stays as it is" : "is cleared of our services",
              waits ? " when the VRRP process has ended" : "");
  if (!waits) return leave();
  vrrp_farewell_.arm(runtime::now() + kVrrpFarewell);
}

void Runner::watch_vrrp(runtime::UniqueFd pidfd) {
  boost::system::error_code ignored;
  vrrp_.close(ignored);  // the former one has ended, or its wait is of no use any more
  vrrp_.assign(pidfd.release(), ignored);
  vrrp_runs_ = vrrp_.is_open();
  if (!vrrp_runs_) return;
  vrrp_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                   [this, self = self_, number = ++vrrp_number_](boost::system::error_code error) {
                     if (!*self || error || number != vrrp_number_) return;
                     vrrp_runs_ = false;
                     if (stopping_) leave();
                   });
}

void Runner::leave() {
  if (std::exchange(leaving_, true)) return;
  vrrp_farewell_.arm(std::nullopt);
  handle(Stop{});
  keeper_.stop({.keep_table = options_.keep_ipvs,
                .others = engine_.settings().flush_at_stop ? Others::go : Others::stay},
               [this] { finish_part(); });
  switches_.stop(options_.keep_ipvs);
  sync_.stop(options_.keep_ipvs, [this] { finish_part(); });
}

void Runner::finish_part() {
  if (--parts_left_ == 0) leave_when_scripts_are_done();
}

void Runner::follow_addresses() {
  const Settings& settings = engine_.settings();
  if (const auto& sync = settings.sync; sync && !sync->follows.empty()) {
    addresses_.watch();
    sync_.held(std::ranges::any_of(sync->follows,
                                   [this](const Place& place) { return addresses_.has(place); }));
  }
  AddressesHere here;
  for (const ServiceSettings& service : settings.services) {
    if (!service.ha_suspend) continue;
    addresses_.watch();
    for (const ipvs::ServiceKey& key : service.keys)
      if (const auto* one = std::get_if<ipvs::AddressKey>(&key))
        if (addresses_.has_anywhere(one->endpoint.address))
          here.addresses.insert(one->endpoint.address);
  }
  handle(std::move(here));
}

void Runner::leave_when_scripts_are_done() {
  farewell_.arm(runtime::now() + kScriptFarewell);
  notifier_.client().when_idle([this] { finish(); });
}

void Runner::finish() {
  if (const std::string unsent = notifier_.client().unsent(); !unsent.empty())
    logger_.log(messages::kScriptsUnsent, "not run any more: {}", unsent);
  loop_.stop(0);
}

std::shared_ptr<StatusDocument> Runner::status() const {
  return std::make_shared<StatusDocument>(
      StatusDocument::Subject{.engine = engine_,
                              .table = {keeper_.state(), keeper_.counters()},
                              .sync = sync_.state(),
                              .switches = switches_.state(),
                              .probes = {counters_, probes_.admission()},
                              .orders = orders_.orders(),
                              .generation = generation_,
                              .scripts = notifier_.records()});
}

Memory Runner::recall() const {
  Memory memory;
  if (!page_) return memory;
  for (const std::uint64_t key : page_->keys()) {
    const auto record = page_->load(key);
    if (!record) continue;
    Remembered remembered{Remembered::Verdict::unknown, record->failures_in_row, record->since};
    using Claim = runtime::CheckRecord::Claim;
    if (record->claim != Claim::none)
      remembered.weight =
          WeightClaim{record->claim == Claim::is ? WeightClaim::Kind::is : WeightClaim::Kind::adds,
                      record->weight};
    if (record->verdict == runtime::CheckRecord::Verdict::up)
      remembered.verdict = Remembered::Verdict::up;
    if (record->verdict == runtime::CheckRecord::Verdict::down)
      remembered.verdict = Remembered::Verdict::down;
    memory.emplace(key, remembered);
  }
  return memory;
}

// A probe can end inside act(StartProbe): its event waits here until the step that is running is
// done.
void Runner::handle(Event event) {
  events_.push_back(std::move(event));
  if (handling_) return;
  handling_ = true;
  while (!events_.empty()) {
    const Event next = std::move(events_.front());
    events_.pop_front();
    actions_.clear();
    engine_.step(next, runtime::now(), actions_);
    for (const Action& action : actions_) std::visit([this](const auto& one) { act(one); }, action);
  }
  handling_ = false;
  tick_.arm(engine_.deadline());
}

void Runner::act(const StartProbe& start) {
  ++counters_.probes_started;
  probes_.start(start.probe, start.lane, engine_.probe_settings(start.probe));
}

void Runner::act(const StopProbe& stop) {
  probes_.stop(stop.probe);
}

void Runner::act(const CheckChanged& changed) {
  logger_.log(changed.up ? messages::kCheckUp : messages::kCheckDown, "{}: {}: {}",
              check_name(changed.service, changed.server, changed.check),
              changed.up ? "succeeds" : "failed", changed.why);
}

void Runner::act(const CheckTroubled& troubled) {
  const std::string name = check_name(troubled.service, troubled.server, troubled.check);
  const auto& last = engine_.last_run(
      engine_.services()[troubled.service].servers[troubled.server].checks[troubled.check].probe);
  if (last && last->outcome.result == Result::not_tried) {
    if (const auto held_back = not_tried_.admit(kind_of(troubled.why), runtime::now()))
      logger_.log(messages::kCheckNotTried, "{}: not tried: {}{}", name, troubled.why,
                  *held_back == 0 ? ""
                                  : fmt::format(" ({} more like this, of whatever check, since the "
                                                "last line)",
                                                *held_back));
    return;
  }
  logger_.log(messages::kCheckRetry, "{}: failure {}, {} retries granted: {}", name,
              troubled.failures_in_row,
              engine_.settings()
                  .services[troubled.service]
                  .servers[troubled.server]
                  .checks[troubled.check]
                  .pace.retry,
              troubled.why);
}

void Runner::act(const ServerChanged& changed) {
  last_why_ = changed.why;
  ++counters_.server_transitions;
  logger_.log(changed.up ? messages::kServerUp : messages::kServerDown, "{} is {}: {}",
              server_name(changed.service, changed.server), changed.up ? "up" : "down",
              changed.why);
}

void Runner::act(const WeightChanged& changed) {
  logger_.log(messages::kServerWeight, "{} has weight {} instead of {}: {}",
              server_name(changed.service, changed.server), changed.now, changed.before,
              changed.why);
}

void Runner::act(const QuorumChanged& changed) {
  ++counters_.quorum_transitions;
  const ServiceSettings& service = engine_.settings().services[changed.service];
  logger_.log(
      changed.up ? messages::kQuorumUp : messages::kQuorumDown,
      "{}: quorum {}: weight {} of {}{}{}", name_of(service), changed.up ? "gained" : "lost",
      changed.weight, service.quorum,
      service.hysteresis == 0 ? "" : fmt::format(" ± {}", service.hysteresis),
      !changed.up && service.sorry_server
          ? fmt::format(", sorry server {} takes over", service.sorry_server->endpoint.to_string())
          : "");
}

void Runner::act(const TableChanged& changed) {
  keeper_.desired_changed(changed.service);
}

void Runner::act(const Notify& notify) {
  const std::string subject = notify.server ? server_name(notify.service, *notify.server)
                                            : name_of(engine_.settings().services[notify.service]);
  if (notify.script) notifier_.tell(subject, notify.kind, *notify.script);
  if (!leaving_) cry(notify);  // keepalived: nothing about the stop itself
}

/// Mail and pipes. A service that has its quorum from the start on is no news for a mailbox.
void Runner::cry(const Notify& notify) {
  const Settings& settings = engine_.settings();
  const ServiceSettings& service = settings.services[notify.service];
  const ServerSettings* server = notify.server ? &service.servers[*notify.server] : nullptr;
  const bool up = notify.kind == NotifyKind::server_up || notify.kind == NotifyKind::quorum_up;
  const bool mails = server != nullptr ? server->mails : service.mails;
  const bool is_start = server == nullptr && told_services_.insert(name_of(service)).second && up;
  auto tidings = tidings_of({.service = service,
                             .server = server,
                             .up = up,
                             .why = server != nullptr ? last_why_ : std::string(),
                             .pipes = settings.pipes,
                             .mail = mails && !is_start});
  if (tidings) notifier_.client().tell(std::move(*tidings));
}

void Runner::forget_scripts_of_others() {
  std::set<std::string> subjects;
  for (const ServiceSettings& service : engine_.settings().services) {
    subjects.insert(name_of(service));
    for (const ServerSettings& server : service.servers)
      subjects.insert(subject_of(service, server.endpoint));
  }
  notifier_.keep_only(subjects);
  std::erase_if(told_services_, [&](const auto& name) { return !subjects.contains(name); });
}

void Runner::act(const Remember& remember) {
  if (!page_) return;
  runtime::CheckRecord record{.since = remember.record.since,
                              .failures_in_row = remember.record.failures_in_row};
  if (remember.record.verdict == Remembered::Verdict::up)
    record.verdict = runtime::CheckRecord::Verdict::up;
  if (remember.record.verdict == Remembered::Verdict::down)
    record.verdict = runtime::CheckRecord::Verdict::down;
  if (const auto& weight = remember.record.weight) {
    using Claim = runtime::CheckRecord::Claim;
    record.claim = weight->kind == WeightClaim::Kind::is ? Claim::is : Claim::adds;
    record.weight = weight->value;
  }
  static_cast<void>(
      page_->store(remember.key, record));  // a full page only means that this one starts afresh
}

void Runner::act(const Forget& forget) {
  if (page_) page_->erase(forget.key);
}

std::string Runner::server_name(std::size_t service, std::size_t server) const {
  const ServiceSettings& settings = engine_.settings().services[service];
  return subject_of(settings, settings.servers[server].endpoint);
}

std::string Runner::check_name(std::size_t service, std::size_t server, std::size_t check) const {
  const ServerSettings& settings = engine_.settings().services[service].servers[server];
  return fmt::format("{}: {}", server_name(service, server), name_of(settings.checks[check].probe));
}

}  // namespace holdfast::checkers
