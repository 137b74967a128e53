#include "ctl/ipvsadm.hpp"

#include "ctl/client.hpp"
#include "ctl/ipvs.hpp"
#include "ctl/ipvsadm_view.hpp"
#include "ipvs_wrapper/client.hpp"
#include "ipvs_wrapper/text.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

namespace holdfast::ctl {
namespace {

int refused(const core::Error& error) {
  complain(error.message);
  return kIpvsadmRefused;
}

int misused(std::string_view sentence) {
  complain(sentence);
  return kIpvsadmUsage;
}

/// The changes of a table: one entry, or all of it.
int change(const ipvs::Plan& steps) {
  auto client = ipvs::Client::open();
  if (!client) return refused(client.error());
  const ipvs::ApplyReport report = client->apply(steps);
  for (const ipvs::StepFailure& failure : report.failures) complain(failure.sentence);
  return report.failures.empty() && report.not_tried == 0 ? kDone : kIpvsadmRefused;
}

/// -A -E -D -a -e -d: a line as a rules file has it. The kernel deletes what is not there without a
/// word of ours, and ipvsadm complains of it: so do we.
int change_one(std::span<const std::string> words) {
  const auto step = ipvs::parse_command(fmt::format("{}", fmt::join(words, " ")));
  if (!step) return misused(step.error().message);
  const bool deletes = std::holds_alternative<ipvs::DeleteService>(*step) ||
                       std::holds_alternative<ipvs::DeleteServer>(*step);
  if (!deletes) return change({*step});
  auto client = ipvs::Client::open();
  if (!client) return refused(client.error());
  auto observed = client->read();
  if (!observed) return refused(observed.error());
  if (ipvs::apply_step(*step, observed->table) != 0)
    return refused(core::fail("{}: there is no such entry", fmt::join(words, " ")));
  return change({*step});
}

int clear() {
  auto client = ipvs::Client::open();
  if (!client) return refused(client.error());
  const auto observed = client->read();
  if (!observed) return refused(observed.error());
  ipvs::Plan steps;
  for (const auto& [key, service] : observed->table.services)
    steps.emplace_back(ipvs::DeleteService{key});
  return change(steps);
}

int show_timeouts(ipvs::Client& client) {
  const auto timeouts = client.timeouts();
  if (!timeouts) return refused(timeouts.error());
  say(fmt::format("Timeout (tcp tcpfin udp): {} {} {}\n", timeouts->tcp, timeouts->tcp_fin,
                  timeouts->udp));
  return kDone;
}

int show_daemons(ipvs::Client& client) {
  const auto daemons = client.sync_daemons();
  if (!daemons) return refused(daemons.error());
  for (const auto& [role, one] : *daemons) {
    say(fmt::format("{} sync daemon (mcast={}, syncid={}, maxlen={}, group={}, port={}, ttl={})\n",
                    ipvs::to_string(role), one.interface, one.id, one.max_length,
                    one.group.to_string(), one.port, one.ttl));
  }
  return kDone;
}

struct ListWords {
  std::optional<ipvs::ServiceKey> only;
  IpvsView view = IpvsView::weights;
  bool timeouts = false;
  bool daemons = false;
};

/// nullopt: a word that is not understood here.
std::optional<ListWords> list_words(std::span<const std::string> words) {
  ListWords out;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const std::string& word = words[at];
    const bool names_service = word == "-t" || word == "-u" || word == "--sctp-service" ||
                               word == "-f" || word == "--tcp-service" || word == "--udp-service";
    if (names_service && at + 1 < words.size()) {
      std::string line = fmt::format("-D {} {}", word, words[at + 1]);
      ++at;
      if (at + 1 < words.size() && words[at + 1] == "-6") line += " " + words[++at];
      const auto step = ipvs::parse_command(line);
      if (!step) return std::nullopt;
      out.only = ipvs::key_of(*step);
    } else if (word == "--stats") {
      out.view = IpvsView::stats;
    } else if (word == "--rate") {
      if (out.view != IpvsView::stats) out.view = IpvsView::rate;
    } else if (word == "--thresholds") {
      out.view = IpvsView::thresholds;
    } else if (word == "--timeout") {
      out.timeouts = true;
    } else if (word == "--daemon") {
      out.daemons = true;
    } else if (word != "-n" && word != "--numeric" && word != "--sort" && word != "--nosort") {
      return std::nullopt;
    }
  }
  return out;
}

int list(std::span<const std::string> words) {
  const auto what = list_words(words);
  if (!what)
    return misused(
        "-L understands -n, a service, --stats, --rate, --thresholds, --timeout and "
        "--daemon");
  auto client = ipvs::Client::open();
  if (!client) return refused(client.error());
  if (what->timeouts) return show_timeouts(*client);
  if (what->daemons) return show_daemons(*client);
  const auto info = client->info();
  if (!info) return refused(info.error());
  const auto observed = client->read();
  if (!observed) return refused(observed.error());
  const auto& services = observed->table.services;
  if (what->only && !services.contains(*what->only)) {
    complain(fmt::format("there is no service {}", ipvs::to_string(*what->only)));
    return kFailed;
  }
  if (!what->only) say(ipvs_head(info->version_text(), info->connection_table_size));
  say(ipvs_titles(what->view));
  for (const auto& [key, service] : services) {
    if (what->only && key != *what->only) continue;
    const auto known = observed->counters.find(key);
    say(ipvs_lines(key, service,
                   known == observed->counters.end() ? ipvs::ServiceCounters{} : known->second,
                   what->view));
  }
  return kDone;
}

/// "-Ln" is "-L -n".
std::vector<std::string> taken_apart(std::span<const std::string> words) {
  std::vector<std::string> out;
  for (const std::string& word : words) {
    const bool joined = word.size() > 2 && word[0] == '-' && word[1] != '-' &&
                        word.find_first_not_of("LlSRCnc", 1) == std::string::npos;
    if (!joined) {
      out.push_back(word);
      continue;
    }
    for (const char letter : word.substr(1)) out.push_back(fmt::format("-{}", letter));
  }
  return out;
}

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

constexpr std::array<std::string_view, 12> kEntryCommands = {"-A",
                                                             "-E",
                                                             "-D",
                                                             "-a",
                                                             "-e",
                                                             "-d",
                                                             "--add-service",
                                                             "--edit-service",
                                                             "--delete-service",
                                                             "--add-server",
                                                             "--edit-server",
                                                             "--delete-server"};
constexpr std::array<std::string_view, 3> kListCommands = {"-L", "-l", "--list"};

}  // namespace

