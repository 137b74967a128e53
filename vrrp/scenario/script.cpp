#include "vrrp/scenario/script.hpp"

#include "vrrp/core/match.hpp"
#include "vrrp/scenario/values.hpp"

namespace holdfast::vrrp::scenario {
namespace {

using namespace std::chrono_literals;

constexpr Instant kBegin{1h};
/// The driver is woken at every deadline on the way.
constexpr Duration kLongestScript = 24h * 7;

/// "3.2s" or "400ms".
Duration parse_time(std::string_view text) {
  const auto fail = [text] {
    return FormatError(fmt::format("a time is 3.2s or 400ms, a week at most, not {}", text));
  };
  Duration duration{};
  if (text.ends_with("ms")) {
    std::int64_t count = 0;
    from_text(text.substr(0, text.size() - 2), count);
    if (count < 0 || count > kLongestScript / 1ms) throw fail();
    return std::chrono::milliseconds(count);
  }
  if (!text.ends_with('s')) throw fail();
  from_text(text.substr(0, text.size() - 1), duration);
  if (duration < Duration::zero() || duration > kLongestScript) throw fail();
  return duration;
}

template <class T>
T parse(std::string_view text) {
  T value{};
  from_text(text, value);
  return value;
}

VirtualAddress plain_address(std::string_view text) {
  return {IpPrefix{parse<IpAddress>(text), 32}, {}, {}, {}, {}};
}

const std::string& word_at(const std::vector<std::string>& words, std::size_t at) {
  if (at >= words.size()) throw FormatError("a word is missing at the end of the line");
  return words[at];
}

InstanceSettings read_settings(const std::vector<std::string>& words) {
  InstanceSettings settings;
  settings.name = "VI_1";
  settings.interface = "eth0";
  settings.vrid = 51;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "nopreempt") {
      settings.preempt = Preempt::no;
      continue;
    }
    const std::string& value = word_at(words, ++i);
    if (word == "prio") {
      settings.priority = parse<std::uint8_t>(value);
    } else if (word == "preempt_delay") {
      settings.preempt_delay = std::chrono::seconds(parse<std::uint32_t>(value));
    } else if (word == "address") {
      settings.addresses.push_back(plain_address(value));
    } else if (word == "pass") {
      settings.authentication = Authentication::password(value);
    } else if (word == "state") {
      settings.initial_state = value == "MASTER" ? InitialState::master : InitialState::backup;
    } else {
      throw FormatError(fmt::format("unknown setting {}", word));
    }
  }
  if (settings.addresses.empty()) settings.addresses.push_back(plain_address("10.0.0.100"));
  return settings;
}

std::vector<std::string> from(const std::vector<std::string>& words, std::size_t first) {
  return {words.begin() + static_cast<std::ptrdiff_t>(std::min(first, words.size())), words.end()};
}

}  // namespace

Script::Script() : now_(kBegin) {}

void Script::feed(std::string_view line) {
  const Words words = split_words(line);
  if (words.empty()) return;
  if (words[0] == "instance") {
    settings_ = read_settings(from(words, 1));
    return;
  }
  if (words[0] != "at" && words[0] != "until")
    throw FormatError(fmt::format("unknown word {}", words[0]));
  advance_to(kBegin + parse_time(word_at(words, 1)));
  if (words[0] == "at") act(from(words, 2));
}

void Script::act(const Words& words) {
  const std::string& verb = word_at(words, 0);
  if (verb == "start") return start(words);
  if (!driver_) throw FormatError("nothing was started yet");
  if (verb == "stop") {
    words.size() > 1 ? handle(ShutdownNow{}) : handle(Shutdown{});
  } else if (verb == "link") {
    report_link(word_at(words, 1) == "up", true);
  } else if (verb == "no") {
    report_link(true, false);
  } else if (verb == "reload") {
    handle(Reload{{read_settings(from(words, 1))}});
  } else if (verb == "addresses") {
    const RouterKey key = settings_.key();
    word_at(words, 1) == "fail" ? handle(AddressesPlaced{key, 1, 0, "eth0 refuses 10.0.0.100/32"})
                                : handle(AddressesRepaired{key});
  } else if (verb == "pause") {
    now_ = kBegin + parse_time(word_at(words, 2));
    wake({});
  } else if (verb == "advert") {
    wake({read_advert(from(words, 1))});
  } else {
    throw FormatError(fmt::format("unknown event {}", verb));
  }
}

void Script::start(const Words& words) {
  driver_.emplace(Router({settings_}));
  report_link(true, true);
  if (words.size() > 1) {
    const Instant then = now_ - parse_time(word_at(words, 2));
    handle(ResumeFromPage{settings_.key(), then, then});
  }
  handle(Startup{});
}

Script::Heard Script::read_advert(const Words& words) const {
  InstanceSettings peer = settings_;
  Heard heard;
  std::uint8_t priority = 0;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const std::string& word = words[i];
    const std::string& value = word_at(words, i + 1);
    if (word == "from") {
      heard.source = parse<IpAddress>(value);
    } else if (word == "prio") {
      priority = parse<std::uint8_t>(value);
    } else if (word == "interval") {
      peer.advert_interval = parse_time(value);
    } else if (word == "pass") {
      peer.authentication = Authentication::password(value);
    } else if (word == "address") {
      peer.addresses.push_back(plain_address(value));
    } else {
      throw FormatError(fmt::format("unknown field of an advert: {}", word));
    }
  }
  encode_advert(make_advert(peer, priority), heard.payload);
  return heard;
}

void Script::report_link(bool up, bool has_address) {
  InterfaceStatus status{.exists = true, .up = up, .primary_address = {}};
  if (has_address) status.primary_address = parse<IpAddress>("10.0.0.1");
  handle(InterfaceChanged{"eth0", status});
}

void Script::advance_to(Instant when) {
  while (driver_ && driver_->deadline() && *driver_->deadline() < when) {
    now_ = *driver_->deadline();
    wake({});
  }
  now_ = when;
}

void Script::handle(const Event& event) {
  Actions actions;
  driver_->handle(event, now_, actions);
  write(actions);
}

void Script::wake(const std::vector<Heard>& packets) {
  Actions actions;
  driver_->begin(now_, 0s, actions);
  for (const Heard& heard : packets) {
    driver_->receive({"eth0", core::Family::v4, heard.source, vrrp_group(), 255, heard.payload},
                     actions);
  }
  driver_->finish(actions);
  write(actions);
}

void Script::write(const Actions& actions) {
  for (const Action& action : actions) {
    if (const auto* advert = std::get_if<SendAdvert>(&action)) {
      Actions remembered;
      driver_->answer(AdvertSent{advert->router->key, advert->priority}, remembered);
    }
    if (std::holds_alternative<Remember>(action)) continue;
    trace_ += fmt::format("{:.6f} {}\n", seconds(now_ - kBegin), to_string(action));
  }
}

}  // namespace holdfast::vrrp::scenario
