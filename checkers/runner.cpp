#include "checkers/runner.hpp"

#include "checkers/core/identity.hpp"
#include "checkers/messages.hpp"
#include "checkers/orders.hpp"
#include "checkers/wiring.hpp"
#include "config/load.hpp"
#include "runtime/clock.hpp"
#include "runtime/process.hpp"
#include "runtime/recent_lines.hpp"

#include <algorithm>
#include <unistd.h>

namespace holdfast::checkers {

namespace {

/// Between two lines about the same kind of trouble that the director had with its probes. It meets
/// thousands of checks at once: an address that is not here, no free port, a pause.
constexpr core::Duration kNotTriedLogInterval = std::chrono::minutes(1);

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
  runtime::answer_about_events(*control_, logger_);
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

}  // namespace holdfast::checkers
