#include "runtime/recent_lines.hpp"

#include "runtime/control_socket.hpp"
#include "runtime/log_text.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace holdfast::runtime {
namespace {

namespace json = boost::json;

std::size_t bytes_of(const LogLine& line) {
  return sizeof(LogLine) + line.text.size();
}

std::uint64_t number_of(const json::object& request, std::string_view key) {
  const json::value* value = request.if_contains(key);
  boost::system::error_code error;
  const auto number = value == nullptr ? 0 : value->to_number<std::uint64_t>(error);
  return error ? 0 : number;
}

json::object answer(const RecentLines::After& after) {
  json::array events;
  events.reserve(after.lines.size());
  for (const LogLine& line : after.lines) events.emplace_back(to_json(line));
  return {{"pid", ::getpid()},
          {"newest", after.newest},
          {"missed", after.missed},
          {"events", std::move(events)}};
}

}  // namespace

void RecentLines::add(const LogLine& line) {
  const std::lock_guard lock(mutex_);
  lines_.push_back(line);
  bytes_ += bytes_of(line);
  ++newest_;
  while (bytes_ > kRecentBytes && lines_.size() > 1) {
    bytes_ -= bytes_of(lines_.front());
    lines_.pop_front();
  }
}

RecentLines::After RecentLines::after(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  After after{.lines = {}, .newest = newest_, .missed = 0};
  if (number >= newest_) return after;
  const std::uint64_t wanted = newest_ - number;
  const std::size_t kept = std::min<std::uint64_t>(wanted, lines_.size());
  after.missed = wanted - kept;
  after.lines.assign(lines_.end() - static_cast<std::ptrdiff_t>(kept), lines_.end());
  return after;
}

void answer_about_events(ControlServer& server, const Logger& logger) {
  server.handle("events", ControlAccess::change,
                [&logger](const json::object& request, const ControlReply& reply) {
                  reply(answer(logger.recent().after(number_of(request, "after"))));
                });
}

}  // namespace holdfast::runtime
