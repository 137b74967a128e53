// holdfast_scenario [--update] FILE…: plays a script against the driver and compares the trace
// below its "---" line.
//
//   instance prio 150 preempt_delay 3       settings of the one instance: prio, nopreempt,
//   preempt_delay, address, pass, state at 0s start [resume 400ms ago]          also: stop, stop
//   now, link down, link up, no address, at 1s advert from 10.0.0.2 prio 200 reload
//   WORDS (as after `instance`), pause until 14s (a wake-up that comes late), at 2s addresses
//   fail|repaired           each at its own time; between them the driver is woken exactly at its
//   deadlines until 9s
#include "vrrp/core/driver.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <sstream>

namespace {

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace std::chrono_literals;

const Instant kBegin{1h};

struct ScriptError {
  std::string sentence;
};

Duration parse_time(const std::string& text) {
  std::size_t used = 0;
  const double value = std::stod(text, &used);
  const std::string unit = text.substr(used);
  if (unit != "s" && unit != "ms") throw ScriptError{"a time is 3.2s or 400ms, not " + text};
  return Duration(static_cast<std::int64_t>(value * (unit == "s" ? 1e6 : 1e3) + 0.5));
}

IpAddress parse_address(const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (!address) throw ScriptError{"not an address: " + text};
  return *address;
}

class Player {
 public:
  void line(const std::string& text) {
    std::istringstream words(text.substr(0, text.find('#')));
    std::string verb;
    if (!(words >> verb)) return;
    if (verb == "instance") {
      settings_ = read_settings(words);
      return;
    }
    std::string when;
    words >> when;
    advance_to(kBegin + parse_time(when));
    if (verb == "at") {
      act(words);
    } else if (verb != "until") {
      throw ScriptError{"unknown word " + verb};
    }
  }
  [[nodiscard]] const std::string& trace() const { return trace_; }

 private:
  static InstanceSettings read_settings(std::istringstream& words) {
    InstanceSettings settings;
    settings.name = "VI_1";
    settings.interface = "eth0";
    settings.vrid = 51;
    std::string word;
    while (words >> word) {
      std::string value;
      if (word == "nopreempt") {
        settings.preempt = Preempt::no;
        continue;
      }
      words >> value;
      if (word == "prio") {
        settings.priority = static_cast<std::uint8_t>(std::stoi(value));
      } else if (word == "preempt_delay") {
        settings.preempt_delay = std::chrono::seconds(std::stoi(value));
      } else if (word == "address") {
        settings.addresses.push_back({IpPrefix{parse_address(value), 32}, {}, {}, {}, {}});
      } else if (word == "pass") {
        settings.authentication = Authentication::password(value);
      } else if (word == "state") {
        settings.initial_state = value == "MASTER" ? InitialState::master : InitialState::backup;
      } else {
        throw ScriptError{"unknown setting " + word};
      }
    }
    if (settings.addresses.empty())
      settings.addresses.push_back({IpPrefix{parse_address("10.0.0.100"), 32}, {}, {}, {}, {}});
    return settings;
  }

  void act(std::istringstream& words) {
    std::string verb;
    std::string word;
    words >> verb;
    if (verb == "start") {
      driver_.emplace(Router({settings_}));
      report_link(true, true);
      if (words >> word) {
        words >> word;
        const Instant then = now_ - parse_time(word);
        handle(ResumeFromPage{settings_.key(), then, then});
      }
      handle(Startup{});
    } else if (verb == "stop") {
      words >> word ? handle(ShutdownNow{}) : handle(Shutdown{});
    } else if (verb == "link") {
      words >> word;
      report_link(word == "up", true);
    } else if (verb == "no") {
      report_link(true, false);
    } else if (verb == "reload") {
      handle(Reload{{read_settings(words)}});
    } else if (verb == "addresses") {
      words >> word;
      const RouterKey key = settings_.key();
      word == "fail" ? handle(AddressesPlaced{key, 1, 0, "eth0 refuses 10.0.0.100/32"})
                     : handle(AddressesRepaired{key});
    } else if (verb == "pause") {
      words >> word >> word;
      now_ = kBegin + parse_time(word);
      wake({});
    } else if (verb == "advert") {
      wake({read_advert(words)});
    } else {
      throw ScriptError{"unknown event " + verb};
    }
  }

  struct Heard {
    IpAddress source;
    std::vector<std::uint8_t> payload;
  };

  Heard read_advert(std::istringstream& words) const {
    InstanceSettings peer = settings_;
    Heard heard;
    std::string word;
    std::string value;
    std::uint8_t priority = 0;
    while (words >> word >> value) {
      if (word == "from") {
        heard.source = parse_address(value);
      } else if (word == "prio") {
        priority = static_cast<std::uint8_t>(std::stoi(value));
      } else if (word == "interval") {
        peer.advert_interval = parse_time(value);
      } else if (word == "pass") {
        peer.authentication = Authentication::password(value);
      } else if (word == "address") {
        peer.addresses.push_back({IpPrefix{parse_address(value), 32}, {}, {}, {}, {}});
      } else {
        throw ScriptError{"unknown field of an advert: " + word};
      }
    }
    encode_advert(make_advert(peer, priority), heard.payload);
    return heard;
  }

  void report_link(bool up, bool has_address) {
    InterfaceStatus status{.exists = true, .up = up, .primary_address = {}};
    if (has_address) status.primary_address = parse_address("10.0.0.1");
    handle(InterfaceChanged{"eth0", status});
  }

  void advance_to(Instant when) {
    while (driver_ && driver_->deadline() && *driver_->deadline() < when) {
      now_ = *driver_->deadline();
      wake({});
    }
    now_ = when;
  }

  void handle(const Event& event) {
    Actions actions;
    driver_->handle(event, now_, actions);
    write(actions);
  }

  void wake(const std::vector<Heard>& packets) {
    Actions actions;
    driver_->begin(now_, 0s, actions);
    for (const Heard& heard : packets) {
      driver_->receive({"eth0", core::Family::v4, heard.source, vrrp_group(), 255, heard.payload},
                       actions);
    }
    driver_->finish(actions);
    write(actions);
  }

  void write(const Actions& actions) {
    for (const Action& action : actions) {
      if (const auto* advert = std::get_if<SendAdvert>(&action)) {
        Actions remembered;
        driver_->answer(AdvertSent{advert->router->key, advert->priority}, remembered);
      }
      if (std::holds_alternative<Remember>(action)) continue;
      trace_ += fmt::format("{:.6f} {}\n", std::chrono::duration<double>(now_ - kBegin).count(),
                            to_string(action));
    }
  }

  InstanceSettings settings_;
  std::optional<Driver> driver_;
  Instant now_ = kBegin;
  std::string trace_;
};

/// True when the trace is as expected, or was rewritten.
bool play(const std::string& file, bool update) {
  std::ifstream in(file);
  if (!in) throw ScriptError{"cannot read it"};
  std::string script;
  std::string line;
  Player player;
  while (std::getline(in, line) && line != "---") {
    script += line + "\n";
    player.line(line);
  }
  const std::string expected{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (expected == player.trace()) return true;
  if (update) {
    std::ofstream(file) << script << "---\n" << player.trace();
    return true;
  }
  std::cout << file << ": the trace differs\n--- expected\n"
            << expected << "--- is\n"
            << player.trace();
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  bool update = false;
  bool all_good = true;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--update") {
      update = true;
      continue;
    }
    try {
      all_good = play(word, update) && all_good;
    } catch (const ScriptError& error) {
      std::cerr << word << ": " << error.sentence << "\n";
      all_good = false;
    }
  }
  return all_good ? 0 : 1;
}
