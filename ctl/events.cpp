#include "ctl/events.hpp"

#include "ctl/client.hpp"
#include "ctl/json_view.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <thread>
#include <utility>

namespace holdfast::ctl {
namespace {

/// Nothing of a director happens so fast that a reader would miss it.
constexpr std::chrono::milliseconds kPause{300};

bool is_absent(const core::Error& error) {
  return error.system_errno == ENOENT || error.system_errno == ECONNREFUSED;
}

/// Where the reader is in the lines of one process.
struct Place {
  std::string_view process;
  std::int64_t pid = 0;
  std::int64_t newest = 0;
  std::string problem = {};       ///< Why it told nothing the last time.
  std::string told_problem = {};  ///< The last one that the reader has heard of.
};

class Reader {
 public:
  Reader(const Target& target, const EventsRequest& request) : target_(target), request_(request) {
    for (std::size_t at = 0; at < kProcesses.size(); ++at)
      places_.at(at).process = kProcesses.at(at);
  }

  /// False: no process answered.
  bool read() {
    std::vector<ToldEvent> told;
    bool anybody = false;
    for (Place& place : places_) anybody = take(place, told) || anybody;
    for (const ToldEvent& event : in_time_order(std::move(told)))
      if (event.id.starts_with(request_.id)) say(event_line(event, request_.format));
    std::fflush(stdout);
    return anybody;
  }
  /// Says what keeps processes that run from telling, once until it changes.
  void tell_problems() {
    for (Place& place : places_)
      if (std::exchange(place.told_problem, place.problem) != place.problem &&
          !place.problem.empty())
        remark(fmt::format("{}: {}\n", place.process, place.problem));
  }
  /// The first sentence about a process that is there and told nothing.
  [[nodiscard]] std::string problem() const {
    for (const Place& place : places_)
      if (!place.problem.empty()) return place.problem;
    return nobody(target_);
  }

 private:
  bool take(Place& place, std::vector<ToldEvent>& told) {
    auto answer = ask_for_more(place);
    // Another process under that name has numbers of its own.
    if (answer && place.pid != 0 && number(*answer, "pid") != place.pid) {
      place.newest = 0;
      answer = ask_for_more(place);
    }
    if (!answer || find(*answer, "error") != nullptr) {
      const bool is_gone = !answer && is_absent(answer.error());
      place.problem = is_gone ? "" : answer ? text(*answer, "error") : answer.error().message;
      return false;
    }
    place.problem.clear();
    place.pid = number(*answer, "pid").value_or(0);
    const bool is_first = place.newest == 0;
    place.newest = number(*answer, "newest").value_or(0);
    if (const auto missed = number(*answer, "missed").value_or(0); missed != 0 && !is_first)
      remark(fmt::format("{}: {} lines were said too fast and are not shown\n", place.process,
                         missed));
    for (const value& each : find_list(*answer, "events")) {
      const object& event = each.as_object();
      std::string words = text(event, "text");
      words.erase(words.find_last_not_of('\n') + 1);
      told.push_back({text(event, "at"), std::string(place.process), text(event, "level"),
                      text(event, "id"), std::move(words)});
    }
    return true;
  }
  [[nodiscard]] core::Result<object> ask_for_more(const Place& place) const {
    return request_of(target_, place.process, {{"command", "events"}, {"after", place.newest}});
  }

  const Target& target_;
  const EventsRequest& request_;
  std::array<Place, kProcesses.size()> places_;
};

}  // namespace

std::vector<ToldEvent> in_time_order(std::vector<ToldEvent> events) {
  std::ranges::stable_sort(events, {}, &ToldEvent::at);
  return events;
}

std::string event_line(const ToldEvent& event, Format format) {
  if (format == Format::json)
    return boost::json::serialize(object{{"at", event.at},
                                         {"process", event.process},
                                         {"level", event.level},
                                         {"id", event.id},
                                         {"text", event.text}}) +
           "\n";
  return fmt::format("{} {} {} {}: {}\n", event.at, event.process, event.level, event.id,
                     event.text);
}

int events(const Target& target, const EventsRequest& request) {
  Reader reader(target, request);
  if (!reader.read()) {
    complain(reader.problem());
    return reader.problem() == nobody(target) ? kNobodyAnswered : kFailed;
  }
  reader.tell_problems();
  // A director that is started again goes on here; Ctrl-C ends this.
  while (request.follow && std::ferror(stdout) == 0) {
    std::this_thread::sleep_for(kPause);
    static_cast<void>(reader.read());
    reader.tell_problems();
  }
  return kDone;
}

}  // namespace holdfast::ctl
