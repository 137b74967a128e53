#include "vrrp/deed_text.hpp"

#include "vrrp/core/match.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace holdfast::vrrp {
namespace {

namespace json = boost::json;

/// More addresses than these are counted in a sentence.
constexpr std::size_t kShown = 4;

std::string placed_text(const VirtualAddress& address, const RouterKey& key) {
  return fmt::format("{} dev {}", address.prefix.to_string(),
                     address.interface.empty() ? key.interface : address.interface.str());
}

std::string enumerated(const std::vector<VirtualAddress>& addresses, const RouterKey& key) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < addresses.size() && i < kShown; ++i)
    texts.push_back(placed_text(addresses[i], key));
  if (addresses.size() > kShown) texts.push_back(fmt::format("{} more", addresses.size() - kShown));
  return fmt::format("{}", fmt::join(texts, ", "));
}

json::array list_of(const std::vector<VirtualAddress>& addresses, const RouterKey& key) {
  json::array list;
  for (const VirtualAddress& address : addresses) list.emplace_back(placed_text(address, key));
  return list;
}

/// What is seen of it, and where it belongs.
struct Telling {
  const Deed& deed;
  const KnownScripts& scripts;
  json::object& out;

  void say(std::string_view kind, const std::string& text) const {
    out["kind"] = kind;
    out["text"] = text;
  }
  void say_addresses(const RouterKey& key) const {
    std::vector<std::string> parts;
    if (!deed.placed.empty()) parts.push_back("places " + enumerated(deed.placed, key));
    if (!deed.taken_off.empty()) parts.push_back("takes off " + enumerated(deed.taken_off, key));
    out["placed"] = list_of(deed.placed, key);
    out["taken_off"] = list_of(deed.taken_off, key);
    say("addresses", fmt::format("{}", fmt::join(parts, ", ")));
  }

  void operator()(const SendAdvert& advert) const {
    out["priority"] = advert.priority;
    if (advert.priority == kResignPriority)
      return say("resignation", "resigns: sends an advert of priority 0");
    say("advert", fmt::format("sends an advert of priority {}", advert.priority));
  }
  void operator()(const PublishAddresses& publish) const { say_addresses(publish.router->key); }
  void operator()(const WithdrawAddresses& withdraw) const { say_addresses(withdraw.router->key); }
  void operator()(const Removed& removed) const {
    say_addresses(removed.router->key);
    const std::string also = json::value_to<std::string>(out["text"]);
    say("removed", "is gone" + (also.empty() ? "" : ", " + also));
  }
  void operator()(const Announce& announce) const {
    const std::size_t count = announce.addresses.size();
    say("announcement", fmt::format("announces {} address{} ({} rounds)", count,
                                    count == 1 ? "" : "es", announce.repeat));
  }
  [[nodiscard]] std::vector<std::string> list_commands(
      const std::vector<core::Command>& wanted) const {
    std::vector<std::string> texts;
    json::array commands;
    for (const core::Command& command : wanted) {
      const std::string line = fmt::format("{}", fmt::join(command.argv, " "));
      texts.push_back(command.problem.empty()
                          ? fmt::format("runs {}: {}", command.what, line)
                          : fmt::format("does not run {}: {}", command.what, command.problem));
      commands.emplace_back(line);
    }
    out["commands"] = std::move(commands);
    return texts;
  }
  void operator()(const Notify& notify) const {
    std::vector<core::Command> commands;
    if (const auto own = scripts.by_router.find(notify.router->key); own != scripts.by_router.end())
      commands = commands_for(own->second, notify.router->name, notify.state, notify.priority);
    say("script", fmt::format("{}", fmt::join(list_commands(commands), "; ")));
  }
  void operator()(const GroupChanged& changed) const {
    std::vector<core::Command> commands;
    if (const auto own = scripts.by_group.find(changed.group); own != scripts.by_group.end())
      commands = commands_for_group(own->second, changed.group, changed.to);
    std::vector<std::string> texts = list_commands(commands);
    texts.insert(texts.begin(), fmt::format("becomes {}: {}", to_string(changed.to), changed.why));
    out["subject"] = "sync group " + changed.group;
    out["from"] = to_string(changed.from);
    out["to"] = to_string(changed.to);
    say("group", fmt::format("{}", fmt::join(texts, "; ")));
  }
  void operator()(const Remember&) const { say("page", ""); }
  void operator()(const StateChanged& changed) const {
    out["from"] = to_string(changed.from);
    out["to"] = to_string(changed.to);
    say("state", fmt::format("becomes {}: {}", to_string(changed.to), changed.why));
  }
  void operator()(const PriorityChanged& changed) const {
    out["priority"] = changed.to;
    say("priority", fmt::format("has priority {} instead of {}{}{}", changed.to, changed.from,
                                changed.why.empty() ? "" : ": ", changed.why));
  }
  void operator()(const PeerProblem& problem) const {
    say("problem",
        fmt::format("a problem with {}: {}", problem.source.to_string(), problem.sentence));
  }
  void operator()(const Stopped&) const { say("stopped", "the VRRP process ends"); }
};

}  // namespace

json::object deed_json(const Deed& deed, Instant began, const KnownScripts& scripts) {
  json::object out{{"after_ms", static_cast<double>((deed.at - began).count()) / 1000}};
  out["subject"] = std::visit(Match{[](const Stopped&) { return std::string(); },
                                    [](const auto& each) { return each.router->name; }},
                              deed.action);
  if (deed.peer) out["peer"] = deed.peer->to_string();
  out["decision"] = to_string(deed.action);
  std::visit(Telling{deed, scripts, out}, deed.action);
  return out;
}

}  // namespace holdfast::vrrp
