#include "checkers/io/table_keeper.hpp"

#include "checkers/messages.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>

namespace holdfast::checkers {

namespace {

/// More differences than these are counted, not listed, in one log line.
constexpr std::size_t kMaxListed = 20;

std::string listed(std::vector<std::string> sentences) {
  const std::size_t all = sentences.size();
  if (all > kMaxListed) sentences.resize(kMaxListed);
  std::string text = fmt::format("{}", fmt::join(sentences, "; "));
  if (all > kMaxListed) text += fmt::format("; and {} more", all - kMaxListed);
  return text;
}

std::vector<std::string> names_of(const ipvs::OwnedKeys& keys) {
  std::vector<std::string> names;
  for (const ipvs::ServiceKey& key : keys) names.push_back(ipvs::to_string(key));
  return names;
}

}  // namespace

TableKeeper::TableKeeper(runtime::Loop& loop, runtime::Logger& logger, std::string owned_path,
                         const ipvs::Table& desired)
    : loop_(loop),
      logger_(logger),
      owned_file_(std::move(owned_path)),
      desired_(desired),
      timer_(loop.io(), [this] { handle(table_event::Tick{}); }),
      patience_(loop.io(), [this] { answer_waiting(); }),
      self_(std::make_shared<TableKeeper*>(this)) {}

TableKeeper::~TableKeeper() {
  *self_ = nullptr;
}

void TableKeeper::later(void (TableKeeper::*what)()) {
  boost::asio::post(loop_.io(), [self = self_, what] {
    if (*self) ((*self)->*what)();
  });
}

void TableKeeper::start(Others others) {
  auto owned = owned_file_.load();
  if (!owned) logger_.log_text(messages::kOwnedFile, owned.error().message);
  handle(table_event::Started{owned ? std::move(*owned) : ipvs::OwnedKeys{}, others});
}

void TableKeeper::desired_changed(const ipvs::ServiceKey& key) {
  if (changed_.empty()) later(&TableKeeper::flush_changes);
  changed_.push_back(key);
}

void TableKeeper::flush_changes() {
  handle(table_event::DesiredChanged{std::exchange(changed_, {})});
}

void TableKeeper::stop(table_event::Stopping how, std::function<void()> on_finished) {
  on_finished_ = std::move(on_finished);
  handle(how);
}

void TableKeeper::when_fresh(std::function<void()> then) {
  const core::Instant now = runtime::now();
  const bool is_fresh = read_at_ && now < *read_at_ + kFreshFor;
  if (is_fresh || !reconciler_.is_available()) return then();
  waiting_.push_back(std::move(then));
  if (waiting_.size() > 1) return;
  patience_.arm(now + kFreshPatience);
  handle(table_event::LookWanted{});
}

void TableKeeper::answer_waiting() {
  patience_.arm(std::nullopt);
  for (const auto& then : std::exchange(waiting_, {})) then();
}

void TableKeeper::handle(const TableEvent& event) {
  TableActions actions;
  reconciler_.step(event, desired_, runtime::now(), actions);
  timer_.arm(reconciler_.deadline());
  for (const TableAction& action : actions)
    std::visit([this](const auto& one) { act(one); }, action);
}

// Every answer to an action is posted, so that handle() never runs inside itself.

void TableKeeper::act(const table_action::Open&) {
  later(&TableKeeper::open);
}

void TableKeeper::open() {
  auto client = ipvs::Client::open();
  if (!client) return handle(table_event::OpenFailed{client.error().message});
  client_.emplace(std::move(*client));
  handle(table_event::Opened{});
}

void TableKeeper::act(const table_action::Read&) {
  read_.emplace(*client_);
  later(&TableKeeper::read_slice);
}

void TableKeeper::read_slice() {
  const auto progress = read_->run_slice();
  if (!progress) return reading_failed(progress.error());
  if (*progress == ipvs::Progress::more) return later(&TableKeeper::read_slice);
  ipvs::Observed observed = read_->take();
  const bool in_one_piece = read_->in_one_piece();
  read_.reset();  // a job of a large table holds megabytes
  counters_ = std::move(observed.counters);
  read_at_ = runtime::now();
  handle(table_event::WasRead{std::move(observed.table), in_one_piece});
  answer_waiting();
}

void TableKeeper::act(const table_action::ReadServices& read) {
  read_services_.emplace(*client_, read.keys);
  reading_took_ = {};
  later(&TableKeeper::read_services_slice);
}

void TableKeeper::read_services_slice() {
  const core::Instant began = runtime::now();
  const auto progress = read_services_->run_slice();
  reading_took_ += runtime::now() - began;
  if (!progress) return reading_failed(progress.error());
  if (*progress == ipvs::Progress::more) return later(&TableKeeper::read_services_slice);
  ipvs::Observed observed = read_services_->take();
  table_event::ServicesWereRead read{read_services_->keys(), std::move(observed.table),
                                     reading_took_};
  read_services_.reset();
  for (const ipvs::ServiceKey& key : read.keys) counters_.erase(key);
  counters_.merge(observed.counters);
  handle(read);
}

void TableKeeper::act(const table_action::ListServices&) {
  later(&TableKeeper::list);
}

void TableKeeper::list() {
  auto list = client_->list();
  if (!list) return reading_failed(list.error());
  handle(table_event::WasListed{std::move(*list)});
}

void TableKeeper::reading_failed(const core::Error& error) {
  if (error.system_errno == EAGAIN) return handle(table_event::ReadDisagreed{});
  handle(table_event::ReadFailed{error.message});
  answer_waiting();
}

void TableKeeper::act(const table_action::Apply& apply) {
  // Ten thousand steps are not put into words that nobody sees.
  if (logger_.is_shown(messages::kIpvsChange.level))
    for (const ipvs::Step& step : apply.steps)
      logger_.log(messages::kIpvsChange, "ipvsadm {}", ipvs::to_string(step));
  apply_.emplace(*client_, apply.steps);
  later(&TableKeeper::apply_slice);
}

void TableKeeper::apply_slice() {
  if (apply_->run_slice() == ipvs::Progress::more) return later(&TableKeeper::apply_slice);
  table_event::Applied applied;
  for (const ipvs::StepFailure& failure : apply_->report().failures)
    applied.failures.push_back({failure.index, failure.sentence});
  applied.not_tried = apply_->report().not_tried;
  apply_.reset();
  handle(applied);
}

void TableKeeper::act(const table_action::SaveOwned& save) {
  const auto saved = owned_file_.save(save.keys);
  if (!saved) logger_.log_text(messages::kOwnedFile, saved.error().message);
}

void TableKeeper::act(const table_action::ReportAccess& report) {
  if (report.error) {
    client_.reset();
    logger_.log_text(messages::kIpvsUnavailable, *report.error);
  } else {
    logger_.log(messages::kIpvsAvailable, "the IPVS table can be reached again");
  }
}

void TableKeeper::act(const table_action::ReportDrift& report) {
  logger_.log(messages::kIpvsDrift, "somebody changed the IPVS table, putting it back: {}",
              listed(report.differences));
}

void TableKeeper::act(const table_action::ReportStubborn& report) {
  logger_.log(messages::kIpvsStubborn,
              "the IPVS table was put right {} times in a row and differs again; further attempts "
              "come at growing distances: {}",
              kMaxRounds, listed(report.differences));
}

void TableKeeper::act(const table_action::ReportUnsteady&) {
  logger_.log(messages::kIpvsUnsteady,
              "the IPVS table changes faster than it can be read: {} readings in a row "
              "contradicted themselves; nothing is done until two agree",
              kMaxDisagreements);
}

void TableKeeper::act(const table_action::ReportFlushed& report) {
  logger_.log(messages::kIpvsFlushed, "{} service(s) of others are removed from the IPVS table: {}",
              report.keys.size(), listed(names_of(report.keys)));
}

void TableKeeper::act(const table_action::ReportForeign& report) {
  std::vector<std::string> names = names_of(report.keys);
  if (names.empty()) {
    logger_.log(messages::kIpvsForeign, "the IPVS table has no services of others any more");
    return;
  }
  const std::size_t count = names.size();
  logger_.log(messages::kIpvsForeign,
              "{} service(s) in the IPVS table are not ours and are left alone: {}", count,
              listed(std::move(names)));
}

void TableKeeper::act(const table_action::ReportAdopted& report) {
  logger_.log(messages::kIpvsAdopted,
              "took over {} service(s) that were in the IPVS table, {} change(s) needed",
              report.services, report.steps);
}

void TableKeeper::act(const table_action::ReportFailedStep& report) {
  logger_.log_text(messages::kIpvsRefused, report.sentence);
}

void TableKeeper::act(const table_action::Finished&) {
  answer_waiting();
  if (on_finished_) boost::asio::post(loop_.io(), std::exchange(on_finished_, nullptr));
}

}  // namespace holdfast::checkers
