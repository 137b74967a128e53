// The short form of a scenario, for people: one instance, one interface, and the driver is woken
// exactly at its deadlines between the lines.
//
//   instance prio 150 preempt_delay 3       settings of the one instance: prio, nopreempt,
//                                           preempt_delay, address, pass, state
//   at 0s start [resume 400ms ago]          also: stop, stop now, link down, link up, no address
//   at 1s advert from 10.0.0.2 prio 200     also: interval 2s, pass WORD, address A
//   at 2s reload WORDS                      as after `instance`
//   at 2s addresses fail|repaired
//   at 9s pause until 14s                   a wake-up that comes late
//   until 9s                                nothing but deadlines
//   ---                                     below: the decisions, as trace() makes them
#pragma once

#include "vrrp/core/driver.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::vrrp::scenario {

class Script {
 public:
  Script();
  /// A line above the "---". Throws FormatError.
  void feed(std::string_view line);
  [[nodiscard]] const std::string& trace() const { return trace_; }

 private:
  using Words = std::vector<std::string>;
  struct Heard {
    IpAddress source;
    std::vector<std::uint8_t> payload;
  };

  void act(const Words& words);
  void start(const Words& words);
  [[nodiscard]] Heard read_advert(const Words& words) const;
  void report_link(bool up, bool has_address);
  void advance_to(Instant when);
  void handle(const Event& event);
  void wake(const std::vector<Heard>& packets);
  void write(const Actions& actions);

  InstanceSettings settings_;
  std::optional<Driver> driver_;
  Instant now_;
  std::string trace_;
};

}  // namespace holdfast::vrrp::scenario