std::optional<int> run_ipvsadm(std::span<const std::string> given) {
  const std::vector<std::string> words = taken_apart(given);
  if (words.empty()) return std::nullopt;
  // ipvsadm takes its options in any order; the command is usually first.
  const auto command = std::ranges::find_if(words, [](const std::string& word) {
    return is_one_of(word, kEntryCommands) || is_one_of(word, kListCommands) || word == "-C" ||
           word == "--clear";
  });
  if (command == words.end()) return std::nullopt;
  std::vector<std::string> rest;
  for (auto at = words.begin(); at != words.end(); ++at)
    if (at != command) rest.push_back(*at);
  if (is_one_of(*command, kListCommands)) return list(rest);
  if (*command == "-C" || *command == "--clear")
    return rest.empty() ? clear() : misused("-C stands alone");
  rest.insert(rest.begin(), *command);
  return change_one(rest);
}

std::optional<int> run_by_name(std::string_view program, std::span<const std::string> words) {
  const std::string_view name = program.substr(program.rfind('/') + 1);  // npos + 1 is 0
  if (name == "ipvsadm-save") return save_table(Format::text);
  if (name == "ipvsadm-restore") return restore_table(Format::text);
  if (name != "ipvsadm") return std::nullopt;
  if (words.empty()) return list({});
  const std::vector<std::string> apart = taken_apart(words);
  if (apart.front() == "-S" || apart.front() == "--save") return save_table(Format::text);
  if (apart.front() == "-R" || apart.front() == "--restore") return restore_table(Format::text);
  if (const auto done = run_ipvsadm(words)) return done;
  return misused(fmt::format("'{}' is not understood: -A -E -D -a -e -d -C -L -S and -R are",
                             fmt::join(words, " ")));
}

}  // namespace holdfast::ctl
